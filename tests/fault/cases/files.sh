#!/bin/bash
# geolocation replaced by a truncated file while it runs: the old one stays, and it is said
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local d=$work/geo
    mkdir -p "$d" && cp "$here/../replay/geo/"*.mmdb "$d/" && chmod -R a+rX "$d"
    site_yaml "geo: {city: $d/GeoLite2-City.mmdb, asn: $d/GeoLite2-ASN.mmdb}" >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    "$TRAFFIC" -i p-span work 1 50 1 2>/dev/null; sleep 1.5
    is "countries known before" "$(no_country)" 0
    # In place, which tears the pages from under whoever has mapped them; then renamed.
    head -c 700 "$here/../replay/geo/GeoLite2-City.mmdb" >"$d/new" && cat "$d/new" >"$d/GeoLite2-City.mmdb"
    traffic load -i p-span work 40 50 1
    lab_wait 36 warned geolocation
    check "truncated in place: said by status" warned geolocation
    check "garitad lives" alive
    check "and in the log, with what it means" says 'geolocation .city.*the earlier file stays in use'
    head -c 900 "$here/../replay/geo/GeoLite2-City.mmdb" >"$d/new" && mv "$d/new" "$d/GeoLite2-City.mmdb"
    cp "$work/site.yaml" "$work/next.yaml"; echo '# again' >>"$work/next.yaml"; mv "$work/next.yaml" "$work/site.yaml"
    kill -HUP "$spid"; sleep 1.5
    check "a reload with the truncated file: said" warned geolocation
    check "garitad lives still" alive
    is "countries known all the while" "$(no_country)" 0
    cp "$here/../replay/geo/GeoLite2-City.mmdb" "$d/new" && chmod a+r "$d/new" && mv "$d/new" "$d/GeoLite2-City.mmdb"
    kill -HUP "$spid"; lab_wait 4 not_warned geolocation
    check "a good file is taken again" not_warned geolocation
    traffic_end load; sleep 1
    is "judges that died" "$(sql "SELECT count(*) FROM gap WHERE cause = 'judge-died'")" 0
    sensor_stop; is "garitad ends with" "$?" 0
}
no_country() { sql 'SELECT count(*) FROM transfer WHERE country IS NULL'; }
not_warned() { ! warned "$1"; }
