#!/bin/bash
# kill -9 (200 times with FULL=1, else 30) while packets are kept: files are whole, and hold all that was committed
# Whom: the judge, a worker, the supervisor. When: 20 to 400 ms after the last. A file is closed each second or so.
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local n count=${KILLS:-${FULL:+200}} whom p kinds=(judge worker supervisor judge supervisor)
    count=${count:-30}
    RANDOM=${SEED:-$((EPOCHSECONDS % 30000))}
    echo "# SEED=$RANDOM" >"$work/seed"
    site_yaml "evidence: {file: 1MB}" >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 3600 500 4
    lab_wait 5 some_packets || { not_ok "packets are kept"; return; }
    for n in $(seq "$count"); do
        sleep "0.$(printf %03d $((20 + RANDOM % 380)))"
        whom=${kinds[RANDOM % 5]}
        case $whom in supervisor) p=$spid ;; *) p=$(children $whom | shuf -n1 --random-source=<(yes $RANDOM)) ;; esac
        [ -n "$p" ] || { sleep 0.1; continue; }   # it is just being started again
        committed >>"$work/committed"
        kill -KILL "$p"
        [ $whom != supervisor ] || { wait "$p" 2>/dev/null; sensor_start "$work"; } ||
            { not_ok "kill $n: it is ready again within 10 s"; sensor_log; break; }
    done
    check "garitad lives" alive
    sleep 1.5
    traffic_end load
    sleep 1
    sensor_stop; is "garitad ends with" "$?" 0
    "$GARITA" verify --db "$db" >"$work/verify" 2>&1
    is "garita verify ends with" "$?" 0
    is "files without an end" "$(sql "SELECT count(*) FROM evidence WHERE state = 'open'")" 0
    is "files" "$(sql 'SELECT count(*) FROM evidence')" ">=8"
    sql 'SELECT id, path, bytes, packets, lower(hex(sha256)) FROM evidence' >"$work/files"
    sql 'SELECT evidence, sum(packets) FROM evidence_part GROUP BY 1' >"$work/parts"
    (cd "$work/data" && look_at_files "$work/files" "$work/parts" "$work/committed") >"$work/wrong"
    is "files that are not whole, not as recorded, or lack what was committed" "$(grep -c . "$work/wrong")" 0
    head -5 "$work/wrong" | sed 's/^/#   /'
    find "$work/data/evidence" -type f | sed "s|^$work/data/||" | sort >"$work/there"
    is "files that nobody knows" "$(sql 'SELECT path FROM evidence' | sort | comm -13 - "$work/there" | grep -c .)" 0
    local recovered; recovered=$(sql "SELECT count(*) FROM ledger WHERE kind = 'evidence-kept' AND body LIKE '%\"closed\":\"after a crash\"%'")
    is "files that a start closed, which the ledger says" "$recovered" ">=3"
    is "and each is said in the log" "$(grep -c 'was left open and is closed now' "$work/log")" "$recovered"
    figure "$recovered of $(grep -c . "$work/files") files recovered, $(sql 'SELECT sum(packets) FROM evidence') packets in them"
}
some_packets() { [ "$(sql 'SELECT coalesce(sum(packets), 0) FROM evidence_part')" -gt 100 ]; }

# What the record has promised: so many packets of a file, its hash once there is one.
committed() {
    sqlite3 -readonly -cmd '.timeout 5000' "$db" "SELECT e.id, e.path, (SELECT coalesce(sum(packets), 0) FROM evidence_part
        WHERE evidence = e.id), coalesce(lower(hex(sha256)), '') FROM evidence e" 2>>"$work/log"
}

# look_at_files FILES PARTS COMMITTED - one line for each thing that is wrong. A
# pcapng file is blocks of a type, a length, and the length again; packets are of type 6.
look_at_files() {
    perl -MDigest::SHA -e 'my ($files, $parts, $committed) = @ARGV; my (%file, %part);
        open F, "<", $parts; while (<F>) { chomp; my @f = split /\|/; $part{$f[0]} = $f[1] }
        open F, "<", $files; while (<F>) { chomp; my ($id, $path, $bytes, $packets, $sha) = split /\|/;
            my ($at, $n, $data) = (0, 0, "");
            if (open P, "<:raw", $path) { local $/; $data = <P> } else { print "$path: is not there\n" }
            while ($at + 12 <= length $data) {
                my ($type, $len) = unpack "VV", substr $data, $at, 8;
                last if $len < 12 || $at + $len > length $data || unpack("V", substr $data, $at + $len - 4, 4) != $len;
                $n++ if $type == 6; $at += $len }
            print "$path: ends within a block\n" if $at != length $data;
            print "$path: $bytes bytes recorded, ", length $data, " there\n" if $bytes != length $data;
            print "$path: $packets packets recorded, ", $part{$id} // 0, " of transfers, $n there\n" if $packets != $n || ($part{$id} // 0) != $n;
            print "$path: its hash is another\n" if $sha ne Digest::SHA::sha256_hex($data);
            $file{$id} = [$path, $n, $sha] }
        open F, "<", $committed; while (<F>) { chomp; my ($id, $path, $n, $sha) = split /\|/; my $f = $file{$id};
            print "$path: was in the record\n" if !$f || $f->[0] ne $path;
            print "$path: $n packets were committed, $f->[1] are there\n" if $f && $f->[1] < $n;
            print "$path: was closed with another hash\n" if $f && ($sha // "") ne "" && $sha ne $f->[2] }' "$@"
}
