#!/usr/bin/perl
# stretch.pl FACTOR < capture.pcap > stretched.pcap - the same frames on another
# time scale: pauses longer than PAUSE (0.1 s) are multiplied, bursts stay as they were.
use strict;
use warnings;

my ($factor, $pause) = (shift // 1, 100_000);
binmode STDIN; binmode STDOUT;
read(STDIN, my $head, 24) == 24 or die "stretch: no pcap header\n";
my %order = ("\xd4\xc3\xb2\xa1" => 'V', "\xa1\xb2\xc3\xd4" => 'N');
my $u32 = $order{substr $head, 0, 4} or die "stretch: not a pcap file with microseconds\n";
print $head;
my ($last, $now);
while (read(STDIN, my $h, 16) == 16) {
	my ($s, $us, $caplen, $len) = unpack("${u32}4", $h);
	read(STDIN, my $frame, $caplen) == $caplen or last;
	my $at = $s * 1_000_000 + $us;
	if (!defined $last) {
		$now = $at;
	} else {
		my $gap = $at - $last;
		$now += $gap > $pause ? $gap * $factor : $gap;
	}
	$last = $at;
	print pack("${u32}4", int($now / 1_000_000), $now % 1_000_000, $caplen, $len), $frame;
}
