#!/usr/bin/perl
# send.pl - datagrams that no everyday program sends.
#   send.pl icmp4|icmp6 ADDRESS SIZE COUNT     echo requests with SIZE bytes of payload
#   send.pl udp4|udp6   ADDRESS PORT SIZE COUNT  datagrams of SIZE bytes (fragments above the MTU)
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
} else {
    my ($port, $size, $count) = @arg;
    socket my $s, $family, SOCK_DGRAM, 17 or die "socket: $!";
    for (1 .. $count) { send $s, payload($size), 0, $peer->($port) or die "send: $!"; pause() }
}
