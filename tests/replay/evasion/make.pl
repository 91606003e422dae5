#!/usr/bin/perl
# make.pl OUT.pcap - the capture of this case. The same each time.
use strict; use warnings;
my $out = shift or die "usage: make.pl OUT\n";
my ($us, $id, @p) = (0, 1);
my $start = 1790000000;
my %mac = (nii7 => 'c09bf4b00007', nii8 => '70b3d5cc9008', gw => '00005e005301', all => 'ffffffffffff', odd => '020000000099');

sub v4 { join '', map { chr } split /\./, $_[0] }
sub v6 {
    my ($h, $t) = split /::/, $_[0], 2;
    my @h = map { hex } split /:/, $h // ''; my @t;
    for (split /:/, $t // '') { if (/\./) { push @t, unpack 'nn', v4($_) } else { push @t, hex } }
    return pack 'n8', @h, (0) x (8 - @h - @t), @t;
}
sub ip4 { my ($src, $dst, $proto, $d, %o) = @_;
    pack('CCnnnCCn', 0x45, 0, 20 + length $d, $o{id} // $id++, $o{frag} // 0, $o{ttl} // 64, $proto, 0) . v4($src) . v4($dst) . $d }
sub ip6 { my ($src, $dst, $next, $d, %o) = @_; pack('NnCC', 0x60000000, length $d, $next, $o{ttl} // 64) . v6($src) . v6($dst) . $d }
sub udp { my ($s, $t, $d, %o) = @_; pack('n4', $s, $t, $o{length} // 8 + length $d, 0) . $d }
sub tcp { my ($s, $t, $seq, $flags, $d) = @_; pack('nnNNCCnnn', $s, $t, $seq, 1, 0x50, $flags, 65535, 0, 0) . $d }
sub fill { my ($n, $x) = @_; chr(ord('a') + ($x // 0)) x $n }
sub put {   # frame of src MAC to dst MAC, the tags, and an IP packet
    my ($src, $dst, $tags, $ip) = @_;
    my $type = ord($ip) >> 4 == 4 ? 0x0800 : 0x86dd;
    my $f = pack('H12 H12', $mac{$dst}, $mac{$src}) . join('', map { pack 'nn', 0x8100, $_ } @$tags) . pack('n', $type) . $ip;
    $us += 40000;
    push @p, [$us, $f];
}
sub near { $us -= 39990; put(@_) }   # 10 µs after the last
my @t = (120);
my $s = '192.0.2.10'; my $s6 = '2001:db8:120::10';

# ---- what a sender might try ----
# IPv6 to IPv4-mapped addresses: a router sends them where it likes
for my $d ('::ffff:224.0.0.5', '::ffff:255.255.255.255', '::ffff:192.0.2.20', '::ffff:198.51.100.20', '::ffff:169.254.1.1') {
    put('nii7', 'gw', \@t, ip6($s6, $d, 17, udp(4001, 5001, fill(1000, $_)))) for 1 .. 3;
}
# broadcast MAC, an address of another network; the other way round
put('nii7', 'all', \@t, ip4($s, '192.0.2.70', 17, udp(4004, 5004, fill(1000, $_)))) for 1 .. 3;
put('gw', 'all', \@t, ip4('198.51.100.5', $s, 17, udp(4005, 5005, fill(1000, $_)))) for 1 .. 3;
# neighbour solicitations to another network
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:130::70', 58, pack('CCnN', 135, 0, 0, 0) . fill(1000, $_), ttl => 255)) for 1 .. 3;
# first to a neighbour, then out: from an address nobody configured
put('nii7', 'nii8', \@t, ip4('203.0.113.77', '198.51.100.7', 17, udp(4007, 5007, fill(10))));
put('nii7', 'gw', \@t, ip4('203.0.113.77', '198.51.100.7', 17, udp(4007, 5007, fill(1000, $_)))) for 1 .. 3;
# a link-local address of IPv4 that is routed
put('nii7', 'gw', \@t, ip4($s, '169.254.9.9', 17, udp(4009, 5009, fill(1000, $_)))) for 1 .. 3;
# three and four tags
put('nii7', 'gw', [120, 5, 6], ip4($s, '198.51.100.8', 17, udp(4008, 5008, fill(1000, $_)))) for 1 .. 3;
put('nii7', 'gw', [7, 120, 5, 6], ip4($s, '198.51.100.8', 17, udp(4008, 5008, fill(1000, $_)))) for 1 .. 3;
# no tag, a known MAC, an address nobody configured
put('nii7', 'gw', [], ip4('203.0.113.78', '198.51.100.11', 17, udp(4011, 5011, fill(1000, $_)))) for 1 .. 3;
# ESP: equal beginnings, other contents
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::12', 50, pack('NN', 1, 1) . fill(64) . fill(1000, 0)));
near('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::12', 50, pack('NN', 1, 1) . fill(64) . fill(1000, $_))) for 1 .. 20;
# fragments
my $big = udp(4013, 5013, fill(2400));
put('nii7', 'gw', \@t, ip4($s, '198.51.100.13', 17, substr($big, 8 * $_, 8), id => 700, frag => $_ | ($_ < 300 ? 0x2000 : 0))) for reverse 0 .. 300;
put('nii7', 'gw', \@t, ip4($s, '198.51.100.14', 17, substr($big, 800 * $_, 800), id => 800 + $_, frag => 100 * $_ | 0x2000)) for 0 .. 2;
put('nii7', 'gw', \@t, ip4($s, '198.51.100.15', 6, substr(tcp(4015, 5015, 1, 16, fill(2000)), 8 * $_, $_ ? 1200 : 8), id => 900, frag => $_ | ($_ ? 0 : 0x2000))) for 0, 1;
# overlapping first fragments with other ports
put('nii7', 'gw', \@t, ip4($s, '198.51.100.16', 17, udp(1, 443, fill(800)), id => 901, frag => 0x2000));
put('nii7', 'gw', \@t, ip4($s, '198.51.100.16', 17, udp(1, 5016, fill(800, 3)), id => 901, frag => 0x2000));
put('nii7', 'gw', \@t, ip4($s, '198.51.100.16', 17, fill(800, 3), id => 901, frag => 101));
# extension headers
my $ext = sub { my ($next, $n) = @_; pack('CC', $next, $n) . "\1\4\0\0\0\0" . "\0" x (8 * $n) };
my $u = udp(4017, 5017, fill(1000));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::17', 0, $ext->(60, 0) . $ext->(60, 5) . $ext->(17, 0) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::18', 60, ($ext->(60, 0) x 20) . $ext->(17, 0) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::19', 51, pack('CCnNN', 17, 1, 0, 1, 1) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::20', 44, pack('CCnN', 17, 0, 0, 7) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::21', 44, pack('CCnN', 44, 0, 1, 7) . pack('CCnN', 17, 0, 8, 7) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::22', 60, pack('CC', 17, 255) . $u));
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::23', 59, $u));
# TCP: data in SYN, in RST, again and again with other contents, far away, urgent
my @tcp = (['198.51.100.24', 100, 2], ['198.51.100.24', 100, 2], ['198.51.100.25', 100, 4], ['198.51.100.25', 100, 4],
    (map { ['198.51.100.26', 100, 16] } 1 .. 5), (map { ['198.51.100.27', 100 + $_ * 0x10000000, 16] } 1 .. 5), (map { ['198.51.100.28', 100 + $_, 0x38] } 1 .. 5));
put('nii7', 'gw', \@t, ip4($s, $tcp[$_][0], 6, tcp(4024, 443, $tcp[$_][1], $tcp[$_][2], fill(1000, $_)))) for 0 .. $#tcp;
# UDP says less than IP
put('nii7', 'gw', \@t, ip4($s, '198.51.100.29', 17, udp(4029, 5029, fill(1000), length => $_))) for 0, 7, 8, 9, 65535;
# other protocols
my @proto = (0, 1, 4, 6, 17, 33, 41, 47, 50, 51, 58, 59, 115, 132, 136, 255);
put('nii7', 'gw', \@t, ip4($s, '198.51.100.30', $_, fill(100))) for @proto;
put('nii7', 'gw', \@t, ip6($s6, '2001:db8:f000::30', $_, fill(100))) for @proto;
# VXLAN, GRE, IP in IP whose inside looks harmless; outer source made up
my $inner = ip4('192.0.2.20', '192.0.2.21', 17, udp(1, 2, fill(900)));
my $ine = pack('H12H12n', $mac{nii7}, $mac{nii8}, 0x0800) . $inner;
for my $src ($s, '203.0.113.79') {
    put('nii7', 'gw', \@t, ip4($src, '198.51.100.31', 17, udp(4031, 4789, pack('NN', 0x08000000, 0x100) . $ine)));
    put('nii7', 'gw', \@t, ip4($src, '198.51.100.31', 47, pack('nn', 0, 0x0800) . $inner));
    put('nii7', 'gw', \@t, ip4($src, '198.51.100.31', 47, pack('nnNNN', 0x1000, 0x88be, 1, 0x10000000, 0) . $ine));
    put('nii7', 'gw', \@t, ip4($src, '198.51.100.31', 4, $inner));
}
# a group that routers forward, DHCP and IGMP to somewhere else
put('nii7', 'gw', \@t, ip4($s, '239.1.1.1', 17, udp(4032, 5032, fill(1000)), ttl => 8));
put('nii7', 'gw', \@t, ip4($s, '198.51.100.33', 17, udp(68, 67, fill(1000))));
put('nii7', 'gw', \@t, ip4($s, '198.51.100.34', 2, fill(1000), ttl => 1));
# header and total length
put('nii7', 'gw', \@t, do { my $x = ip4($s, '198.51.100.35', 17, udp(4035, 5035, fill(1000))); substr($x, 2, 2) = pack 'n', $_; $x }) for 0, 20, 28, 60, 9000;
put('nii7', 'gw', \@t, do { my $x = ip4($s, '198.51.100.36', 17, udp(4036, 5036, fill(1000))); substr($x, 0, 1) = chr(0x40 | $_); $x }) for 0, 4, 5, 6, 15;
put('nii7', 'gw', [0], ip4($s, '198.51.100.37', 17, udp(4037, 5037, fill(1000))));
put('nii7', 'gw', [0, 120], ip4($s, '198.51.100.37', 17, udp(4037, 5037, fill(1000, 1))));
put('nii7', 'gw', [130], ip4($s, '198.51.100.38', 17, udp(4038, 5038, fill(1000))));
put('odd', 'gw', \@t, ip4('203.0.113.80', '198.51.100.39', 17, udp(4039, 5039, fill(1000))));
# own MAC as the destination
put('nii7', 'nii7', \@t, ip4('203.0.113.80', '198.51.100.40', 17, udp(4040, 5040, fill(1000, $_)))) for 1 .. 3;
# first as if it came from the router: it must not count as received from then on
put('odd', 'nii7', \@t, ip4('203.0.113.81', '198.51.100.41', 17, udp(4041, 5041, fill(10))));
put('nii7', 'gw', \@t, ip4('203.0.113.81', '198.51.100.41', 17, udp(4041, 5041, fill(1000, $_)))) for 1 .. 3;
# more tags than are kept: the bytes after them are no tags
put('nii7', 'gw', [7, 8, 9, 10], ip4($s, '198.51.100.42', 17, udp(4042, 5042, fill(92))));

open my $w, '>:raw', $out or die "$out: $!";
print $w pack('VvvV4', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1);
print $w pack('V4', $start + int($_->[0] / 1e6), $_->[0] % 1000000, length $_->[1], length $_->[1]), $_->[1] for @p;
close $w or die "$out: $!";
