#!/usr/bin/perl
# variants.pl MODE IN.pcap OUT.pcap - rewrite a little-endian microsecond pcap of
# Ethernet frames: wrap each frame as a remote span session or another link layer
# would, or disturb the order of packets. make-variants.sh runs it. The same input
# gives the same output.
use strict; use warnings;

my ($mode, $in, $out) = @ARGV;
defined $out or die "usage: variants.pl MODE IN OUT\n";

# ---- pcap -------------------------------------------------------------------
open my $fh, '<:raw', $in or die "$in: $!";
read($fh, my $head, 24); my ($magic) = unpack 'V', $head;
$magic == 0xa1b2c3d4 && unpack('x20 V', $head) == 1 or die "$in: not a microsecond Ethernet pcap\n";
my @p;                     # [seconds, microseconds, frame, length on the wire]
while (read($fh, my $h, 16) == 16) {
    my ($s, $us, $caplen, $len) = unpack 'V4', $h;
    read($fh, my $d, $caplen);
    push @p, [$s, $us, $d, $len];
}

sub write_pcap {
    my ($linktype, %o) = @_;
    my $N = $o{big_endian} ? 'N' : 'V'; my $n = $o{big_endian} ? 'n' : 'v';
    open my $w, '>:raw', $out or die "$out: $!";
    print $w pack("${N}${n}${n}${N}4", $o{nano} ? 0xa1b23c4d : 0xa1b2c3d4, 2, 4, 0, 0, 262144, $linktype);
    for (@p) {
        my ($s, $us, $d, $len) = @$_;
        $len = length $d if !defined $len;
        print $w pack("${N}4", $s, $o{nano} ? $us * 1000 + ($us * 7 + 13) % 1000 : $us, length $d, $len), $d;
    }
    close $w or die "$out: $!";
}

# ---- pieces -----------------------------------------------------------------
sub checksum {
    my ($d) = @_; $d .= "\0" if length($d) % 2;
    my $s = 0; $s += $_ for unpack 'n*', $d;
    $s = ($s & 0xffff) + ($s >> 16) while $s >> 16;
    return ~$s & 0xffff;
}
sub ip4 {                  # an outer header, from one switch to the sensor
    my ($proto, $payload, $id) = @_;
    my $h = pack 'CCnnnCCn a4 a4', 0x45, 0, 20 + length $payload, $id & 0xffff, 0x4000, 64, $proto, 0,
        pack('C4', 192, 0, 2, 193), pack('C4', 192, 0, 2, 194);
    substr($h, 10, 2) = pack 'n', checksum($h);
    return $h . $payload;
}
sub udp { my ($sport, $dport, $d) = @_; return pack('n4', $sport, $dport, 8 + length $d, 0) . $d }
my $outer_mac = pack 'H*', '00005e0053c200005e0053c1';
sub ether { my ($type, $payload) = @_; return $outer_mac . pack('n', $type) . $payload }

# A frame of the lab: addresses, tag, type, rest.
sub split_frame {
    my ($f) = @_;
    my ($macs, $tpid, $tci, $type) = unpack 'a12 n n n', $f;
    $tpid == 0x8100 or die "a frame without its tag\n";
    return ($macs, $tci, $type, substr $f, 18);
}
# What a layer-2 payload of this kind cannot carry (ARP in PPP or raw IP) is left out.
sub only_ip { @p = grep { my $t = unpack 'x16 n', $_->[2]; $t == 0x0800 || $t == 0x86dd } @p }

# ---- wrapping ---------------------------------------------------------------
my $seq = 0;
my %each = (               # frame → frame, on Ethernet
    untagged => sub { my ($m, undef, $t, $d) = split_frame($_[0]); $m . pack('n', $t) . $d },
    # A switch that tags one direction only: what the router sends lost its tag.
    'one-tag' => sub { my ($m, undef, $t, $d) = split_frame($_[0]);
        substr($m, 6, 5) eq "\0\0\x5e\0\x53" ? $m . pack('n', $t) . $d : $_[0] },
    qinq => sub { my ($m, $tci, $t, $d) = split_frame($_[0]); $m . pack('n5', 0x88a8, 500, 0x8100, $tci, $t) . $d },
    'qinq-9100' => sub { my ($m, $tci, $t, $d) = split_frame($_[0]); $m . pack('n5', 0x9100, 500, 0x8100, $tci, $t) . $d },
    mpls => sub { my ($m, $tci, $t, $d) = split_frame($_[0]);
        $m . pack('n3', 0x8100, $tci, 0x8847) . pack('NN', 17 << 12 | 64, 299 << 12 | 1 << 8 | 64) . $d },
    'mpls-pseudowire' => sub { ether(0x8847, pack('NN', 17 << 12 | 64, 299 << 12 | 1 << 8 | 64) . pack('N', $seq & 0xffff) . $_[0]) },
    pppoe => sub { my ($m, $tci, $t, $d) = split_frame($_[0]);
        $m . pack('n3', 0x8100, $tci, 0x8864) . pack('CCnnn', 0x11, 0, 0x0042, 2 + length $d, $t == 0x0800 ? 0x0021 : 0x0057) . $d },
    # IPv4 with options: router alert, and padding.
    'ip4-options' => sub { my ($m, $tci, $t, $d) = split_frame($_[0]);
        if ($t == 0x0800) {
            my $h = pack('C', 0x47) . substr($d, 1, 1) . pack('n', 8 + unpack 'x2 n', $d) . substr($d, 4, 6) . "\0\0" . substr($d, 12, 8)
                . pack('CCn N', 0x94, 4, 0, 0x01010100);
            substr($h, 10, 2) = pack 'n', checksum($h);
            $d = $h . substr $d, 20;
        }
        $m . pack('n3', 0x8100, $tci, $t) . $d },
    # IPv6 with hop-by-hop options, destination options and an atomic fragment header.
    'ip6-extensions' => sub { my ($m, $tci, $t, $d) = split_frame($_[0]);
        if ($t == 0x86dd && ord(substr $d, 6, 1) == 6) {
            my $x = pack('CC a6', 60, 0, pack 'CCCCCC', 1, 4, 0, 0, 0, 0) . pack('CC a6', 44, 0, pack 'CCCCCC', 1, 4, 0, 0, 0, 0)
                . pack('CCnN', 6, 0, 0, 0x1000 + $seq);
            $d = substr($d, 0, 4) . pack('nC', length($x) + unpack('x4 n', $d), 0) . substr($d, 7, 33) . $x . substr $d, 40;
        }
        $m . pack('n3', 0x8100, $tci, $t) . $d },
    'gre-teb' => sub { ether(0x0800, ip4(47, pack('nn', 0, 0x6558) . $_[0], $seq)) },
    'gre-key' => sub { my $p = pack('nnnnNN', 0xb000, 0x6558, 0, 0, 0x1234, $seq) . $_[0];   # checksum, key and sequence
        substr($p, 4, 2) = pack 'n', checksum($p); ether(0x0800, ip4(47, $p, $seq)) },
    erspan1 => sub { ether(0x0800, ip4(47, pack('nn', 0, 0x88be) . $_[0], $seq)) },
    erspan2 => sub { ether(0x0800, ip4(47, pack('nnN', 0x1000, 0x88be, $seq)
        . pack('nnN', 1 << 12 | 120, 3 << 11 | 7, 0x00042) . $_[0], $seq)) },
    # Version 3; every second frame with the platform subheader (O bit).
    erspan3 => sub { my $o = $seq & 1;
        ether(0x0800, ip4(47, pack('nnN', 0x1000, 0x22eb, $seq)
            . pack('nnNnn', 2 << 12 | 120, 7, $seq * 100, 0, 0x8000 | $o) . ($o ? pack('NN', 3 << 26, $seq) : '') . $_[0], $seq)) },
    vxlan => sub { ether(0x0800, ip4(17, udp(49152 + $seq % 16, 4789, pack('NN', 0x08000000, 4242 << 8) . $_[0]), $seq)) },
    geneve => sub { ether(0x0800, ip4(17, udp(49152 + $seq % 16, 6081,
        pack('CCnN', 2, 0, 0x6558, 4242 << 8) . pack('nCCN', 0x0102, 1, 1, $seq) . $_[0]), $seq)) },
);
my %link = (               # frame → packet of another link type
    sll => [113, sub { my ($m, undef, $t, $d) = split_frame($_[0]); pack('nnn a6 x2 n', 0, 1, 6, substr($m, 6, 6), $t) . $d }],
    # Cooked version 1 with the tag still on: what `-i any` gives where the driver leaves it.
    'sll-tagged' => [113, sub { my ($m, $tci, $t, $d) = split_frame($_[0]); pack('nnn a6 x2 nnn', 0, 1, 6, substr($m, 6, 6), 0x8100, $tci, $t) . $d }],
    sll2 => [276, sub { my ($m, undef, $t, $d) = split_frame($_[0]); pack('nnNnCC a6 x2', $t, 0, 3, 1, 0, 6, substr($m, 6, 6)) . $d }],
    raw => [101, sub { (split_frame($_[0]))[3] }],
    null => [0, sub { my (undef, undef, $t, $d) = split_frame($_[0]); pack('V', $t == 0x0800 ? 2 : 30) . $d }],
    loop => [108, sub { my (undef, undef, $t, $d) = split_frame($_[0]); pack('N', $t == 0x0800 ? 2 : 24) . $d }],
);
my %whole = (              # the list of packets
    reversed => sub {      # the fragments of each datagram in reverse order, at the times of the originals
        my (@o, @g); my $last = '';
        my $flush = sub { my @t = map { [@$_[0, 1]] } @g; my @r = reverse @g;
            push @o, map { [@{ $t[$_] }, @{ $r[$_] }[2, 3]] } 0 .. $#g; @g = () };
        for (@p) {
            my $type = unpack 'x16 n', $_->[2];
            my $id = $type == 0x0800 ? unpack('x22 n', $_->[2])
                : $type == 0x86dd && ord(substr $_->[2], 24, 1) == 44 ? unpack('x62 N', $_->[2]) : '';
            $flush->() if $id eq '' || $id ne $last;
            push @g, $_; $last = $id;
        }
        $flush->(); @p = @o;
    },
    'first-lost' => sub {  # fragments with offset 0 never arrived
        @p = grep { my $type = unpack 'x16 n', $_->[2]; !(
            $type == 0x0800 && (unpack('x24 n', $_->[2]) & 0x3fff) == 0x2000
            || $type == 0x86dd && ord(substr $_->[2], 24, 1) == 44 && (unpack('x60 n', $_->[2]) & 0xfff9) == 1) } @p;
    },
    retransmitted => sub { # every second full segment once more, 200 ms later, as TCP does it: new IP identification
        my (@o, $n); my $id = 0xf000;
        for (@p) {
            push @o, $_; my ($s, $us, $d, $len) = @$_;
            next if unpack('x16 n', $d) != 0x0800 || length $d < 1500 || ++$n % 2;
            substr($d, 18 + 4, 2) = pack 'n', $id++;
            substr($d, 18 + 10, 2) = "\0\0"; substr($d, 18 + 10, 2) = pack 'n', checksum(substr $d, 18, 20);
            $us += 200000; if ($us >= 1000000) { $us -= 1000000; $s++ }
            push @o, [$s, $us, $d, $len];
        }
        @p = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @o;
    },
    # Segments that follow each other, merged as the GRO of a capture port does it.
    gro => sub {
        my @o;
        for (@p) {
            my ($s, $us, $d) = @$_;
            if (@o && unpack('x16 n', $d) == 0x0800 && unpack('x27 C', $d) == 6) {
                my $q = $o[-1][2];
                my $hl = 18 + 20 + (unpack('x50 C', $d) >> 4) * 4;
                my $same = length $q >= $hl && unpack('x16 n', $q) == 0x0800
                    && substr($q, 30, 12) eq substr($d, 30, 12) && unpack('x50 C', $q) >> 4 == unpack('x50 C', $d) >> 4;
                my $next = $same ? unpack('x42 N', $q) + length($q) - $hl : -1;
                if ($same && length $q > $hl && length $d > $hl && $next == unpack('x42 N', $d)
                    && !((unpack('x51 C', $q) | unpack('x51 C', $d)) & 7) && length($q) + length($d) < 60000) {
                    $q .= substr $d, $hl;
                    substr($q, 20, 2) = pack 'n', length($q) - 18;
                    substr($q, 28, 2) = "\0\0"; substr($q, 28, 2) = pack 'n', checksum(substr $q, 18, 20);
                    substr($q, 54, 2) = "\0\0";
                    substr($q, 54, 2) = pack 'n', checksum(substr($q, 30, 8) . pack('nn', 6, length($q) - 38) . substr $q, 38);
                    $o[-1] = [$o[-1][0], $o[-1][1], $q];
                    next;
                }
            }
            push @o, [$s, $us, $d];
        }
        @p = @o;
    },
    nanosecond => sub {}, 'big-endian' => sub {}, 'nanosecond-big-endian' => sub {},
);

# ---- do it ------------------------------------------------------------------
if ($whole{$mode}) {
    $whole{$mode}->();
    write_pcap(1, nano => scalar($mode =~ /^nano/), big_endian => scalar($mode =~ /big/));
} elsif ($link{$mode}) {
    my ($type, $f) = @{ $link{$mode} };
    only_ip() if $mode !~ /^sll/;
    @$_[2, 3] = ($f->($_->[2]), undef) for @p;
    write_pcap($type);
} elsif ($each{$mode}) {
    only_ip() if $mode eq 'pppoe' || $mode eq 'mpls';
    for (@p) { @$_[2, 3] = ($each{$mode}->($_->[2]), undef); $seq++ }
    write_pcap(1);
} else { die "no mode '$mode'\n" }
