#!/usr/bin/perl
# send.pl - datagrams that no everyday program sends.
#   send.pl icmp4|icmp6 ADDRESS SIZE COUNT     echo requests with SIZE bytes of payload
#   send.pl udp4|udp6   ADDRESS PORT SIZE COUNT  datagrams of SIZE bytes (fragments above the MTU)
#   send.pl tagged      ADDRESS PORT SIZE COUNT VLAN  the same over IPv4 with a tag of the sender's own, through eth0
use strict; use warnings; use Socket qw(:all);

sub checksum {
    my ($d) = @_; $d .= "\0" if length($d) % 2;
    my $s = 0; $s += $_ for unpack 'n*', $d;
    $s = ($s & 0xffff) + ($s >> 16) while $s >> 16;
    return ~$s & 0xffff;
}
sub payload { return pack 'C*', map { int rand 256 } 1 .. $_[0] }
sub pause { select undef, undef, undef, 0.02 }

my ($mode, $to, @arg) = @ARGV;
@arg or die "usage: send.pl icmp4|icmp6|udp4|udp6 ADDRESS …\n";
my $v6 = $mode =~ /6$/;
my $peer = sub { my $port = shift;
    $v6 ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $to)) : pack_sockaddr_in($port, inet_pton(AF_INET, $to)) };
my $family = $v6 ? AF_INET6 : AF_INET;

if ($mode =~ /^icmp/) {
    my ($size, $count) = @arg;
    socket my $s, $family, SOCK_RAW, $v6 ? 58 : 1 or die "socket: $!";
    for my $seq (1 .. $count) {
        my $body = payload($size);
        my $p = pack 'CCnnn', $v6 ? 128 : 8, 0, 0, $$ & 0xffff, $seq;
        substr($p, 2, 2) = pack 'n', checksum($p . $body) if !$v6;   # v6: the kernel fills it in
        send $s, $p . $body, 0, $peer->(0) or die "send: $!";
        pause();
    }
} elsif ($mode eq 'tagged') {
    my ($port, $size, $count, $vlan) = @arg;
    my ($gateway) = `ip route show default` =~ /via (\S+)/;
    my ($router) = `ip neigh show $gateway` =~ /lladdr (\S+)/ or die "the router was not asked yet";
    my ($own) = `ip -4 -o addr show dev eth0` =~ m{inet ([0-9.]+)/};
    my $mac = do { open my $f, '<', '/sys/class/net/eth0/address' or die; <$f> };
    my $index = do { open my $f, '<', '/sys/class/net/eth0/ifindex' or die; <$f> };
    my @hex = map { my $h = $_; $h =~ s/[^0-9a-f]//g; pack 'H12', $h } $router, $mac;
    socket my $s, 17, SOCK_RAW, unpack 'n', pack 'S', 3 or die "socket: $!";     # AF_PACKET, ETH_P_ALL
    for my $id (1 .. $count) {
        my $udp = pack('nnnn', 40000 + $id, $port, 8 + $size, 0) . payload($size);
        my $ip = pack 'CCnnnCCna4a4', 0x45, 0, 20 + length $udp, $id, 0, 64, 17, 0, inet_aton($own), inet_aton($to);
        substr($ip, 10, 2) = pack 'n', checksum($ip);
        send $s, $hex[0] . $hex[1] . pack('nnn', 0x8100, $vlan, 0x0800) . $ip . $udp, 0,
            pack('SnlSCCa8', 17, 0x8100, $index, 0, 0, 6, $hex[0]) or die "send: $!";
        pause();
    }
} else {
    my ($port, $size, $count) = @arg;
    socket my $s, $family, SOCK_DGRAM, 17 or die "socket: $!";
    for (1 .. $count) { send $s, payload($size), 0, $peer->($port) or die "send: $!"; pause() }
}
