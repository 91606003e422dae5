#!/usr/bin/perl
# build-country.pl - make a MaxMind DB with the country of each address from
# the files of Debian's tor-geoipdb (data of the IPFire Location database,
# CC BY-SA 4.0). The same data gives the same bytes: the build date is that of
# the data.
#
#   build-country.pl [--v4 FILE] [--v6 FILE] --output FILE
#
# The output appears whole or not at all. Exit: 0 done, 1 failed.
use strict;
use warnings;
use Getopt::Long;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use Socket qw(inet_aton inet_ntoa);
use Time::Local qw(timegm);

my ($v4, $v6, $output) = ('/usr/share/tor/geoip', '/usr/share/tor/geoip6', undef);
GetOptions('v4=s' => \$v4, 'v6=s' => \$v6, 'output=s' => \$output) && defined $output && !@ARGV
	or fail("usage: build-country.pl [--v4 FILE] [--v6 FILE] --output FILE");

sub fail {
	print STDERR "garita geoip: $_[0]\n";
	exit 1;
}

for my $file ($v4, $v6) {
	-r $file or fail("$file: $!; it comes with the package tor-geoipdb (apt install tor-geoipdb)");
}
eval { require MaxMind::DB::Writer::Tree; 1 }
	or fail("Perl module MaxMind::DB::Writer is missing (apt install libmaxmind-db-writer-perl)");

# "# Generated: Thu, 25 Jun 2026 04:33:59 GMT" above the data, as a time.
sub generated {
	my ($line) = @_;
	my %month = (Jan => 0, Feb => 1, Mar => 2, Apr => 3, May => 4, Jun => 5,
		Jul => 6, Aug => 7, Sep => 8, Oct => 9, Nov => 10, Dec => 11);
	$line =~ /Generated:\s+\w+, (\d+) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/ && exists $month{$2}
		or return undef;
	return timegm($6, $5, $4, $1, $month{$2}, $3);
}

# What the list calls a region, a proxy or unknown is no country (ISO 3166-1
# keeps AA, QM to QZ, XA to XZ, ZZ for private use; EU and AP are regions).
sub is_country {
	return $_[0] =~ /^[A-Z]{2}$/ && $_[0] !~ /^(?:AA|AP|EU|Q[M-Z]|X[A-JL-Z]|ZZ)$/;
}

my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version => 6,
	record_size => 24,
	remove_reserved_networks => 0,   # they are in the data where they are, or not at all
	database_type => 'garita-Country',
	languages => ['en'],
	description => { en => 'Countries, from the IPFire Location database (CC BY-SA 4.0) as packaged in tor-geoipdb' },
	map_key_type_callback => sub { $_[0] eq 'country' ? 'map' : 'utf8_string' },
);

my ($built, %kept, %skipped) = (0);
for my $source ([$v4, 4], [$v6, 6]) {
	my ($file, $version) = @$source;
	open my $in, '<', $file or fail("$file: $!");
	($kept{$version}, $skipped{$version}) = (0, 0);
	while (my $line = <$in>) {
		if ($line =~ /^#/) {
			my $when = generated($line);
			$built = $when if defined $when && $when > $built;
			next;
		}
		chomp $line;
		next if $line eq '';
		my ($from, $to, $country) = split /,/, $line;
		defined $country or fail("$file:$.: not \"from,to,country\"");
		if (!is_country($country)) {
			$skipped{$version}++;
			next;
		}
		if ($version == 4) {
			$from =~ /^\d+$/ && $to =~ /^\d+$/ or fail("$file:$.: not a range of IPv4 addresses");
			($from, $to) = map { inet_ntoa(pack 'N', $_) } $from, $to;
		}
		eval { $tree->insert_range($from, $to, { country => { iso_code => $country } }); 1 }
			or fail("$file:$.: $@");
		$kept{$version}++;
	}
	close $in or fail("$file: $!");
	$kept{$version} > 0 or fail("$file: no range in it");
}
$built > 0 or fail("$v4: no line \"# Generated: <date>\" tells the date of the data");
$tree->_set_build_epoch($built);

my $dir = dirname($output);
-d $dir or eval { make_path($dir, { mode => 0755 }); 1 } or fail("$dir: cannot be made");
my $part = "$output.$$.new";
open my $out, '>:raw', $part or fail("$part: $!");
eval { $tree->write_tree($out); $out->flush && $out->sync or die "$!\n"; close $out or die "$!\n"; chmod 0644, $part; 1 }
	or do { my $why = $@; unlink $part; fail("$part: $why") };
rename $part, $output or do { my $why = $!; unlink $part; fail("$output: $why") };

my @t = gmtime $built;
printf "%s: %d IPv4 and %d IPv6 ranges (%d without a country left out), data of %04d-%02d-%02d\n",
	$output, $kept{4}, $kept{6}, $skipped{4} + $skipped{6}, $t[5] + 1900, $t[4] + 1, $t[3];
