#!/usr/bin/perl
# decode.pl [--damaged] DUMP FILE... - does decode see in each frame what tshark sees?
# DUMP is the program decode_dump. Compared are, for every IP layer, addresses,
# protocol, length and ports, of untunnelled frames the VLAN tags, of TCP the
# payload (not with --damaged: there frames are shorter than their headers
# say). Prints each difference and the sums; exit 1 where they differ.
use strict;
use warnings;

my $damaged = @ARGV && $ARGV[0] eq '--damaged' ? shift : '';
my $dump = shift // die "usage: decode.pl [--damaged] DUMP FILE...\n";
my @fields = qw(frame.number ip.src ip.dst ip.len ip.proto ipv6.src ipv6.dst ipv6.plen vlan.id ieee8021ad.id
  tcp.srcport tcp.dstport tcp.len udp.srcport udp.dstport icmp.type icmpv6.type frame.protocols ip.frag_offset
  _ws.malformed ip.flags.mf ipv6.fraghdr.offset frame.cap_len frame.len);
my @tshark = ('tshark', '-n', '-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE',
	'-o', 'tcp.desegment_tcp_streams:FALSE', '-o', 'tcp.check_checksum:FALSE', '-o', 'ip.tso_support:TRUE',
	'-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,', map { ('-e', $_) } @fields);

my ($files, $frames, $layers, $bad) = (0, 0, 0, 0);

sub list { return split /,/, $_[0] // '' }

# decode keeps an IPv4-mapped address of an IPv6 header apart from the IPv4 one.
sub addresses6
{
	return map { /^::ffff:(\d+)\.(\d+)\.(\d+)\.(\d+)$/i
		? sprintf('::ffff:0:%x:%x', $1 << 8 | $2, $3 << 8 | $4) : $_ } list($_[0]);
}

# Is each of @$ours the same as the one at its place in @$theirs? Behind them
# may stand more: the packets that ICMP errors quote.
sub leads
{
	my ($ours, $theirs) = @_;
	return 0 if @$ours > @$theirs;
	for my $i (0 .. $#$ours) {
		return 0 if lc $ours->[$i] ne lc $theirs->[$i];
	}
	return 1;
}

sub compare
{
	my ($where, $ours, $t) = @_;
	my ($outcome, $vlans, $copy, $layers_text) = @$ours;
	my @layer = map { [split / /] } split /\|/, $layers_text // '';
	my @v4 = grep { $_->[0] !~ /:/ } @layer;
	my @v6 = grep { $_->[0] =~ /:/ } @layer;
	my @udp = grep { $_->[2] == 17 && ($_->[4] || $_->[5]) } @layer;
	my @tcp = grep { $_->[2] == 6 && ($_->[4] || $_->[5]) } @layer;
	my @complaint;
	my $check = sub {
		my ($name, $mine, $field) = @_;
		push @complaint, "$name: @$mine, tshark $t->{$field}" unless leads($mine, [addresses6($t->{$field})]);
	};

	$layers += @layer;
	$check->('source', [map { $_->[0] } @v4], 'ip.src');
	$check->('destination', [map { $_->[1] } @v4], 'ip.dst');
	$check->('length', [map { $_->[3] } @v4], 'ip.len');
	$check->('source', [map { $_->[0] } @v6], 'ipv6.src');
	$check->('destination', [map { $_->[1] } @v6], 'ipv6.dst');
	# Length 0 (segmentation offload) is taken from the frame.
	my @plen = list($t->{'ipv6.plen'});
	for my $i (0 .. $#v6) {
		my $want = ($plen[$i] // -1) == 0 ? $v6[$i][3] : ($plen[$i] // -1) + 40;
		push @complaint, "length: $v6[$i][3], tshark $want" if $v6[$i][3] != $want;
	}
	# With a length of 0 tshark sees no transport header.
	if ($t->{'_ws.malformed'} eq '' || !grep { $_ eq '0' } @plen) {
		$check->('UDP source', [map { $_->[4] } @udp], 'udp.srcport');
		$check->('UDP destination', [map { $_->[5] } @udp], 'udp.dstport');
		$check->('TCP source', [map { $_->[4] } @tcp], 'tcp.srcport');
		$check->('TCP destination', [map { $_->[5] } @tcp], 'tcp.dstport');
	}
	# By the headers; where the frame is shorter than they say tshark goes by the frame.
	$check->('TCP payload', [map { $_->[6] } @tcp], 'tcp.len')
	  if !$damaged && $t->{'tcp.len'} ne '' && $t->{'frame.len'} == $t->{'frame.cap_len'};
	if (@layer == 1 && (() = $t->{'frame.protocols'} =~ m{:ip(?:v6)?(?=:|$)}g) == 1) {
		my ($count, @id) = split /,/, $vlans;
		my @want = grep { $_ != 0 } (list($t->{'ieee8021ad.id'}), list($t->{'vlan.id'}));
		splice @want, 2 if @want > 2;
		push @complaint, "VLANs: $vlans, tshark @want" if "@id[0 .. $#want]" ne "@want";
	}
	# tshark sees IP where we see none. It shows what is there of a header that
	# was cut, and takes version 6 under the ethertype of IPv4.
	push @complaint, "$outcome, tshark $t->{'frame.protocols'}"
	  if !@layer && ($t->{'ip.src'} . $t->{'ipv6.src'}) ne '' && $outcome ne 'short'
	  && $t->{'_ws.malformed'} eq '' && $t->{'frame.protocols'} !~ /:ip:ipv6/;
	for (@complaint) {
		print "$where: $_\n" if $bad < 1000;
		$bad++;
	}
}

for my $file (@ARGV) {
	my %ours;
	open my $d, '-|', $dump, $file or die "$dump: $!\n";
	while (<$d>) {
		chomp;
		my ($number, @rest) = split /\t/;
		$ours{$number} = \@rest;
	}
	close $d;
	open my $w, '-|', @tshark, '-r', $file or die "tshark: $!\n";
	$files++;
	while (<$w>) {
		chomp;
		my @value = split /\t/, $_, -1;
		my %t;
		@t{@fields} = map { $_ // '' } @value[0 .. $#fields];
		next unless exists $ours{$t{'frame.number'}};   # libpcap stopped before
		$frames++;
		compare("$file frame $t{'frame.number'}", $ours{$t{'frame.number'}}, \%t);
	}
	close $w;
}
printf "decode and tshark: %d captures, %d frames, %d IP layers, %d differences\n", $files, $frames, $layers, $bad;
exit($bad ? 1 : 0);
