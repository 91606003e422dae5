#!/usr/bin/perl
# tunnel.pl - one end of an IP tunnel, through TUN and a raw socket, for kernels
# that have no gre, ipip or sit device.
#   tunnel.pl gre|ipip|6in4 DEVICE LOCAL REMOTE
# The addresses of DEVICE are the caller's business. Runs until ended.
use strict; use warnings; use Socket qw(:all);

my ($kind, $dev, $local, $remote) = @ARGV;
my %proto = (gre => 47, ipip => 4, '6in4' => 41);
defined $remote && $proto{$kind} or die "usage: tunnel.pl gre|ipip|6in4 DEVICE LOCAL REMOTE\n";

open my $tun, '+<', '/dev/net/tun' or die "/dev/net/tun: $!";
binmode $tun;
my $ifr = pack 'a16 S x22', $dev, 0x1001;             # IFF_TUN | IFF_NO_PI
ioctl $tun, 0x400454ca, $ifr or die "TUNSETIFF: $!";
socket my $raw, AF_INET, SOCK_RAW, $proto{$kind} or die "socket: $!";
bind $raw, pack_sockaddr_in(0, inet_aton($local)) or die "bind $local: $!";
my $peer = pack_sockaddr_in(0, inet_aton($remote));
$SIG{TERM} = sub { exit 0 };

while (1) {
    my $r = ''; vec($r, fileno $tun, 1) = 1; vec($r, fileno $raw, 1) = 1;
    select($r, undef, undef, undef) > 0 or next;
    if (vec $r, fileno $tun, 1) {
        sysread $tun, my $p, 65535 or next;
        my $type = (ord($p) >> 4) == 6 ? 0x86dd : 0x0800;
        $p = pack('nn', 0, $type) . $p if $kind eq 'gre';
        send $raw, $p, 0, $peer;                       # a full queue loses a packet, as a link does
    }
    if (vec $r, fileno $raw, 1) {
        my $from = recv($raw, my $p, 65535, 0) or next;
        (unpack_sockaddr_in($from))[1] eq inet_aton($remote) or next;
        substr($p, 0, (ord($p) & 15) * 4, '');         # the outer header
        substr($p, 0, 4, '') if $kind eq 'gre';
        syswrite $tun, $p;
    }
}
