# Reading.pm - what tshark reads in the frames of a capture, beside decode_dump.
package Reading;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT = qw(read_capture whole_records tshark_many);

use constant TWIN_S => 0.0200005;   # DEDUP_WINDOW_US of dedup.h, and what printing rounds

my @fields = qw(frame.number frame.time_epoch frame.len frame.protocols ip.src ip.dst ip.len ip.id ipv6.src ipv6.dst ipv6.plen
  vlan.id ieee8021ad.id tcp.checksum udp.checksum
  gre.flags.version eth.src eth.dst);

sub list { return split /,/, $_[0] // '' }
sub last_of { return (list($_[0]))[-1] // '' }

# decode keeps an IPv4-mapped address of an IPv6 header apart from the IPv4 one.
sub addresses6
{
	return map { /^::ffff:(\d+)\.(\d+)\.(\d+)\.(\d+)$/i
		? sprintf('::ffff:0:%x:%x', $1 << 8 | $2, $3 << 8 | $4) : $_ } list($_[0]);
}

# What decode says of each frame: outcome, second copy?, IP layers with their tags.
sub dump_of
{
	my ($build, $file) = @_;
	my %of;
	open my $d, '-|', "$build/eval/decode_dump", $file or die "decode_dump: $!\n";
	while (my $line = <$d>) {
		chomp $line;
		my ($number, $outcome, undef, $copy, $text) = split /\t/, $line, -1;
		my @layers;
		for (split /\|/, $text) {
			my @l = split / /;
			my ($count, @id) = split /,/, $l[7];
			push @layers, { way => "$l[0] $l[1]", bytes => $l[3], vlans => join(' ', @id[0 .. ($count > 2 ? 2 : $count) - 1]) };
		}
		$of{$number} = { outcome => $outcome, copy => $copy, layers => \@layers };
	}
	close $d;
	return \%of;
}

# The IP layers of a frame in their order; those that an ICMP error quotes are none.
sub tshark_layers
{
	my ($t) = @_;
	my ($protocols) = $t->{'frame.protocols'} =~ /^(.*?)(?::icmp|$)/;
	my @v4 = ([list($t->{'ip.src'})], [list($t->{'ip.dst'})], [list($t->{'ip.len'})]);
	my @v6 = ([addresses6($t->{'ipv6.src'})], [addresses6($t->{'ipv6.dst'})], [list($t->{'ipv6.plen'})]);
	my @vlans = grep { $_ != 0 } (list($t->{'ieee8021ad.id'}), list($t->{'vlan.id'}));
	splice @vlans, 2 if @vlans > 2;
	my @layers;
	for (split /:/, $protocols) {
		my $v = $_ eq 'ip' ? \@v4 : $_ eq 'ipv6' ? \@v6 : next;
		my @l = map { shift @$_ } @$v;
		last unless defined $l[0] && defined $l[1] && defined $l[2];
		push @layers, { way => "$l[0] $l[1]", bytes => $l[2] == 0 ? 0 : $l[2] + ($_ eq 'ipv6' ? 40 : 0), vlans => "@vlans" };
	}
	return @layers;
}

# The layers of both: tshark's, but of tunnels the tags of each layer, and
# lengths of 0, are decode's. What claims more bytes than its outside, or the
# frame, can hold is no inside.
sub common_layers
{
	my ($reading, $t, $ours) = @_;
	my @mine = @{ $ours->{layers} };
	my @theirs = tshark_layers($t);
	# A header that was cut, or is nonsense, tshark shows as far as it is there.
	return if !@mine;
	my ($link) = $t->{'frame.protocols'} =~ /^(eth.*?):ip/;
	my $there = $t->{'frame.len'} - (defined $link ? 14 + 4 * (() = $link =~ /:vlan/g) : 0);
	for my $i (@theirs != @mine ? 1 .. $#theirs : ()) {
		my $room = $theirs[$i - 1]{bytes} < $there ? $theirs[$i - 1]{bytes} : $there;
		next if $theirs[$i]{bytes} + ($theirs[$i - 1]{way} =~ /:/ ? 40 : 20) <= $room;
		splice @theirs, $i;
		last;
	}
	# tshark opens every version of GRE; RFC 2784, section 2.4, knows 0, PPTP (RFC 2637) is 1.
	splice @theirs, @mine if @theirs > @mine && grep { $_ != 0 } list($t->{'gre.flags.version'});
	# A damaged control word: either way there may be a frame behind it, tagged or not.
	my $pseudowire = $t->{'frame.protocols'} =~ /:mpls:(?:pw)?eth/;
	if (@theirs != @mine || ($pseudowire && $theirs[0]{vlans} ne $mine[0]{vlans})) {
		push @{ $reading->{otherwise} }, "$t->{'frame.number'}: " . join(', ', map { "$_->{way} $_->{bytes} in '$_->{vlans}'" } @mine)
		  . "; tshark $t->{'frame.protocols'} " . join(', ', map { "$_->{way} $_->{bytes} in '$_->{vlans}'" } @theirs);
		return @mine;
	}
	for my $i (0 .. $#mine) {
		$theirs[$i]{vlans} = $mine[$i]{vlans} if @mine > 1 || $ours->{outcome} =~ m{/};
		next if $theirs[$i]{bytes} != 0;
		$theirs[$i]{bytes} = $mine[$i]{bytes};
		$reading->{zero}++;
	}
	return @theirs;
}

# Does the frame have a twin, by any of its layers, in the time that counts?
# The clock does not go back for frames out of order (worker_clock.c).
sub note_twin
{
	my ($reading, $t, @layers) = @_;
	my $time = $t->{'frame.time_epoch'};
	my $clock = \$reading->{clock};
	$$clock = $time if !defined $$clock || $time > $$clock || $time < $$clock - 10;
	my $id = join '|', map { last_of($t->{$_}) } qw(ip.id tcp.checksum udp.checksum);
	my $twin = 0;
	for (@layers) {
		my $seen = \$reading->{seen}{"$_->{way} $_->{bytes} $id"};
		if (defined $$seen && abs($$clock - $$seen) <= TWIN_S) {
			$reading->{twin_bytes}{ $_->{way} } += $_->{bytes};
			$twin = 1;
		}
		$$seen = $$clock;
		# The same way, in another VLAN: a copy, as it may be, that something changed.
		my $last = \$reading->{last}{ $_->{way} };
		for my $vlans (keys %{ $$last // {} }) {
			next if $vlans eq ($_->{vlans} // '') || abs($$clock - $$last->{$vlans}) > TWIN_S;
			$reading->{other_bytes}{ $_->{way} } += $_->{bytes};
			last;
		}
		$$last->{ $_->{vlans} // '' } = $$clock;
	}
	$reading->{twins} += $twin;
}

# What tshark prints of a capture, a line a frame; frame.number comes first.
sub tshark_lines
{
	my ($file, $told) = @_;
	open my $w, '-|', "tshark -n -o ip.defragment:FALSE -o ipv6.defragment:FALSE $told -T fields -E occurrence=a "
	  . join(' ', map { "-e $_" } @fields) . " -r '$file' 2>/dev/null" or die "tshark: $!\n";
	chomp(my @lines = <$w>);
	close $w;
	return \@lines;
}

# A capture as both read it. whole: what tshark said of a damaged one in a batch.
#   frames     [{layers => [{way => 'src dst', bytes, vlans}, …], copy, macs}], of IP only
#   count      frames that tshark read
#   otherwise  frames with other IP layers, as text
#   zero       lengths of 0; twins, twin_bytes {way}: frames that were there before
#   other_bytes {way}: frames after one of that way in another VLAN
sub read_capture
{
	my ($build, $file, $whole) = @_;
	my $dump = dump_of($build, $file);
	my $lines = $whole ? $whole->{lines} : tshark_lines($file, '');
	my %r = (frames => [], count => scalar @$lines, otherwise => [], zero => 0, twins => 0, twin_bytes => {});
	for my $line (@$lines) {
		my %t;
		@t{@fields} = map { $_ // '' } split /\t/, $line, -1;
		my $ours = $dump->{ $t{'frame.number'} } // next;
		my @layers = common_layers(\%r, \%t, $ours);
		note_twin(\%r, \%t, @layers);
		push @{ $r{frames} }, { layers => \@layers, copy => $ours->{copy}, macs => [map { list($t{$_}) } qw(eth.src eth.dst)] }
		  if $ours->{outcome} =~ m{^ip};
	}
	return \%r;
}

# The whole records of a pcap file as mutate writes it, up to the first whose
# header is nonsense or that is cut short. A frame is as long as what is kept
# of it, at least (as decode takes it).
sub whole_records
{
	my ($file) = @_;
	my $bytes = do { local (@ARGV, $/) = $file; <> };
	die "$file: no pcap of mutate\n" if length $bytes < 24 || unpack('V', $bytes) != 0xa1b2c3d4;
	my $snaplen = unpack 'V', substr $bytes, 16, 4;
	my %r = (head => substr($bytes, 0, 24), count => 0, records => '');
	my $at = 24;
	while ($at < length $bytes) {
		my ($s, $us, $kept, $length) = $at + 16 <= length $bytes ? unpack('V4', substr $bytes, $at, 16) : ();
		if (!defined $kept || $kept > $snaplen || $at + 16 + $kept > length $bytes) {
			$r{broken} = 1;
			last;
		}
		$r{records} .= pack('V4', $s, $us, $kept, $length > $kept ? $length : $kept) . substr $bytes, $at + 16, $kept;
		$at += 16 + $kept;
		$r{count}++;
	}
	return %r;
}

# tshark takes longer to start than to read a small capture: those of a kind,
# and told the same, in one go. Each gets its lines.
sub tshark_many
{
	my ($name, @captures) = @_;
	my %part;
	push @{ $part{"$_->{head} $_->{told}"} }, $_ for @captures;
	for my $kind (values %part) {
		open my $out, '>:raw', $name or die "$name: $!\n";
		print $out $kind->[0]{head}, map { $_->{records} } @$kind;
		close $out;
		my $lines = tshark_lines($name, $kind->[0]{told});
		my $first = 0;
		for my $capture (@$kind) {
			my @own = splice @$lines, 0, $capture->{count};
			s/^(\d+)/$1 - $first/e for @own;
			$capture->{lines} = \@own;
			$first += $capture->{count};
		}
	}
}

1;
