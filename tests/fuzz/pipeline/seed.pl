#!/usr/bin/perl
# seed.pl CAPTURE [MAX_BYTES] > INPUT - the beginning of a pcap file as an input
# of the pipeline target (play.h).
use strict;
use warnings;
my ($path, $max) = @ARGV;
$max //= 8192;
open my $in, '<:raw', $path or die "$path: $!\n";
my $file = do { local $/; <$in> };
my $magic = unpack 'V', $file;
my $big = $magic == 0xd4c3b2a1 || $magic == 0x4d3cb2a1;
die "$path: no pcap file\n" unless $big || $magic == 0xa1b2c3d4 || $magic == 0xa1b23c4d;
my $word = $big ? 'N' : 'V';
my $nano = $magic == 0xa1b23c4d || $magic == 0x4d3cb2a1;
my %code = (1 => 0, 101 => 1, 12 => 1, 113 => 2, 276 => 3, 0 => 4, 108 => 5);
my $link = unpack($word, substr $file, 20) & 0xffff;
my $out = pack 'CC', 0, $code{$link} // die "$path: link type $link\n";
my $last;
for (my $at = 24; $at + 16 <= length $file;) {
	my ($s, $f, $n, $wire) = unpack "${word}4", substr $file, $at, 16;
	last if $at + 16 + $n > length $file || length($out) + 4 + $n > $max;
	my $us = $s * 1e6 + ($nano ? $f / 1000 : $f);
	my $step = defined $last ? $us - $last : 1;
	my $e = 0;
	$e++ while $e < 31 && 2**($e + 1) <= abs $step;
	$out .= pack('vCC', $n, $e | ($step < 0 ? 0x80 : 0), $wire > $n ? 2 : 0) . substr $file, $at + 16, $n;
	$last = $us;
	$at += 16 + $n;
}
binmode STDOUT;
print $out;
