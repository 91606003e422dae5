#!/usr/bin/perl
# make-geo.pl [DIR] - small geolocation databases that place the documentation
# ranges, for the recordings of tests/replay. Everything in them is fiction: the
# networks are reserved for documentation, the numbers are of RFC 5398.
#   GeoLite2-City.mmdb  country.iso_code, city.names     (the schema of MaxMind's)
#   GeoLite2-ASN.mmdb   autonomous_system_number, …_organization
#   flat-country.mmdb   country_code                     (the schema of others)
# The same input gives the same bytes: the build time is fixed, keys are sorted.
# Needs libmaxmind-db-writer-perl.
use strict; use warnings; use utf8;
use MaxMind::DB::Writer::Tree;

my $dir = $ARGV[0] // '.';
my $built = 1767225600;    # 2026-01-01T00:00:00Z

#    network               country  its name         city                latitude longitude  asn    organisation
my @place = (
    ['198.51.100.0/25',    'MX', 'Mexico',        'Ciudad de México',  19.4,  -99.1, 64496, 'Red Nacional de Ejemplo'],
    ['198.51.100.128/25',  'US', 'United States', 'Columbus',          40.0,  -83.0, 64497, 'Example Object Storage Inc'],
    ['203.0.113.0/26',     'CN', 'China',         'Beijing',           39.9,  116.4, 64498, 'Example Remote Services Co'],
    ['203.0.113.64/26',    'NL', 'Netherlands',   'Rotterdam',         51.9,    4.5, 64499, 'Example Hosting BV'],
    ['203.0.113.128/25',   'BR', 'Brazil',        'Santos',           -23.9,  -46.3, 64500, 'Provedor de Exemplo Ltda'],
    ['2001:db8:f000::/40', 'MX', 'Mexico',        'Veracruz',          19.2,  -96.1, 64496, 'Red Nacional de Ejemplo'],
    ['2001:db8:f100::/40', 'DE', 'Germany',       'Hamburg',           53.5,   10.0, 64501, 'Beispiel Netz GmbH'],
    ['2001:db8:f200::/40', 'US', 'United States', undef,               37.8,  -97.8, 64502, 'Example Transit LLC'],
);
my %continent = (MX => 'NA', US => 'NA', CN => 'AS', NL => 'EU', BR => 'SA', DE => 'EU');

my %type = (
    continent => 'map', country => 'map', registered_country => 'map', city => 'map', location => 'map', names => 'map',
    code => 'utf8_string', iso_code => 'utf8_string', country_code => 'utf8_string', en => 'utf8_string', es => 'utf8_string',
    autonomous_system_organization => 'utf8_string', autonomous_system_number => 'uint32',
    latitude => 'double', longitude => 'double', accuracy_radius => 'uint16',
);

sub write_db {
    my ($file, $db_type, $record) = @_;
    my $t = MaxMind::DB::Writer::Tree->new(
        ip_version => 6, record_size => 24, database_type => $db_type, languages => ['en'],
        description => { en => 'garita test data: documentation ranges placed by fiction' },
        map_key_type_callback => sub { $type{ $_[0] } },
        remove_reserved_networks => 0,      # the documentation ranges are reserved ones
        alias_ipv6_to_ipv4 => 0,
    );
    $t->_set_build_epoch($built);
    $t->insert_network($_->[0], $record->(@$_)) for @place;
    open my $fh, '>:raw', "$dir/$file" or die "$dir/$file: $!";
    $t->write_tree($fh);
    close $fh or die "$dir/$file: $!";
}

write_db('GeoLite2-City.mmdb', 'GeoLite2-City', sub {
    my (undef, $cc, $country, $city, $lat, $lon) = @_;
    my $c = { iso_code => $cc, names => { en => $country } };
    return { continent => { code => $continent{$cc} }, country => $c, registered_country => $c,
        (defined $city ? (city => { names => { en => $city } }) : ()),
        location => { latitude => $lat, longitude => $lon, accuracy_radius => 100 } };
});
write_db('GeoLite2-ASN.mmdb', 'GeoLite2-ASN', sub {
    return { autonomous_system_number => $_[6], autonomous_system_organization => $_[7] };
});
write_db('flat-country.mmdb', 'flat-country', sub { return { country_code => $_[1] } });
