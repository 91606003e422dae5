#!/usr/bin/perl
# accounting.pl BUILD [MUTANTS [JOBS [FIRST-SEED]]] - does every frame and every
# byte have a place? Over each capture of tests/replay, and over as many
# damaged copies of them (mutate.c; one worker, each fourth with two; first those
# of once-wrong.txt), garitad replays it, and
#  - its frames are the sum of their parts, and as many as tshark reads; of a
#    damaged copy as many as there are whole records before the first broken one;
#  - its bytes are those of its transfers;
#  - the bytes of each transfer's two ends in each VLAN, in each direction, are
#    what tshark sums ip.len (ipv6.plen + 40) to. Of a tunnel that layer counts
#    which is a transfer, from the outside in.
#
# What is routed between two scanner networks is seen in each of their VLANs and
# is one transfer all the same: there the sum over these VLANs is compared.
#
# Second copies. Which ones garitad believes is bounded, and depends on what
# each worker saw before. A capture in which it found any is replayed once more
# with `capture.duplicates: count-all`: that one is compared to the byte. What
# the two replays differ by is at most the bytes of the frames that by tshark's
# fields have a twin within 20 ms; of what is routed between two scanner networks
# and damaged, the bytes of the frames that follow one of the same ends in the
# other VLAN within that time (a copy that a firewall changed is one, too). Of captures that are not damaged the first
# replay is compared to the byte, too, without the frames that decode_dump marks
# (but what is routed: it knows no networks).
#
# What tshark cannot know it is told, or it is not asked:
#  - records with broken headers: it takes the file for a variant of pcap with
#    longer ones (libpcap.c of its wiretap tries three). It gets the whole
#    records only, those that the format defines.
#  - has the pseudo-wire of encap-mpls-pseudowire a control word? Routers signal
#    that (RFC 8077, section 6), in the frame nothing says so; tshark guesses by
#    makers of MACs. It is told.
#  - a length of 0 (segmentation offload): decode's, from the frame.
#  - a damaged frame in which the two find another number of IP layers (is the
#    inside of a tunnel still one?), or another frame in a pseudo-wire: decode's
#    reading is taken, the frame is printed, and more than one in
#    OTHERWISE_ONE_IN of all frames fail.
# Not comparable: damaged captures with collapsed rows, which hold what other
# addresses of the same machine did; more than one in COLLAPSED_ONE_IN fail.
# Prints what does not hold, then the numbers; exit 1 if anything did not.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use IO::Handle;
use JSON::PP;
use Socket qw(inet_pton AF_INET AF_INET6);
use lib $FindBin::Bin;
use Reading;

use constant {
	OTHERWISE_ONE_IN => 10000,
	COLLAPSED_ONE_IN => 50,
	BATCH            => 250,   # tshark takes longer to start than to read them
};

my ($build, $mutants, $jobs, $first_seed) = @ARGV;
die "usage: accounting.pl BUILD [MUTANTS [JOBS [FIRST-SEED]]]\n" unless $build;
$mutants //= 0;
$jobs //= 2;
$first_seed //= 1;
chdir "$FindBin::Bin/../.." or die "$!\n";
my $work = tempdir(CLEANUP => 0);
my %told = ('encap-mpls-pseudowire' => '-d mpls.label==299,pwethcw');

sub case_of { return $_[0] =~ m{([^/]+)/[^/]+$} ? $1 : '' }
sub site_of { return $_[0] =~ m{^(.*)/} ? "$1/site.yaml" : '' }

# Of a site.yaml: which network an address is in (its number, or nothing), the
# VLANs of the networks, the MACs of equipment, whether tags mean anything.
sub site_read
{
	my ($site) = @_;
	my $text = do { local (@ARGV, $/) = $site; <> };
	my (@prefixes, %vlans);
	my ($networks) = $text =~ /^networks:\n((?:  .*\n)+)/m or die "$site: no networks\n";
	for my $line (split /\n/, $networks) {
		$vlans{$1} = 1 if $line =~ /vlan: (\d+)/;
		push @prefixes, [];
		push @{ $prefixes[-1] }, [bits_of("$1"), "$2"] while $line =~ m{([0-9a-f.:]+)/(\d+)}g;
	}
	my %macs = map { $_ => 1 } map { /mac: "([^"]+)"/g } split /\n/, $text;
	my %known;
	my $network = sub {
		my ($address) = @_;
		return $known{$address} //= do {
			my $bits = bits_of($address);
			my ($n) = grep { grep { length $_->[0] == length $bits && substr($_->[0], 0, $_->[1]) eq substr $bits, 0, $_->[1] }
				  @{ $prefixes[$_] } } 0 .. $#prefixes;
			defined $n ? "network $n" : '';
		};
	};
	return { network => $network, vlans => \%vlans, macs => \%macs, ignore => scalar($text =~ /vlan_in_key: false/) };
}

sub bits_of
{
	my ($address) = @_;
	return unpack 'B*', inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address) // die "address $address\n";
}

# The ends of a way by their addresses: 'routed' between two networks, 'internal'
# of one, 'outside' of all, else 'inside'.
sub place_of
{
	my ($site, $way) = @_;
	my ($a, $b) = map { $site->{network}->($_) } split / /, $way;
	return $a eq '' && $b eq '' ? 'outside' : $a eq '' || $b eq '' ? 'inside' : $a eq $b ? 'internal' : 'routed';
}

# The same site with other keys in capture; written once.
sub variant
{
	my ($site, $keys) = @_;
	my $file = "$work/" . case_of($site) . '-' . ($keys =~ tr/a-z0-9/-/csr) . '.yaml';
	return $file if -f $file;
	my $here = abs_path($site) =~ s{/[^/]+$}{}r;
	my $text = do { local (@ARGV, $/) = $site; <> };
	$text =~ s{(?<=[ "'])\.\./}{$here/../}g;
	$text =~ s/workers: \d+, // if $keys =~ /workers/;
	$text =~ s/^capture:\s*\{/capture: {$keys, /m or die "$site: no 'capture: {'\n";
	open my $out, '>', "$file.$$" or die "$!\n";
	print $out $text;
	close $out;
	rename "$file.$$", $file or die "$!\n";
	return $file;
}

# Where the bytes of a way are summed: its VLANs, or 'any'.
sub key_of
{
	my ($site, $way, $vlans) = @_;
	return $site->{ignore} || place_of($site, $way) eq 'routed' ? 'any' : $vlans;
}

# Bytes of garita's records: {key}{src dst}.
sub transfer_sums
{
	my ($site, $db) = @_;
	my %r = (sum => {}, out => 0, in => 0, collapsed => 0);
	open my $g, '-|', "$build/garita", 'transfers', '--db', $db, '--format', 'json', '--limit', 0 or die "garita: $!\n";
	while (my $line = <$g>) {
		my $t = decode_json($line);
		my $key = key_of($site, "$t->{src_ip} $t->{dest_ip}", join ' ', @{ $t->{vlan} // [] });
		$r{sum}{$key}{"$t->{src_ip} $t->{dest_ip}"} += $t->{ip_bytes_out};
		$r{sum}{$key}{"$t->{dest_ip} $t->{src_ip}"} += $t->{ip_bytes_in};
		$r{collapsed} += $t->{collapsed} // 0;
		$r{out} += $t->{ip_bytes_out};
		$r{in} += $t->{ip_bytes_in};
	}
	close $g;
	die "garita transfers --db $db failed\n" if $?;
	return \%r;
}

my @parts = map { "${_}_frames" } qw(flow housekeeping other_network non_ip malformed filtered);

# One replay: the accounting, the transfers, what does not add up within them.
sub replay
{
	my ($site, $yaml, $file) = @_;
	my $db = tempdir(DIR => $work, CLEANUP => 0);
	chmod 0777, $db;
	my $json = `$build/garitad -c '$yaml' -D '$db' --format json -r '$file' 2>'$db/errors'`;
	my ($code, $died) = ($? >> 8, $? & 127);
	my $r = { code => $code, complaint => [] };
	if (($code != 0 && $code != 3) || $died) {
		$r->{complaint} = ["garitad ended with $code, $died: " . `tail -3 $db/errors`];
		return $r;
	}
	my $a = $r->{accounting} = decode_json($json);
	my $t = $r->{transfers} = transfer_sums($site, "$db/garita.db");
	system('rm', '-rf', $db);
	my $sum = 0;
	$sum += $a->{$_} for @parts;
	push @{ $r->{complaint} }, "$a->{frames} frames, parts $sum" if $a->{frames} != $sum;
	push @{ $r->{complaint} }, "bytes out $a->{ip_bytes_out}, of transfers $t->{out}" if $a->{ip_bytes_out} != $t->{out};
	push @{ $r->{complaint} }, "bytes in $a->{ip_bytes_in}, of transfers $t->{in}" if $a->{ip_bytes_in} != $t->{in};
	return $r;
}

# tshark's sums: {key}{src dst}. Of a tunnel the outermost layer that garita
# has as a transfer, or that stays in a network, else the innermost. And what of
# them need not count: where neither address is in a network a frame is somebody's
# by its MAC or VLAN, or if an earlier one of its flow was.
sub tshark_sums
{
	my ($site, $reading, $ours, $without_copies) = @_;
	my (%sum, %may);
	for my $frame (@{ $reading->{frames} }) {
		next if $without_copies && $frame->{copy};
		my @layers = map { { %$_, key => key_of($site, $_->{way}, $_->{vlans}) } } @{ $frame->{layers} } or next;
		my ($layer) = grep { exists(($ours->{ $_->{key} } // {})->{ $_->{way} })
			  || place_of($site, $_->{way}) eq 'internal' } @layers;
		$layer //= $layers[-1];
		# In a VLAN of no network it is nobody's.
		next if $layer->{key} eq 'any' && !$site->{ignore} && $layer->{vlans} ne '' && !$site->{vlans}{ $layer->{vlans} };
		$sum{ $layer->{key} }{ $layer->{way} } += $layer->{bytes};
		$may{ $layer->{key} }{ $layer->{way} } += $layer->{bytes}
		  if place_of($site, $layer->{way}) eq 'outside' && !$site->{vlans}{ $layer->{vlans} }
		  && !grep { $site->{macs}{$_} } @{ $frame->{macs} };
	}
	return (\%sum, \%may);
}

# Direction by direction: how many were compared, what differs.
sub compare_ends
{
	my ($ours, $theirs, $may) = @_;
	my ($count, @complaint) = (0);
	for my $key (sort keys %$ours) {
		for my $way (sort keys %{ $ours->{$key} }) {
			my ($mine, $want) = ($ours->{$key}{$way}, ($theirs->{$key} // {})->{$way} // 0);
			$count++;
			push @complaint, "VLAN '$key' $way: $mine bytes, tshark $want"
			  if $mine > $want || $mine < $want - (($may->{$key} // {})->{$way} // 0);
		}
	}
	return ($count, @complaint);
}

# Two replays of a capture with second copies: counted once, and each.
sub compare_twins
{
	my ($once, $all, $reading, $damaged) = @_;
	my ($a, $b) = ($once->{accounting}, $all->{accounting});
	my @complaint;
	for ('frames', @parts) {
		push @complaint, "$_: $a->{$_}, with count-all $b->{$_}" if $a->{$_} != $b->{$_};
	}
	push @complaint, "$b->{duplicate_frames} duplicates with count-all" if $b->{duplicate_frames} != 0;
	push @complaint, "$a->{duplicate_frames} duplicates, but $reading->{twins} frames have a twin"
	  if $a->{duplicate_frames} > $reading->{twins};
	my ($x, $y) = ($once->{transfers}{sum}, $all->{transfers}{sum});
	for my $vlans (sort keys %{ { %$x, %$y } }) {
		for my $way (sort keys %{ { %{ $x->{$vlans} // {} }, %{ $y->{$vlans} // {} } } }) {
			my ($mine, $full) = map { ($_->{$vlans} // {})->{$way} // 0 } $x, $y;
			my $most = $reading->{twin_bytes}{$way} // 0;
			my $other = $reading->{other_bytes}{$way} // 0;
			$most = $other if $damaged && $vlans eq 'any' && $other > $most;
			push @complaint, "VLAN '$vlans' $way: $mine bytes, with count-all $full, twins $most"
			  if $mine > $full || $full - $mine > $most;
		}
	}
	return @complaint;
}

sub unpacked
{
	my ($file) = @_;
	return $file unless $file =~ /\.(gz|zst)$/;
	my $unpack = $1 eq 'gz' ? 'gzip' : 'zstd';
	system("$unpack -dcq '$file' >'$work/plain'") == 0 or die "$unpack\n";
	return "$work/plain";
}

# One capture, damaged when its whole records are given. Returns the sums.
sub check
{
	my ($name, $yaml, $file, $whole) = @_;
	my $site = site_read($yaml);
	my $workers = $whole && $whole->{workers} ? "workers: $whole->{workers}" : '';
	my $once = replay($site, $workers ? variant($yaml, $workers) : $yaml, $file);
	my %r = (name => $name, frames => 0, ends => 0, otherwise => [], complaint => $once->{complaint});
	my $a = $once->{accounting} or return \%r;
	my $reading = read_capture($build, unpacked($file), $whole);
	my $complaint = $once->{complaint};
	my $damaged = defined $whole;
	$r{frames} = $a->{frames};
	$r{broken} = 1 if $damaged && $whole->{broken};
	$r{zero} = $reading->{zero};
	$r{otherwise} = [map { "$name frame $_" } @{ $reading->{otherwise} }];
	push @$complaint, "$a->{frames} frames, " . ($damaged ? "$whole->{count} whole records" : "tshark $reading->{count}")
	  if $a->{frames} != ($damaged ? $whole->{count} : $reading->{count}) && ($damaged || $once->{code} == 0);
	push @$complaint, "tshark read $reading->{count} of $whole->{count} records"
	  if $damaged && $reading->{count} != $whole->{count};
	push @$complaint, "exit code $once->{code}" if $damaged && ($once->{code} == 3) != ($r{broken} // 0);
	my $all = $once;
	if ($a->{duplicate_frames} > 0) {
		$r{duplicates} = 1;
		$all = replay($site, variant($yaml, join ', ', 'duplicates: count-all', $workers || ()), $file);
		push @$complaint, @{ $all->{complaint} };
		return \%r unless $all->{accounting};
	}
	if ($damaged && $once->{transfers}{collapsed} + $all->{transfers}{collapsed} > 0) {
		$r{collapsed} = 1;
		return \%r;
	}
	my @compare = ([$all, 0], $damaged || $all == $once ? () : [$once, 1]);
	for (@compare) {
		my ($replay, $without_copies) = @$_;
		my %ours = %{ $replay->{transfers}{sum} };
		my @theirs = tshark_sums($site, $reading, \%ours, $without_copies);
		delete $ours{any} if $without_copies && !$site->{ignore};
		my ($count, @bad) = compare_ends(\%ours, @theirs);
		$r{ends} += $count;
		push @$complaint, @bad;
	}
	push @$complaint, compare_twins($once, $all, $reading, $damaged) if $all != $once;
	return \%r;
}

sub say_count
{
	my ($n, $text) = @_;
	print "  $n $text\n" if $n > 0;
}

sub total
{
	my ($title, @result) = @_;
	my ($frames, $ends, $bad, %n, @otherwise) = (0, 0, 0);
	for my $r (@result) {
		$frames += $r->{frames};
		$ends += $r->{ends};
		$n{$_} += $r->{$_} // 0 for qw(broken duplicates collapsed zero);
		push @otherwise, @{ $r->{otherwise} };
		my @complaint = @{ $r->{complaint} } or next;
		$bad++;
		print "$r->{name}: $complaint[0]", @complaint > 1 ? " (and $#complaint more)" : '', "\n";
	}
	print "$_\n" for @otherwise;
	printf "%s: %d captures, %d frames, %d directions compared with tshark: %d hold, %d do not\n", $title, scalar @result,
	  $frames, $ends, @result - $bad, $bad;
	say_count($n{broken}, 'captures with a broken record: what is before it was compared');
	say_count($n{duplicates}, 'captures with second copies: replayed with each counted, too');
	say_count($n{zero}, 'IP headers with a length of 0: decode\'s from the frame was taken');
	say_count(scalar @otherwise, "frames with other IP layers for tshark: decode's were taken (at most one in "
		  . OTHERWISE_ONE_IN . ' may be so)');
	say_count($n{collapsed}, 'captures not comparable, with collapsed rows (at most one in ' . COLLAPSED_ONE_IN . ' may be so)');
	for ([scalar @otherwise, $frames / OTHERWISE_ONE_IN], [$n{collapsed}, @result / COLLAPSED_ONE_IN]) {
		next if $_->[0] <= 1 + $_->[1];
		print "  that are too many\n";
		$bad++;
	}
	return $bad;
}

# Mutants of [seed, capture] each. tshark reads a batch of them in one go.
sub run_job
{
	my ($job, $report, @mutants) = @_;
	my @batch;
	my $flush = sub {
		tshark_many("$work/many$job.pcap", @batch);
		for (@batch) {
			my $r = check($_->{name}, $_->{site}, $_->{file}, $_);
			# Among others tshark may see more in a frame than alone.
			if (@{ $r->{complaint} } || @{ $r->{otherwise} }) {
				tshark_many("$work/many$job.pcap", $_);
				$r = check($_->{name}, $_->{site}, $_->{file}, $_);
			}
			print $report encode_json($r), "\n";
			unlink $_->{file};
		}
		@batch = ();
	};
	for (@mutants) {
		my ($seed, $from) = @$_;
		my $file = "$work/mutant$job-" . @batch . '.pcap';
		next if system("$build/eval/mutate $seed '$from' '$file' 2>/dev/null") != 0;
		push @batch, { name => "mutate $seed $from", site => site_of($from), file => $file,
			workers => $seed % 4 == 0 ? 2 : 1, told => $told{ case_of($from) } // '', whole_records($file) };
		$flush->() if @batch == BATCH;
	}
	$flush->();
}

my @captures = sort grep { -f site_of($_) } glob 'tests/replay/*/capture*';
my $bad = total('captures', map { check($_, site_of($_), $_) } @captures);

# In $jobs processes.
sub run_mutants
{
	my ($title, @mutants) = @_;
	my (@pid, @result);
	for my $job (0 .. $jobs - 1) {
		my $pid = fork // die "fork: $!\n";
		push @pid, $pid;
		next if $pid;
		open my $report, '>', "$work/report$job" or die "$!\n";
		$report->autoflush(1);
		run_job($job, $report, @mutants[grep { $_ % $jobs == $job } 0 .. $#mutants]);
		close $report or die "$!\n";
		exit 0;
	}
	my $died = 0;
	for (@pid) {
		waitpid $_, 0;
		$died++ if $?;
	}
	for my $job (0 .. $jobs - 1) {
		open my $report, '<', "$work/report$job" or die "$!\n";
		push @result, map { decode_json($_) } <$report>;
	}
	return $died + total($title, @result);
}

if ($mutants > 0) {
	open my $list, '<', 'tests/eval/once-wrong.txt' or die "once-wrong.txt: $!\n";
	$bad += run_mutants('mutants once wrong', map { /^(\d+)\s+(\S+)/ ? [$1, "tests/replay/$2/capture.pcap"] : () } <$list>);
	# The captures in turn, a seed each.
	my @base = grep { system("$build/eval/mutate 1 '$_' '$work/mutant' 2>/dev/null") == 0 } @captures;
	$bad += run_mutants('mutated captures', map { [$_, $base[($_ - 1) % @base]] } $first_seed .. $first_seed + $mutants - 1);
}
system('rm', '-rf', $work);
exit($bad ? 1 : 0);
