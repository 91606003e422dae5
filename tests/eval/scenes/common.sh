# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# What the scenes have in common. Sourced after tests/lab/lab.sh.
UPDATE=198.51.100.30  MONITOR=198.51.100.40  RECORDER=198.51.100.50  ARCHIVE=198.51.100.60
WEB=198.51.100.70     CDN=198.51.100.80      PARTNER=198.51.100.90   DOH=203.0.113.54
MAIL=203.0.113.25     REMOTE=203.0.113.60    BUCKET=203.0.113.200    PULLER=203.0.113.66
SCENE_NAMES=() ; declare -A SCENE_KIND SCENE_LABELS SCENE_NEEDS SCENE_ABOUT

# scene NAME KIND LABELS NEEDS ABOUT
scene() {
    SCENE_NAMES+=("$1"); SCENE_KIND[$1]=$2; SCENE_LABELS[$1]=$3; SCENE_NEEDS[$1]=${4//,/ }; SCENE_ABOUT[$1]=$5
}

scene_site() {
    lab_site
    lab_approval APR-IMAGES 'equipment: [NII-0007, BAG-0003]' 'to: {hosts: [images.aduana.example]}' \
        'ports: [tcp/443]' 'apps: [TLS]' 'initiator: equipment'
    lab_approval APR-NTP 'equipment: [cargo-xray, baggage]' "to: {prefixes: [$NTP/32]}" \
        'ports: [udp/123]' 'apps: [NTP]' 'initiator: equipment'
    lab_approval APR-UPDATE 'equipment: [cargo-xray, baggage]' \
        'to: {hosts: [updates.maker.example, "*.cdn.maker.example"]}' \
        'ports: [tcp/80, tcp/443]' 'initiator: equipment'
    lab_approval APR-MONITOR 'equipment: [cargo-xray, baggage]' "to: {prefixes: [$MONITOR/32]}" \
        'ports: [tcp/8080, udp/514, icmp, udp/161, tcp/443]' 'regular: true'   # heartbeats, log lines, pings
    lab_approval APR-RECORDER 'equipment: [cargo-xray, baggage]' "to: {prefixes: [$RECORDER/32]}" \
        'ports: [udp/5004, tcp/554, tcp/8554]' 'initiator: equipment'
    lab_approval APR-PACS 'equipment: [cargo-xray, baggage]' "to: {prefixes: [$ARCHIVE/32]}" \
        'ports: [tcp/104, tcp/11112, tcp/21, tcp/1024-65535, tcp/445, tcp/1883]' 'initiator: equipment'
    lab_approval APR-WEB 'equipment: [cargo-xray, baggage]' "to: {hosts: [portal.aduana.example]}" \
        'ports: [tcp/443, tcp/80]' 'initiator: equipment'
    lab_approval APR-MAINT 'equipment: [NII-0007]' "to: {prefixes: [$VENDOR/32]}" \
        'ports: [tcp/22]' 'apps: [SSH]' 'initiator: peer'
    lab_approval APR-SUPPORT 'equipment: [NII-0008]' "to: {prefixes: [$VENDOR/32]}" \
        'ports: [tcp/22]' 'apps: [SSH]' 'initiator: equipment'   # it may be called by its maker's machines, and no more
    lab_approval APR-PARTNER 'equipment: [NII-0007, BAG-0003]' "to: {prefixes: [$PARTNER/32, \"2001:db8:f000::90/128\"]}" \
        'ports: [tcp/443, udp/51820, udp/1194]' 'initiator: equipment'
}

scene_world() { # once, after lab_build
    local a d=$LAB_DIR/etc/tls n
    for a in $UPDATE $MONITOR $RECORDER $ARCHIVE $WEB $CDN $PARTNER $DOH $MAIL $REMOTE $BUCKET $PULLER; do
        ip -n outside addr add "$a/24" dev eth0
    done
    ip -n outside addr add 2001:db8:f000::90/36 dev eth0 nodad
    n='DNS:updates.maker.example,DNS:*.cdn.maker.example,DNS:portal.aduana.example,DNS:partner.example,DNS:doh.example'
    n="$n,DNS:hook.abroad.example,DNS:bucket.oss-cn-beijing.aliyuncs.com,DNS:*.todesk.com,DNS:api.telegram.org"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=world.lab.example' \
        -keyout "$d/world.key" -out "$d/world.csr" 2>/dev/null
    printf 'subjectAltName=%s\n' "$n" >"$d/world.ext"
    openssl x509 -req -in "$d/world.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -days 30 -extfile "$d/world.ext" \
        -out "$d/world.pem" 2>/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=localhost' \
        -keyout "$d/self.key" -out "$d/self.pem" 2>/dev/null
    scene_names
    scene_nginx
    head -c 300000 /dev/urandom >"$LAB_DIR/srv/www/update.bin"
    printf 'II*\0\10\0\0\0' >"$LAB_DIR/tmp/scan.tif"; head -c 60000 /dev/urandom >>"$LAB_DIR/tmp/scan.tif"
    lab_make_dicom "$LAB_DIR/tmp/scan.dcm"
}

scene_names() {
    lab_kill dnsmasq
    cat >>"$LAB_DIR/etc/dnsmasq.conf" <<END
host-record=updates.maker.example,$UPDATE
host-record=portal.aduana.example,$WEB
host-record=partner.example,$PARTNER,2001:db8:f000::90
host-record=hook.abroad.example,$REMOTE
host-record=bucket.oss-cn-beijing.aliyuncs.com,$BUCKET
host-record=client.todesk.com,$REMOTE
host-record=api.telegram.org,$BUCKET
host-record=smtp.abroad.example,$MAIL
address=/cdn.maker.example/$CDN
address=/wide.example/$REMOTE
txt-record=wide.example,"v=spf1 ip4:203.0.113.0/24 -all"
auth-ttl=60
END
    lab_bg dnsmasq outside dnsmasq --keep-in-foreground -C "$LAB_DIR/etc/dnsmasq.conf"
    lab_wait_port outside udp 53
}

scene_nginx() {
    local d=$LAB_DIR/etc/tls
    cat >"$LAB_DIR/etc/nginx2.conf" <<END
user root; worker_processes 1; daemon off; pid $LAB_DIR/tmp/nginx2.pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 64m; keepalive_timeout 20s;
  client_body_temp_path $LAB_DIR/tmp/body2; proxy_temp_path $LAB_DIR/tmp/proxy2;
  fastcgi_temp_path $LAB_DIR/tmp/f2; uwsgi_temp_path $LAB_DIR/tmp/u2; scgi_temp_path $LAB_DIR/tmp/s2;
  ssl_certificate $d/world.pem; ssl_certificate_key $d/world.key;
  server {
    listen $UPDATE:80; listen $UPDATE:443 ssl; listen $CDN:80; listen $CDN:443 ssl; listen $WEB:80;
    listen $WEB:443 ssl; listen $MONITOR:8080; listen $MONITOR:443 ssl; listen $PARTNER:443 ssl; listen [2001:db8:f000::90]:443 ssl;
    listen $REMOTE:80; listen $REMOTE:443 ssl; listen $REMOTE:8443 ssl; listen $BUCKET:80; listen $BUCKET:443 ssl;
    listen $DOH:443 ssl; listen $STRANGER:80; listen $STRANGER:443 ssl;
    root $LAB_DIR/srv/www; dav_methods PUT DELETE;
    location /post { return 200 "ok\n"; }
    location /form { return 200 "ok\n"; }
    location /dns-query { default_type application/dns-message; return 200 "ok\n"; }
  }
  server { listen $PULLER:443 ssl; ssl_certificate $d/self.pem; ssl_certificate_key $d/self.key; root $LAB_DIR/srv/www; dav_methods PUT; }
}
END
    lab_bg nginx2 outside nginx -e stderr -c "$LAB_DIR/etc/nginx2.conf"
    lab_wait_port outside tcp 8080
}

# web NS URL [CURL-OPTION…] - fetch, and throw away.
web() { local ns=$1; shift; lab_in "$ns" curl -sS -m 6 --cacert "$LAB_DIR/etc/tls/ca.pem" -o /dev/null "$@"; }
# send NS URL FILE [CURL-OPTION…] - HTTP PUT.
send() { local ns=$1 url=$2 f=$3; shift 3; LAB_IMAGE=$f lab_put "$ns" "$url" "$@"; }
file() { lab_blob "$LAB_DIR/tmp/blob-$1" "$1"; echo "$LAB_DIR/tmp/blob-$1"; }   # KB
# every SECONDS COUNT CMD… - one after another, evenly.
every() { local s=$1 n=$2 i; shift 2; for ((i = 0; i < n; i++)); do "$@" & sleep "$s"; wait; done; }
ask() { local ns=$1; shift; lab_in "$ns" dig +tries=1 +time=1 "@$RESOLVER" "$@" >/dev/null 2>&1; return 0; }
raw_to() { lab_in "$1" socat -u "OPEN:$2" "TCP4:$3,connect-timeout=4"; }   # NS FILE HOST:PORT
