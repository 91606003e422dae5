#!/usr/bin/perl
# detections.pl BUILD WORK SCALE… - every scene of tests/eval/scenes on each time
# scale through garitad: what was found beside what should have been, detection by
# detection; severities of the benign ones; beside it what ndpiReader and (where
# installed) Suricata say of the same captures. Exits with 1 when an unapproved
# transfer was missed, a benign scene was given a finding above BENIGN_MAX, or a
# detection that the label demands on the scale NATIVE was not made.
use strict;
use warnings;
use JSON::PP;
use File::Basename;

my ($build, $work, @scales) = @ARGV;
@scales = (1) unless @scales;
my $here = dirname(__FILE__);
my $BENIGN_MAX = 30;
my $json = JSON::PP->new;

# --- labels ---

my (@scenes, %scene);
for my $file (map { "$here/scenes/$_.sh" } qw(benign content channels behaviour names evasion ssh)) {
	open my $in, '<', $file or die "$file: $!\n";
	while (<$in>) {
		next unless /^scene (\S+) (benign|exfil) (?:'([^']*)'|(\S+)) \S+ '(.*)'$/;
		my %s = (name => $1, kind => $2, about => $5, must => {}, may => {});
		for (split ' ', $3 // $4) {
			if ($_ eq 'unapproved' || $_ eq 'approved') { $s{verdict} = $_ }
			elsif (/^(.+)\?$/) { $s{may}{$1} = 1 }
			elsif (/:/) { $s{must}{$_} = 1 }
		}
		push @scenes, $1;
		$scene{$1} = \%s;
	}
}

sub lines {
	my @cmd = @_;
	open my $in, '-|', @cmd or die "$cmd[0]: $!\n";
	my @rows = <$in>;
	close $in;
	return @rows;
}

sub objects { return map { $json->decode($_) } grep { /^\{/ } lines(@_) }

# --- one scene on one scale ---

my (%word, %tool, @wrong, @soon);
my ($runs, $benign_flows, $benign_signs, $unapproved, $missed_unapproved, $worst_benign) = (0) x 6;

sub prepare {
	my ($s, $scale) = @_;
	my $pcap = "$work/$s->{name}-$scale.pcap";
	system("zstd -dqc '$here/scenes/$s->{name}.pcap.zst' | perl '$here/stretch.pl' $scale >'$pcap'") == 0
	    or die "$s->{name}: cannot be read\n";
	return $pcap;
}

sub weigh {
	my ($s, $scale, $found) = @_;
	for my $key (sort keys %$found) {
		my ($who, $what) = split /:/, $key, 2;
		if ($s->{must}{$key}) { $word{$what}{hit}++ }
		elsif ($s->{may}{$key}) { $word{$what}{also}++ }
		elsif ($s->{kind} eq 'benign') { $word{$what}{false}++; push @{$word{$what}{where}}, "$s->{name} x$scale" }
		else { $word{$what}{beside}++ }
	}
	for my $key (sort keys %{$s->{must}}) {
		my ($who, $what) = split /:/, $key, 2;
		next if $found->{$key};
		$word{$what}{missed}++;
		push @{$word{$what}{not}}, "$s->{name} x$scale";
		push @wrong, "$s->{name} x$scale: $key was not found" if $scale == $scales[0];
	}
}

sub garitad {
	my ($s, $scale, $pcap) = @_;
	my $db = "$work/db";
	system('rm', '-rf', $db);
	system("$build/garitad -c $here/scenes/site.yaml -D $db -r $pcap -w 1 --format json >$work/out 2>$work/err") >> 8 == 0
	    or do { push @wrong, "$s->{name} x$scale: garitad ended with an error"; return };
	my @transfers = objects("$build/garita", 'transfers', '--db', $db, '--format', 'json', '--limit', 0);
	my @findings = objects("$build/garita", 'findings', '--db', $db, '--format', 'json', '--limit', 0);
	my $bad = grep { $_->{verdict} eq 'unapproved' } @transfers;
	if (($s->{verdict} // '') eq 'unapproved') {
		$unapproved++;
		$bad or do { $missed_unapproved++; push @wrong, "$s->{name} x$scale: no unapproved transfer" };
	} elsif (($s->{verdict} // '') eq 'approved' && $bad) {
		push @wrong, "$s->{name} x$scale: $bad transfers are not approved";
	}
	my %found;
	for my $f (@findings) {
		my $who = $f->{equipment} =~ /^unknown:/ ? 'unknown' : $f->{equipment};
		$found{"$who:$_"} = 1 for @{$f->{detections} // []};
	}
	if ($s->{kind} eq 'benign') {
		$benign_flows += @transfers;
		$benign_signs += grep { @{$_->{detections} // []} > 0 && $_->{severity} > $BENIGN_MAX } @findings;
		for my $f (@findings) {
			$worst_benign = $f->{severity} if $f->{severity} > $worst_benign;
			push @wrong, "$s->{name} x$scale: severity $f->{severity}: " . join(' ', @{$f->{detections} // []}, @{$f->{reasons} // []})
			    if $f->{severity} > $BENIGN_MAX;
		}
	}
	weigh($s, $scale, \%found);
}

# --- how soon ---

# What leaves until a detection is made: the payload of DNS questions in bytes, or
# connections begun by the equipment (intervals are one less), counted frame by frame.
sub amounts {
	my ($pcap, $kind) = @_;
	open my $in, '<:raw', $pcap or die "$pcap: $!\n";
	read($in, my $head, 24);
	my ($at, $sum, %seen, @after) = (24, 0);
	while (read($in, my $h, 16) == 16) {
		my $n = unpack 'x8V', $h;
		read($in, my $f, $n);
		$at += 16 + $n;
		my $ip = unpack('n', substr $f, 12, 2) == 0x8100 ? 18 : 14;
		if (length $f > $ip + 24 && unpack('n', substr $f, $ip - 2, 2) == 0x0800) {
			my $proto = ord substr $f, $ip + 9, 1;
			my $t = $ip + 4 * (15 & ord substr $f, $ip, 1);
			my ($from, $to, $len) = unpack 'n3', substr $f, $t, 6;
			my $inside = substr($f, $ip + 12, 3) eq "\xc0\0\2";
			if ($kind eq 'dns') { $sum += $len - 8 if $proto == 17 && $to == 53 && $inside }
			elsif ($inside && $to != 53 && ($proto == 17 || $proto == 6 && (ord(substr $f, $t + 13, 1) & 0x12) == 2)) { $sum++ unless $seen{"$proto $from $to"}++ }
		}
		push @after, [$at, $sum];
	}
	return @after;
}

# The least amount after which the detection is there: a search over beginnings of the capture.
sub amount_until {
	my ($s, $pcap, $what, $kind) = @_;
	my @after = amounts($pcap, $kind);
	my ($no, $yes) = (-1, $#after);
	while ($yes - $no > 1) {
		my $mid = int(($no + $yes) / 2);
		system("head -c $after[$mid][0] $pcap >$work/beginning.pcap; rm -rf $work/db; $build/garitad -c $here/scenes/site.yaml -D $work/db -r $work/beginning.pcap -w 1 --format json >/dev/null 2>&1");
		my $there = grep { grep { $_ eq $what } @{$_->{detections} // []} } objects("$build/garita", 'findings', '--db', "$work/db", '--format', 'json', '--limit', 0);
		if ($there) { $yes = $mid } else { $no = $mid }
	}
	return $after[$yes][1];
}

sub how_soon {
	my ($s, $scale, $pcap) = @_;
	for my $key (keys %{$s->{must}}) {
		my ($who, $what) = split /:/, $key, 2;
		next unless $what eq 'dns-tunnel' || $what eq 'beacon';
		my $n = amount_until($s, $pcap, $what, $what eq 'beacon' ? 'connections' : 'dns');
		push @soon, sprintf("%-20s x%-4d %s after %s", $s->{name}, $scale, $what, $what eq 'beacon' ? ($n - 1) . ' intervals' : sprintf('%.1f KB of questions', $n / 1000));
	}
}

# Peers: did they say anything of the capture that a person would look at?
sub peers {
	my ($s, $scale, $pcap) = @_;
	if (-x '/usr/bin/ndpiReader') {
		my $said = grep { /Risk stats|\[Risk:|\*\* / } lines("ndpiReader -i $pcap -v 2 2>/dev/null");
		$tool{ndpiReader}{$s->{kind}}{$said ? 'said' : 'silent'}++;
	}
	if (-x '/usr/bin/suricata') {
		system("rm -rf $work/suricata; mkdir $work/suricata; suricata -r $pcap -l $work/suricata >/dev/null 2>&1");
		$tool{suricata}{$s->{kind}}{-s "$work/suricata/fast.log" ? 'said' : 'silent'}++;
	}
}

for my $name (@scenes) {
	my $s = $scene{$name};
	if (!-e "$here/scenes/$name.pcap.zst") { print "not recorded: $name\n"; next }
	for my $scale (@scales) {
		my $pcap = prepare($s, $scale);
		garitad($s, $scale, $pcap);
		how_soon($s, $scale, $pcap);
		peers($s, $scale, $pcap) if $scale == $scales[0];
		unlink $pcap;
		$runs++;
	}
}

# --- what it comes to ---

my $benign = grep { $scene{$_}{kind} eq 'benign' } @scenes;
printf "%d scenes, %d of them benign, on the time scales %s: %d replays\n\n", scalar @scenes, $benign, join(', ', map { "x$_" } @scales), $runs;
printf "%-24s %6s %7s %7s %7s %7s   %9s %9s\n", 'detection', 'found', 'missed', 'true,too', 'beside', 'benign', 'precision', 'recall';
for my $w (sort keys %word) {
	my %n = map { $_ => $word{$w}{$_} // 0 } qw(hit missed also beside false);
	my $right = $n{hit} + $n{also} + $n{beside};
	printf "%-24s %6d %7d %7d %7d %7d   %9s %9s\n", $w, @n{qw(hit missed also beside false)},
	    $right + $n{false} ? sprintf('%.3f', $right / ($right + $n{false})) : '-',
	    $n{hit} + $n{missed} ? sprintf('%.3f', $n{hit} / ($n{hit} + $n{missed})) : '-';
}
print "\n'beside': in a scene of exfiltration whose label does not name it; 'benign': in a benign scene.\n";
for my $w (sort keys %word) {
	print "  $w missed in: @{$word{$w}{not}}\n" if $word{$w}{not};
	print "  $w in benign: @{$word{$w}{where}}\n" if $word{$w}{where};
}
printf "\nscenes with an unapproved transfer: %d of %d replays recorded it\n", $unapproved - $missed_unapproved, $unapproved;
print "$_\n" for '', 'how soon:', @soon, '';
printf "benign: %d transfers, worst severity %d (at most %d wanted), %d findings by a detection above that\n", $benign_flows, $worst_benign, $BENIGN_MAX, $benign_signs;
my $false = 0;
$false += $word{$_}{false} // 0 for keys %word;
printf "benign: %d detections that no label allows, %.2f %% of its transfers\n", $false, 100 * $false / ($benign_flows || 1);
for my $t (sort keys %tool) {
	printf "%-12s (default rules): says something of %d of %d scenes of exfiltration and of %d of %d benign ones\n", $t,
	    map { my $k = $_; ($tool{$t}{$k}{said} // 0, ($tool{$t}{$k}{said} // 0) + ($tool{$t}{$k}{silent} // 0)) } qw(exfil benign);
}
-x "/usr/bin/$_" or print "$_: not installed, so nothing of it stands beside\n" for qw(ndpiReader suricata);
print "\nwrong: $_\n" for @wrong;
exit(@wrong ? 1 : 0);
