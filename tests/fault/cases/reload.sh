#!/bin/bash
# a thousand reloads under load lose no packet; a bad policy is refused and the old one stays
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local n count=${FULL:+1000} before
    count=${count:-1000}
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 600 200 8
    sleep 0.5
    for n in $(seq "$count"); do
        # Each time another text: now with, now without an approval for the short ones.
        if [ $((n % 2)) = 0 ]; then site_yaml; else site_yaml; approve_short; fi >"$work/next.yaml"
        mv "$work/next.yaml" "$work/site.yaml"
        kill -HUP "$spid"
        lab_wait 5 in_force "$n" || { not_ok "reload $n is in force within 5 s"; break; }
    done
    is "reloads in force" "$(in_force_count)" "$count"
    sleep 1; before=$(status .policy)
    sed 's/^networks:/netwroks:/' "$work/site.yaml" >"$work/next.yaml"; mv "$work/next.yaml" "$work/site.yaml"
    kill -HUP "$spid"
    lab_wait 5 warned reload-refused
    check "a bad policy is refused, and said" warned reload-refused
    check "with its line" says 'site\.yaml:[0-9]+'
    check "and the old one stays" [ "$(status .policy)" = "$before" ]
    traffic_end load
    all_there load
    check "no frame was lost" [ "$(sql 'SELECT sum(kernel_drops) FROM totals')" = 0 ]
    figure "$count reloads in $(sent load seconds) s, $(sent load frames) frames"
    sensor_stop; is "garitad ends with" "$?" 0
}
approve_short() {
    printf '  - id: APR-SHORT\n    equipment: [NII-0007]\n    to: {prefixes: [203.0.113.0/24]}\n    ports: [tcp/9000]\n'
    printf '    valid: 2025-01-01..2035-12-31\n    approved_by: Pruebas\n    ticket: FLT-2\n'
}
in_force_count() { grep -c 'is in force$' "$work/log"; }
in_force() { [ "$(in_force_count)" -ge "$1" ]; }
