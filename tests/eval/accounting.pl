#!/usr/bin/perl
# accounting.pl BUILD [MUTANTS [JOBS [FIRST-SEED]]] - does every frame and every
# byte have a place? Over each capture of tests/replay, and over as many
# damaged copies of them, garitad replays it, and
#  - its frames are the sum of their parts, and as many as tshark reads;
#  - its bytes are those of its transfers;
#  - the bytes of each transfer's two ends in each VLAN, in each direction, are
#    what tshark sums ip.len (ipv6.plen + 40) to. Frames that decode_dump marks
#    as second copies are left out. Of a tunnel, each layer counts for its own
#    addresses. Not compared: addresses with a length of 0 in a header
#    (segmentation offload: taken from the frame); of tunnels those whose
#    frames came with different tags or twice, that a damaged tunnel carried, or whose inside tshark shows and
#    decode does not find plausible; damaged captures with collapsed rows, which
#    hold what other addresses of the same machine did.
# Prints what does not hold, then the numbers; exit 1 if anything did not.
use strict;
use warnings;
use JSON::PP;
use File::Temp qw(tempdir);

my ($build, $mutants, $jobs, $first_seed) = @ARGV;
die "usage: accounting.pl BUILD [MUTANTS [JOBS [FIRST-SEED]]]\n" unless $build;
$mutants //= 0;
$jobs //= 2;
$first_seed //= 1;
chdir "$0/../../.." or chdir(($0 =~ m{^(.*)/}) ? "$1/../.." : '../..') or die "$!\n";
my $work = tempdir(CLEANUP => 0);
my %lines_of;    # of tshark, by file, read ahead
my @fields = qw(frame.number frame.protocols ip.src ip.dst ip.len ipv6.src ipv6.dst ipv6.plen vlan.id ieee8021ad.id);

sub list { return split /,/, $_[0] // '' }

# decode keeps an IPv4-mapped address of an IPv6 header apart from the IPv4 one.
sub addresses6
{
	return map { /^::ffff:(\d+)\.(\d+)\.(\d+)\.(\d+)$/i
		? sprintf('::ffff:0:%x:%x', $1 << 8 | $2, $3 << 8 | $4) : $_ } list($_[0]);
}

# What decode says of each frame: outcome, second copy?, IP layers, tags (ERSPAN has its own).
sub dump_of
{
	my ($file, %of) = @_;
	open my $d, '-|', "$build/eval/decode_dump", $file or die "decode_dump: $!\n";
	while (my $line = <$d>) {
		chomp $line;
		my ($number, $outcome, $vlans, $copy, $layers) = split /\t/, $line, -1;
		$of{$number} = [$outcome, $copy, scalar(() = $layers =~ /\|/g) + 1, $vlans];
	}
	close $d;
	return \%of;
}

# The IP layers of a frame in their order: [src, dst, bytes]; those that an
# ICMP error quotes are none.
sub layers_of
{
	my ($t) = @_;
	my ($protocols) = $t->{'frame.protocols'} =~ /^(.*?)(?::icmp|$)/;
	my @v4 = ([list($t->{'ip.src'})], [list($t->{'ip.dst'})], [list($t->{'ip.len'})]);
	my @v6 = ([addresses6($t->{'ipv6.src'})], [addresses6($t->{'ipv6.dst'})], [list($t->{'ipv6.plen'})]);
	my @layers;
	for (split /:/, $protocols) {
		my $v = $_ eq 'ip' ? \@v4 : $_ eq 'ipv6' ? \@v6 : next;
		my @l = map { shift @$_ } @$v;
		last unless defined $l[0] && defined $l[1] && defined $l[2];
		push @layers, [$l[0], $l[1], $l[2] == 0 ? 0 : $l[2] + ($_ eq 'ipv6' ? 40 : 0)];
	}
	return @layers;
}

# What tshark prints of a capture, a line a frame; frame.number comes first.
sub tshark_lines
{
	my ($file) = @_;
	open my $w, '-|', "tshark -n -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=a "
	  . join(' ', map { "-e $_" } @fields) . " -r '$file' 2>/dev/null" or die "tshark: $!\n";
	chomp(my @lines = <$w>);
	close $w;
	return \@lines;
}

# The records of a pcap file whose framing is whole, and the kind of the file;
# nothing for any other: tshark reads that one alone.
sub records_of
{
	my ($file) = @_;
	my $bytes = do { local (@ARGV, $/) = $file; <> };
	return if length $bytes < 24 || unpack('V', $bytes) != 0xa1b2c3d4;
	my ($at, $count) = (24, 0);
	while ($at + 16 <= length $bytes) {
		my (undef, undef, $kept, $whole) = unpack 'V4', substr $bytes, $at, 16;
		return if $kept > 65535 || $kept > $whole || $at + 16 + $kept > length $bytes;
		$at += 16 + $kept;
		$count++;
	}
	return if $at != length $bytes;
	return (substr($bytes, 0, 8) . substr($bytes, 20, 4), $count, substr($bytes, 24), substr($bytes, 0, 24));
}

# tshark takes longer to start than to read a small capture: many in one go.
# Its lines of each file wait in %lines_of.
sub tshark_many
{
	my ($name, @files) = @_;
	my (%text, %head, %part);
	for my $file (@files) {
		my ($kind, $count, $records, $head) = records_of($file) or next;
		$head{$kind} //= $head;
		$text{$kind} .= $records;
		push @{ $part{$kind} }, [$file, $count];
	}
	for my $kind (keys %part) {
		open my $out, '>:raw', $name or die "$name: $!\n";
		print $out $head{$kind}, $text{$kind};
		close $out;
		my $lines = tshark_lines($name);
		my $first = 0;
		for (@{ $part{$kind} }) {
			my ($file, $count) = @$_;
			my @own = splice @$lines, 0, $count;
			s/^(\d+)/$1 - $first/e for @own;
			$lines_of{$file} = \@own;
			$first += $count;
		}
	}
}

# Sums of tshark: {vlans}{src dst} = bytes; {''} without VLANs; and the
# directions in which a length was 0.
sub tshark_sums
{
	my ($file, $dump, $duplicates) = @_;
	my (%sum, %unsure, %tags, %carried, $frames);
	for my $line (@{ delete $lines_of{$file} // tshark_lines($file) }) {
		my %t;
		@t{@fields} = map { $_ // '' } split /\t/, $line, -1;
		$frames++;
		my $ours = $dump->{$t{'frame.number'}} // next;
		next if $ours->[0] !~ /^ip/;
		my @layers = layers_of(\%t);
		if ($ours->[1]) {
			map { $unsure{"$_->[0] $_->[1]"} = 1 } @layers if @layers > 1;
			next;
		}
		map { $unsure{"$_->[0] $_->[1]"} = 1 } @layers if @layers != $ours->[2];
		$carried{"$layers[0][0] $layers[0][1]"}{"$layers[-1][0] $layers[-1][1]"} = 1 if @layers > 1;
		my @vlans = grep { $_ != 0 } (list($t{'ieee8021ad.id'}), list($t{'vlan.id'}));
		splice @vlans, 2 if @vlans > 2;
		for (@layers) {
			my $way = "$_->[0] $_->[1]";
			$tags{$way} //= $ours->[3];
			$unsure{$way} = 1 if $_->[2] == 0 || (@layers > 1 && $tags{$way} ne $ours->[3]);
			$sum{@layers > 1 ? 'tunnel' : "@vlans"}{$way} += $_->[2];
			$sum{''}{$way} += $_->[2] if @layers > 1 || @vlans;
		}
	}
	# The copies of a tunnel's packets are told by the layer that is counted.
	%unsure = map { $_ => 1 } keys %tags if $duplicates && $sum{tunnel};
	return (\%sum, \%unsure, \%carried, $frames // 0);
}

# The same of garita's records.
sub transfer_sums
{
	my ($db) = @_;
	my (%sum, $out, $in, $collapsed);
	open my $g, '-|', "$build/garita", 'transfers', '--db', $db, '--format', 'json', '--limit', 0 or die "garita: $!\n";
	while (my $line = <$g>) {
		my $t = decode_json($line);
		my $vlans = join ' ', @{ $t->{vlan} // [] };
		for my $v ($vlans eq '' ? ('') : ($vlans, '')) {
			$sum{$v}{"$t->{src_ip} $t->{dest_ip}"} += $t->{ip_bytes_out};
			$sum{$v}{"$t->{dest_ip} $t->{src_ip}"} += $t->{ip_bytes_in};
		}
		$collapsed += $t->{collapsed} // 0;
		$out += $t->{ip_bytes_out};
		$in += $t->{ip_bytes_in};
	}
	close $g;
	die "garita transfers --db $db failed\n" if $?;
	return (\%sum, $out // 0, $in // 0, $collapsed // 0);
}

sub compare_ends
{
	my ($site, $file, $ours, $duplicates) = @_;
	my ($theirs, $unsure, $carried, $frames) = tshark_sums($file, dump_of($file), $duplicates);
	# Where the tunnel itself is the transfer its inside is none.
	for my $outer (grep { $ours->{''}{$_} } keys %$carried) {
		$unsure->{$_} = 1 for keys %{ $carried->{$outer} };
	}
	my @complaint;
	my $text = do { local (@ARGV, $/) = $site; <> };
	my ($count, $skipped) = (0, 0);
	for my $vlans (keys %$ours) {
		for my $way (keys %{ $ours->{$vlans} }) {
			my ($a, $b) = split / /, $way;
			if ($unsure->{$way} || ($vlans ne '' && $theirs->{tunnel}{$way}) || ($vlans eq '' && %$ours > 1 && !$theirs->{tunnel}{$way})
				|| ($vlans ne '' && $text =~ /vlan_in_key: false/)) {
				$skipped++;
				next;
			}
			$count++;
			my $want = ($theirs->{$vlans} // {})->{$way} // 0;
			push @complaint, "VLAN '$vlans' $way: $ours->{$vlans}{$way} bytes, tshark $want"
			  if $want != $ours->{$vlans}{$way};
		}
	}
	return ($count, $frames, @complaint);
}

# One replay. Returns frames, directions compared, and what does not hold.
sub check
{
	my ($site, $file, $damaged) = @_;
	my $db = tempdir(DIR => $work, CLEANUP => 0);
	chmod 0777, $db;
	my $json = `$build/garitad -c '$site' -D '$db' --format json -r '$file' 2>'$db/errors'`;
	my $code = $? >> 8;
	my @complaint;
	return (0, 0, "garitad ended with $? " . `tail -3 $db/errors`) if ($code != 0 && $code != 3) || $? & 127;
	my $a = decode_json($json);
	my $parts = 0;
	$parts += $a->{"${_}_frames"} for qw(flow housekeeping other_network non_ip malformed filtered);
	push @complaint, "$a->{frames} frames, parts $parts" if $a->{frames} != $parts;
	my ($ours, $out, $in, $collapsed) = transfer_sums("$db/garita.db");
	push @complaint, "bytes out $a->{ip_bytes_out}, of transfers $out" if $a->{ip_bytes_out} != $out;
	push @complaint, "bytes in $a->{ip_bytes_in}, of transfers $in" if $a->{ip_bytes_in} != $in;
	my $plain = $file;
	if ($file =~ /\.(gz|zst)$/) {
		my $unpack = $1 eq 'gz' ? 'gzip' : 'zstd';
		$plain = "$db/plain";
		system("$unpack -dcq '$file' >'$plain'") == 0 or die "$unpack\n";
	}
	$ours = {} if $damaged && $collapsed;
	my ($count, $frames, @ends) = compare_ends($site, $plain, $ours, $damaged && $a->{duplicate_frames});
	push @complaint, @ends;
	push @complaint, "$a->{frames} frames, tshark $frames" if $a->{frames} != $frames && $code == 0;
	system('rm', '-rf', $db);
	return ($a->{frames}, $count, @complaint);
}

sub total
{
	my ($title, @result) = @_;
	my ($captures, $frames, $ends, $bad) = (0, 0, 0, 0);
	for (@result) {
		my ($f, $e, @complaint) = @{ $_->{sums} };
		$captures++;
		$frames += $f;
		$ends += $e;
		$bad++ if @complaint;
		print "$_->{name}: $complaint[0]", @complaint > 1 ? " (and " . $#complaint . " more)" : '', "\n" if @complaint;
	}
	printf "%s: %d captures, %d frames, %d directions compared with tshark: %d hold, %d do not\n", $title, $captures,
	  $frames, $ends, $captures - $bad, $bad;
	return $bad;
}


my @captures = sort grep { m{^(.*)/} && -f "$1/site.yaml" } glob 'tests/replay/*/capture*';
my $site_of = sub { $_[0] =~ m{^(.*)/} ? "$1/site.yaml" : '' };
my $bad = total('captures', map { { name => $_, sums => [check($site_of->($_), $_, 0)] } } @captures);

# Damaged copies: the captures in turn, a seed each; in $jobs processes.
my @base = grep { !/\.(gz|zst)$/ } @captures;
my @pid;
for my $job (0 .. $jobs - 1) {
	my $pid = fork // die "fork: $!\n";
	push @pid, $pid;
	next if $pid;
	open my $report, '>', "$work/report$job" or die "$!\n";
	my @batch;
	my $flush = sub {
		tshark_many("$work/many$job.pcap", map { $_->{file} } @batch);
		for (@batch) {
			my @sums = check($site_of->($_->{from}), $_->{file}, 1);
			# Among others tshark may see more in a frame than alone.
			@sums = check($site_of->($_->{from}), $_->{file}, 1) if @sums > 2;
			print $report encode_json({ name => "mutate $_->{seed} $_->{from}", sums => \@sums }), "\n";
			unlink $_->{file};
		}
		@batch = ();
	};
	for (my $i = $job; $i < $mutants; $i += $jobs) {
		my $seed = $first_seed + $i;
		my $from = $base[($seed - 1) % @base];
		my $file = "$work/mutant$job-" . @batch . '.pcap';
		next if system("$build/eval/mutate $seed '$from' '$file' 2>/dev/null") != 0;
		push @batch, { seed => $seed, from => $from, file => $file };
		$flush->() if @batch == 25;
	}
	$flush->();
	close $report;
	exit 0;
}
waitpid $_, 0 for @pid;
if ($mutants > 0) {
	my @result;
	for my $job (0 .. $jobs - 1) {
		open my $report, '<', "$work/report$job" or die "$!\n";
		push @result, map { decode_json($_) } <$report>;
	}
	$bad += total('mutated captures', @result);
}
system('rm', '-rf', $work);
exit($bad ? 1 : 0);
