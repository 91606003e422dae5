#!/bin/bash
# kill -9 at random moments (200 with FULL=1, else 100): nothing committed is lost, every gap is recorded, it goes on
# Whom: the judge, a worker, the supervisor. When: 20 to 400 ms after the last.
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local n count=${KILLS:-${FULL:+200}} whom p kinds=(judge worker supervisor) judges=0 workers=0 supervisors=0
    count=${count:-100}
    RANDOM=${SEED:-$((EPOCHSECONDS % 30000))}
    echo "# SEED=$RANDOM" >"$work/seed"
    site_yaml "ledger: {checkpoint_entries: 20}" >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 3600 300 8
    lab_wait 3 some_rows
    : >"$work/kills"
    for n in $(seq "$count"); do
        sleep "0.$(printf %03d $((20 + RANDOM % 380)))"
        whom=${kinds[RANDOM % 3]}
        remember || { not_ok "kill $n: the database can be read"; break; }
        case $whom in
        supervisor) p=$spid ;;
        *) p=$(children $whom | shuf -n1 --random-source=<(yes $RANDOM)) ;;
        esac
        [ -n "$p" ] || { sleep 0.1; continue; }   # it is just being started again
        echo "$whom $(date +%s%6N)" >>"$work/kills"
        kill -KILL "$p"
        case $whom in
        judge)  judges=$((judges + 1)) ;;
        worker) workers=$((workers + 1)) ;;
        supervisor)
            supervisors=$((supervisors + 1))
            wait "$p" 2>/dev/null
            sensor_start "$work" || { not_ok "kill $n: it is ready again within 10 s"; sensor_log; break; } ;;
        esac
        if ! still_there; then
            not_ok "kill $n ($whom): a committed row is gone, or has become smaller"
            sed 's/^/#   /' "$work/gone" | head -5
            break
        fi
        if ! whole; then
            not_ok "kill $n ($whom): the ledger is not whole"
            sed 's/^/#   /' "$work/verify" | head -20
            break
        fi
        [ $((n % 20)) != 0 ] || [ "$(sql 'PRAGMA quick_check')" = ok ] || { not_ok "kill $n: quick_check"; break; }
    done
    check "garitad lives" alive
    sleep 1.5
    traffic_end load
    sleep 2.5
    sensor_stop; is "garitad ends with" "$?" 0
    check "the ledger is whole at the end, and its last entry signed" whole_and_signed
    is "integrity: problems" "$(sql 'PRAGMA integrity_check' | grep -cvx ok)" 0
    is "foreign keys: problems" "$(sql 'PRAGMA foreign_key_check' | grep -c .)" 0
    is "rows still open" "$(sql "SELECT count(*) FROM transfer WHERE state = 'open'")" 0
    is "runs without an end" "$(sql "SELECT count(*) FROM run WHERE end IS NULL")" 0
    is "more in the record than was sent, bytes of short ones" "$(short_payload)" "<=$(sent load short_payload)"
    is "more in the record than was sent, bytes of long ones" "$(long_payload)" "<=$(sent load long_payload)"
    is "more frames than were sent" "$(frames)" "<=$(sent load frames)"
    is "deaths without a gap" "$(unexplained)" 0
    is "judges and sensors started anew without a gap of their own" "$(sql "SELECT count(*) FROM run r WHERE id > 1 AND
        NOT EXISTS (SELECT 1 FROM gap g WHERE g.run = r.id AND g.cause = CASE resumed WHEN 1 THEN 'judge-died' ELSE 'stopped' END)")" 0
    # One that dies soon before the judge or the supervisor is in their gap.
    is "gaps of the $workers workers" "$(sql "SELECT count(*) FROM gap WHERE cause = 'worker-died'")" ">=$((workers / 3))"
    is "rows that end before they start" "$(sql 'SELECT count(*) FROM transfer WHERE end_us < start_us')" 0
    figure "$judges judges, $workers workers, $supervisors supervisors killed; of $(sent load frames) frames $(frames) counted"
}
some_rows() { [ "$(short_flows)" -gt 10 ]; }

# Chain, signatures, rows and findings, while the sensor writes.
whole() { "$GARITA" verify --db "$db" >"$work/verify" 2>&1; }
whole_and_signed() {
    whole && [ "$(sql 'SELECT max(size) FROM checkpoint')" = "$(sql 'SELECT count(*) FROM ledger')" ]
}

# The rows that a reader has seen, and whether they are there a moment later with
# no smaller sums.
rows() {
    sqlite3 -readonly -cmd '.timeout 5000' "$db" "SELECT id, ip_bytes_out + ip_bytes_in, payload_bytes_out, start_us, dest_port
        FROM transfer WHERE collapsed = 0 ORDER BY id" 2>>"$work/log"
}
remember() { rows >"$work/before" && [ -s "$work/before" ]; }
still_there() {
    local i
    for i in 1 2 3 4 5 6; do rows >"$work/after" && [ -s "$work/after" ] && break; sleep 0.2; done
    perl -e 'my ($b, $a) = @ARGV; my %a; open A, "<", $a; while (<A>) { chomp; my @f = split /\|/; $a{$f[0]} = \@f }
        my $bad = 0; open B, "<", $b; while (<B>) { chomp; my @f = split /\|/; my $n = $a{$f[0]};
        next if $n && $n->[1] >= $f[1] && $n->[2] >= $f[2] && $n->[3] == $f[3] && $n->[4] == $f[4];
        print "before $_, after ", $n ? join("|", @$n) : "nothing", "\n"; $bad = 1 } exit $bad' \
        "$work/before" "$work/after" >"$work/gone"
}
# Each death must lie in a gap (of two seconds more at both ends: packet time, the last sign of life).
unexplained() {
    local whom at cause how n=0
    while read -r whom at; do
        how=''
        case $whom in judge) cause="'judge-died','stopped'" ;; worker) cause="'worker-died','stopped','judge-died'" ;; *) cause="'stopped'" how="AND detail = 'killed'" ;; esac
        [ "$(sql "SELECT count(*) FROM gap WHERE cause IN ($cause) $how AND start_us <= $at + 2000000 AND coalesce(end_us, $at) >= $at - 2000000")" -ge 1 ] ||
            { n=$((n + 1)); echo "# no gap for the $whom killed at $at" >&2; }
    done <"$work/kills"
    echo $n
}
