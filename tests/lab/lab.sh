#!/bin/bash
# lab.sh - a small customs site in network namespaces, behind Open vSwitch.
#
#   scanner VLANs 120 and 130 ── br0 (userspace datapath) ── router ── outside
#                                 └─ mirror ── span0 in the namespace "sensor"
#
# Everything lives in one private set of kernel namespaces (mount, network,
# process), so that nothing collides with the machine or with another lab, no
# packet has a route out, and the end of the first process ends all of them.
#
# As a command:  lab.sh up | down DIR | exec DIR NS CMD… | shell DIR NS |
#                mirror DIR MODE | cases
# As a library:  . lab.sh; lab_enter "$@"; lab_build; …  (run.sh, record.sh)

PATH=$PATH:/usr/sbin:/sbin   # a plain su has neither
LAB_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TIMEZONE=America/Mexico_City
LAB_HOSTS="nii7 nii8 rogue bag3 bag4"

# The outside, by role. The geolocation database of tests/replay/geo places them.
# shellcheck disable=SC2034  # used by the cases
{
IMAGES=198.51.100.20        IMAGES6=2001:db8:f000::20   # national image server (MX)
RESOLVER=198.51.100.53      NTP=198.51.100.123          # national services (MX)
CLOUD=198.51.100.200                                    # a storage provider (US)
VENDOR=203.0.113.10                                     # remote maintenance
STRANGER=203.0.113.77                                   # nobody's approved anything
DROP=203.0.113.80           DROP6=2001:db8:f100::80     # an upload server abroad
NS2=203.0.113.53            NTP2=203.0.113.123          # resolver and clock abroad
VPN=203.0.113.99            TUNNEL=203.0.113.47
}

lab_die() { echo "lab: $*" >&2; exit 1; }
lab_log() { [ -z "${LAB_VERBOSE:-}" ] || echo "lab: $*" >&2; }

# lab_missing TOOL… - print those that are not installed.
lab_missing() {
    local t
    for t in "$@"; do command -v "$t" >/dev/null || echo "$t"; done
}
LAB_NEEDS="hostname setpriv ip ethtool unshare nsenter ovs-vswitchd ovsdb-server ovsdb-tool ovs-vsctl
    ovs-appctl ss perl jq openssl dnsmasq nginx curl"

# An array and no function: the pid of a job must be that of unshare, whose death
# (--kill-child) is the death of everything inside.
LAB_UNSHARE=(unshare --uts --mount --net --pid --fork --kill-child --mount-proc)

# lab_enter ARG… - run this script again inside private namespaces and exit with
# its status. Returns at once when already inside.
lab_enter() {
    [ -z "${LAB_INSIDE:-}" ] || return 0
    LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/garita-lab.XXXXXX") || exit 1
    chmod 755 "$LAB_DIR"
    export LAB_DIR LAB_INSIDE=1
    local pid='' rc
    # shellcheck disable=SC2064  # LAB_DIR is meant as it is now
    trap "rm -rf '$LAB_DIR'" EXIT
    trap '[ -z "$pid" ] || kill -KILL "$pid"; exit 130' INT TERM HUP
    setpriv --pdeathsig KILL "${LAB_UNSHARE[@]}" bash "$0" "$@" & pid=$!
    wait "$pid"; rc=$?
    exit "$rc"
}

# ---- building ---------------------------------------------------------------

lab_in()  { local ns=$1; shift; ip netns exec "$ns" "$@"; }

# lab_bg NAME NS CMD… - start a program in a namespace; its pid goes to run/NAME.
# setsid: what ends the program must not be our own process group.
lab_bg() {
    local name=$1 ns=$2; shift 2
    setsid ip netns exec "$ns" "$@" >"$LAB_DIR/log/$name" 2>&1 </dev/null &
    echo $! >"$LAB_DIR/run/$name"
    disown
}

# lab_kill NAME [SIGNAL] - end a program started by lab_bg, and wait for its end.
lab_kill() {
    local pid f=$LAB_DIR/run/$1 i
    [ -s "$f" ] || return 0
    pid=$(cat "$f"); rm -f "$f"
    # Its whole process group, which setsid made: of a pipeline every part.
    kill "-${2:-TERM}" -- "-$pid" 2>/dev/null || kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
    for i in $(seq 60); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.05
    done
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
    return 1
}

# lab_wait SECONDS CMD… - until the command succeeds.
lab_wait() {
    local end=$((SECONDS + $1 + 1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { lab_log "gave up on: $*"; return 1; }
        sleep 0.05
    done
}
lab_listens() { # NS tcp|udp PORT
    [ -n "$(lab_in "$1" ss -Hln "--$2" "sport = :$3")" ]
}
lab_wait_port() { lab_wait 5 lab_listens "$@"; }

lab_sysctl() { # NS NAME=VALUE…
    local ns=$1; shift
    lab_in "$ns" sysctl -qw "$@"
}

# Frames must be on the wire as a switch would see them: checksums filled in,
# nothing merged, nothing larger than the MTU.
lab_wire() { # NS DEVICE
    lab_in "$1" ethtool -K "$2" tx off rx off tso off gso off gro off sg off >/dev/null 2>&1
}

# lab_host NAME VLAN MAC V4/LEN GATEWAY4 V6/LEN GATEWAY6
lab_host() {
    ip netns add "$1"
    ip link add "p-$1" type veth peer name eth0 netns "$1"
    lab_sysctl "$1" net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.accept_ra=0 \
        net.ipv6.conf.eth0.router_solicitations=0
    ip -n "$1" link set eth0 address "$3"
    lab_wire "$1" eth0; lab_wire hub "p-$1"
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
    ip -n "$1" addr add "$4" dev eth0
    ip -n "$1" route add default via "$5"
    ip -n "$1" addr add "$6" dev eth0 nodad
    ip -n "$1" route add default via "$7"
    ip link set "p-$1" up
    lab_vsctl add-port br0 "p-$1" "tag=$2"
}

lab_build_router() {
    local v dev
    ip netns add router
    lab_sysctl router net.ipv6.conf.default.accept_dad=0
    for v in 120 130; do
        dev=r$v
        ip link add "p-$dev" type veth peer name "$dev" netns router
        lab_wire router "$dev"; lab_wire hub "p-$dev"
        ip -n router link set "$dev" address "00:00:5e:00:53:${v%0}"
        ip -n router link set "$dev" up
        ip link set "p-$dev" up
        lab_vsctl add-port br0 "p-$dev" "tag=$v"
    done
    ip -n router link set lo up
    ip -n router addr add 192.0.2.1/26 dev r120
    ip -n router addr add 192.0.2.65/26 dev r130
    ip -n router addr add 2001:db8:120::1/64 dev r120 nodad
    ip -n router addr add 2001:db8:130::1/64 dev r130 nodad
    lab_sysctl router net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.conf.all.send_redirects=0
}

lab_build_outside() {
    local a
    ip netns add outside
    lab_sysctl outside net.ipv6.conf.default.accept_dad=0
    ip -n router link add up0 type veth peer name eth0 netns outside
    lab_wire router up0; lab_wire outside eth0
    ip -n outside link set lo up
    ip -n outside link set eth0 up
    ip -n router link set up0 up
    ip -n router addr add 198.51.100.1/24 dev up0
    ip -n router addr add 203.0.113.1/24 dev up0
    ip -n router addr add 2001:db8:f000::1/36 dev up0 nodad
    for a in $IMAGES $RESOLVER $NTP $CLOUD; do ip -n outside addr add "$a/24" dev eth0; done
    for a in $VENDOR $STRANGER $DROP $NS2 $NTP2 $VPN $TUNNEL; do
        ip -n outside addr add "$a/24" dev eth0
    done
    for a in $IMAGES6 $DROP6; do ip -n outside addr add "$a/36" dev eth0 nodad; done
    ip -n outside route add 192.0.2.0/24 via 198.51.100.1
    ip -n outside route add 2001:db8:120::/64 via 2001:db8:f000::1
    ip -n outside route add 2001:db8:130::/64 via 2001:db8:f000::1
}

lab_vsctl() { ovs-vsctl --db="unix:$OVS_RUNDIR/db.sock" "$@"; }

lab_start_ovs() {
    export OVS_RUNDIR=$LAB_DIR/ovs OVS_LOGDIR=$LAB_DIR/log OVS_DBDIR=$LAB_DIR/ovs
    mkdir -p "$OVS_RUNDIR"
    ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema || return 1
    lab_bg ovsdb-server hub ovsdb-server "$OVS_RUNDIR/conf.db" --no-chdir \
        --remote="punix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/ovsdb.ctl"
    lab_wait 5 test -S "$OVS_RUNDIR/db.sock" || return 1
    lab_vsctl --no-wait init
    lab_bg ovs-vswitchd hub ovs-vswitchd "unix:$OVS_RUNDIR/db.sock" --no-chdir \
        --unixctl="$OVS_RUNDIR/vswitchd.ctl"
    lab_vsctl --timeout=10 add-br br0 -- set bridge br0 datapath_type=netdev
}

# The span port. Neither end may say a word of its own: no IPv6, no ARP, no
# multicast; otherwise "nothing was sent" would mean nothing.
lab_build_span() {
    ip netns add sensor
    ip link add p-span type veth peer name span0 netns sensor
    lab_sysctl sensor net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
        net.ipv6.conf.span0.disable_ipv6=1
    lab_wire hub p-span; lab_wire sensor span0
    ip link set p-span arp off multicast off
    ip -n sensor link set span0 arp off multicast off
    ip -n sensor link set lo up
    ip -n sensor link set span0 up
    ip link set p-span up
    # br-span stands for the aggregation tap that two mirrors need to share one port.
    lab_vsctl add-br br-span -- set bridge br-span datapath_type=netdev \
        -- add-port br-span p-span \
        -- add-port br-span s1 -- set interface s1 type=patch options:peer=m1 \
        -- add-port br-span s2 -- set interface s2 type=patch options:peer=m2 \
        -- add-port br0 m1 -- set interface m1 type=patch options:peer=s1 \
        -- add-port br0 m2 -- set interface m2 type=patch options:peer=s2
    ovs-ofctl mod-port "unix:$OVS_RUNDIR/br0.mgmt" m1 no-flood
    ovs-ofctl mod-port "unix:$OVS_RUNDIR/br0.mgmt" m2 no-flood
    ovs-ofctl del-flows "unix:$OVS_RUNDIR/br-span.mgmt"
    ovs-ofctl add-flow "unix:$OVS_RUNDIR/br-span.mgmt" 'in_port=s1,actions=output:p-span'
    ovs-ofctl add-flow "unix:$OVS_RUNDIR/br-span.mgmt" 'in_port=s2,actions=output:p-span'
}

# lab_mirror MODE - what the span port delivers.
#   both      each frame once, both directions (a SPAN session done right)
#   doubled   ingress and egress of every port: each frame twice
#   one-way   only what the machines send
#   off       nothing
lab_mirror() {
    local h ports='' all q="" i=0
    lab_vsctl clear bridge br0 mirrors
    for h in $LAB_HOSTS; do ports="$ports,@h$i"; q="$q -- --id=@h$i get port p-$h"; i=$((i + 1)); done
    ports=${ports#,}
    all="$ports,@r1,@r2"
    q="$q -- --id=@r1 get port p-r120 -- --id=@r2 get port p-r130 -- --id=@o1 get port m1 -- --id=@o2 get port m2"
    # shellcheck disable=SC2086  # the lists are meant to be split
    case $1 in
    both)    lab_vsctl $q -- --id=@m create mirror name=span "select_src_port=[$all]" output_port=@o1 \
                 -- set bridge br0 mirrors=@m ;;
    doubled) lab_vsctl $q -- --id=@m create mirror name=in "select_src_port=[$all]" output_port=@o1 \
                 -- --id=@n create mirror name=out "select_dst_port=[$all]" output_port=@o2 \
                 -- set bridge br0 mirrors=@m,@n ;;
    one-way) lab_vsctl $q -- --id=@m create mirror name=span "select_src_port=[$ports]" output_port=@o1 \
                 -- set bridge br0 mirrors=@m ;;
    off)     ;;
    *)       lab_die "no mirror mode '$1' (both, doubled, one-way, off)" ;;
    esac >/dev/null
    # Flows already in the datapath keep their old mirrors otherwise.
    ovs-appctl -t "$OVS_RUNDIR/vswitchd.ctl" revalidator/purge
}

# Private copies of what the programs read from /etc, and an empty /run.
lab_build_files() {
    local t f
    mkdir -p "$LAB_DIR/log" "$LAB_DIR/run" "$LAB_DIR/etc" "$LAB_DIR/srv" "$LAB_DIR/tmp"
    mount -t tmpfs tmpfs /run
    mkdir -p /run/netns /run/sshd /run/vsftpd/empty /run/lock /run/samba
    : >"$LAB_DIR/run/.keep"
    echo "nameserver $RESOLVER" >"$LAB_DIR/etc/resolv.conf"
    t=$(readlink -m /etc/resolv.conf)
    if [ -e "$t" ]; then mount --bind "$LAB_DIR/etc/resolv.conf" "$t"
    else mkdir -p "$(dirname "$t")" && cp "$LAB_DIR/etc/resolv.conf" "$t"; fi
    echo 'hosts: files dns' >"$LAB_DIR/etc/nsswitch.conf"
    echo '127.0.0.1 localhost' >"$LAB_DIR/etc/hosts"
    echo 'root:*:19000::::::' >"$LAB_DIR/etc/shadow"
    for f in nsswitch.conf hosts shadow; do mount --bind "$LAB_DIR/etc/$f" "/etc/$f"; done
}

lab_make_certs() {
    local d=$LAB_DIR/etc/tls n
    mkdir -p "$d"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Lab CA' \
        -keyout "$d/ca.key" -out "$d/ca.pem" 2>/dev/null
    n='DNS:images.aduana.example,DNS:drop.cloud.example,DNS:files.abroad.example,DNS:*.cloud.example'
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=server.lab.example' \
        -keyout "$d/server.key" -out "$d/server.csr" 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$n" >"$d/ext"
    openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -days 30 \
        -extfile "$d/ext" -out "$d/server.pem" 2>/dev/null
}

lab_start_dnsmasq() {
    cat >"$LAB_DIR/etc/dnsmasq.conf" <<END
no-resolv
no-hosts
bind-interfaces
listen-address=$RESOLVER
user=root
pid-file=
local-ttl=300
local=/example/
host-record=images.aduana.example,$IMAGES,$IMAGES6
host-record=drop.cloud.example,$CLOUD
host-record=files.abroad.example,$DROP,$DROP6
host-record=ntp.aduana.example,$NTP
host-record=vpn.abroad.example,$VPN
server=/t.tunnel.example/$NS2
END
    lab_bg dnsmasq outside dnsmasq --keep-in-foreground -C "$LAB_DIR/etc/dnsmasq.conf"
}

lab_start_nginx() {
    local d=$LAB_DIR/etc/tls
    mkdir -p "$LAB_DIR/srv/www" && chmod 777 "$LAB_DIR/srv/www"
    cat >"$LAB_DIR/etc/nginx.conf" <<END
user root; worker_processes 1; daemon off; pid $LAB_DIR/tmp/nginx.pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 64m; keepalive_timeout 2s;
  client_body_temp_path $LAB_DIR/tmp/body; proxy_temp_path $LAB_DIR/tmp/proxy;
  fastcgi_temp_path $LAB_DIR/tmp/f; uwsgi_temp_path $LAB_DIR/tmp/u; scgi_temp_path $LAB_DIR/tmp/s;
  server {
    listen $IMAGES:80; listen $IMAGES:443 ssl; listen [$IMAGES6]:443 ssl;
    listen $CLOUD:443 ssl; listen $DROP:80; listen $DROP:443 ssl; listen [$DROP6]:443 ssl;
    ssl_certificate $d/server.pem; ssl_certificate_key $d/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    root $LAB_DIR/srv/www; dav_methods PUT DELETE;
  }
}
END
    lab_bg nginx outside nginx -e stderr -c "$LAB_DIR/etc/nginx.conf"
}

# lab_blob FILE KILOBYTES - bytes that do not compress.
lab_blob() { head -c "$(($2 * 1024))" /dev/urandom >"$1"; }

# ---- what the cases are made of ---------------------------------------------

# lab_put NS URL [CURL-OPTION…] - upload the image with curl.
lab_put() {
    local ns=$1 url=$2; shift 2
    lab_in "$ns" curl -sS -m 6 --cacert "$LAB_DIR/etc/tls/ca.pem" -o /dev/null \
        -T "${LAB_IMAGE:-$LAB_DIR/tmp/scan.img}" "$@" "$url"
}

lab_make_dicom() { # FILE: a secondary capture image with 200x200 random pixels
    local bmp=$LAB_DIR/tmp/image.bmp
    perl -e 'my ($w, $h) = (200, 200); binmode STDOUT; my $n = $w * $h * 3;
        print "BM", pack("VvvV", 54 + $n, 0, 0, 54), pack("VVVvvVVVVVV", 40, $w, $h, 1, 24, 0, $n, 0, 0, 0, 0);
        print pack("C*", map { int rand 256 } 1 .. $n);' >"$bmp"
    img2dcm -q -i BMP -k "PatientName=CONTAINER^ABCU1234560" -k "PatientID=ABCU1234560" "$bmp" "$1"
}

# lab_start_sshd NAME NS ADDRESS PORT; the key is made once.
lab_start_sshd() {
    local d=$LAB_DIR/etc/ssh
    mkdir -p "$d"
    [ -f "$d/key" ] || {
        ssh-keygen -q -t ed25519 -N '' -f "$d/key"
        ssh-keygen -q -t ed25519 -N '' -f "$d/host"
        cat >"$d/client" <<END
IdentityFile $d/key
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
ConnectTimeout 4
END
    }
    cat >"$d/$1" <<END
ListenAddress $3:$4
HostKey $d/host
AuthorizedKeysFile $d/key.pub
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
END
    lab_bg "case-$1" "$2" "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$d/$1"
    lab_wait_port "$2" tcp "$4"
}
lab_ssh() { # NS ssh|scp|sftp ARG…
    local ns=$1 prog=$2; shift 2
    lab_in "$ns" "$prog" -F "$LAB_DIR/etc/ssh/client" "$@"
}

# lab_sink NS tcp|udp ADDRESS PORT - something that takes all and says nothing.
lab_sink() {
    local a=$3
    case $a in *:*) a="[$a]"; set -- "$1" "$2"6 "$a" "$4" ;; *) set -- "$1" "$2"4 "$a" "$4" ;; esac
    case $2 in
    tcp*) lab_bg "case-sink-$2-$4" "$1" socat -u "TCP${2#tcp}-LISTEN:$4,bind=$3,reuseaddr,fork" OPEN:/dev/null ;;
    *)    lab_bg "case-sink-$2-$4" "$1" socat -u "UDP${2#udp}-RECV:$4,bind=$3" OPEN:/dev/null ;;
    esac
    lab_wait_port "$1" "${2%[46]}" "$4"
}

lab_ask_ntp() { # NS SERVER - one measurement; -Q sets no clock
    lab_in "$1" chronyd -Q -t 4 -u root -f /dev/null "server $2 iburst maxsamples 2" "cmdport 0" \
        "bindcmdaddress /" "pidfile $LAB_DIR/tmp/chronyd-$1.pid" >/dev/null 2>&1
}

lab_approval_images() {
    lab_approval APR-IMAGES 'equipment: [NII-0007, BAG-0003]' \
        "to: {hosts: [images.aduana.example], prefixes: [198.51.100.0/25, \"2001:db8:f000::/40\"]}" \
        'ports: [tcp/443]' 'apps: [TLS]' 'initiator: equipment'
}

# lab_build - all of it; needs lab_enter before.

lab_build() {
    [ -n "${LAB_INSIDE:-}" ] || lab_die "lab_build outside of its namespaces"
    lab_build_files
    hostname lab
    ip netns attach hub $$ && ip link set lo up
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    lab_start_ovs || return 1
    lab_build_router
    lab_host nii7  120 c0:9b:f4:b0:00:07 192.0.2.10/26 192.0.2.1  2001:db8:120::10/64 2001:db8:120::1
    lab_host nii8  120 70:b3:d5:cc:90:08 192.0.2.11/26 192.0.2.1  2001:db8:120::11/64 2001:db8:120::1
    lab_host rogue 120 00:00:5e:00:53:66 192.0.2.40/26 192.0.2.1  2001:db8:120::40/64 2001:db8:120::1
    lab_host bag3  130 00:50:c2:2b:20:03 192.0.2.70/26 192.0.2.65 2001:db8:130::70/64 2001:db8:130::1
    lab_host bag4  130 70:b3:d5:00:40:04 192.0.2.71/26 192.0.2.65 2001:db8:130::71/64 2001:db8:130::1
    lab_build_outside
    lab_build_span
    lab_mirror both
    lab_make_certs
    lab_start_dnsmasq
    lab_start_nginx
    lab_wait_port outside udp 53 || return 1
    lab_wait_port outside tcp 443 || return 1
    lab_blob "$LAB_DIR/tmp/scan.img" 120
}

# ---- site.yaml --------------------------------------------------------------

# lab_site - everything of site.yaml but the approvals of the case.
lab_site() {
    local y; y=$(date +%Y)
    cat <<END
site: {name: Puerto de Laboratorio, sensor: lab-01, timezone: $LAB_TIMEZONE, language: es}
capture: {interfaces: [span0], workers: 2, snaplen: 65535, buffer_mb: 16}
networks:
  - {name: cargo-xray, vlan: 120, prefixes: [192.0.2.0/26, "2001:db8:120::/64"]}
  - {name: baggage, vlan: 130, prefixes: [192.0.2.64/26, "2001:db8:130::/64"]}
equipment:
  - {id: NII-0007, vendor: nuctech, model: cargo portal, place: Carril 3, mac: "c0:9b:f4:b0:00:07", addresses: [192.0.2.10, "2001:db8:120::10"]}
  - {id: NII-0008, vendor: rapiscan, model: cargo portal, place: Carril 4, mac: "70:b3:d5:cc:90:08", addresses: [192.0.2.11, "2001:db8:120::11"]}
  - {id: BAG-0003, vendor: smiths, model: baggage tunnel, place: Sala A, mac: "00:50:c2:2b:20:03", addresses: [192.0.2.70, "2001:db8:130::70"]}
  - {id: BAG-0004, vendor: leidos, model: baggage tunnel, place: Sala B, mac: "70:b3:d5:00:40:04", addresses: [192.0.2.71, "2001:db8:130::71"]}
approvals:
  - id: APR-DNS
    equipment: [cargo-xray, baggage]
    to: {prefixes: [$RESOLVER/32]}
    ports: [udp/53, tcp/53]
    apps: [DNS]
    initiator: equipment
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Laboratorio
    ticket: LAB-1
END
}

# lab_approval ID LINE… - one approval, with what every approval must have.
lab_approval() {
    local y id=$1; y=$(date +%Y); shift
    printf '  - id: %s\n' "$id"
    printf '    %s\n' "$@"
    case "$*" in *valid:*) ;; *) printf '    valid: %d-01-01..%d-12-31\n' $((y - 1)) $((y + 1)) ;; esac
    printf '    approved_by: Laboratorio\n    ticket: LAB-%s\n' "${id#APR-}"
}

# ---- cases ------------------------------------------------------------------

lab_cases() { local f; for f in "$LAB_HERE"/cases/*.sh; do basename "$f" .sh; done; }

# lab_load_case NAME - defines case_about, case_needs, case_site, case_setup,
# case_traffic, case_expect; see README.md.
lab_load_case() {
    # shellcheck disable=SC2034,SC2317  # the case and its caller use them
    {
    case_about='' case_needs='' case_mirror=both case_sums=yes case_peers='' case_note=''
    case_site() { :; }
    unset -f case_whole_site
    case_setup() { :; }
    case_expect() { :; }
    }
    [ -f "$LAB_HERE/cases/$1.sh" ] || lab_die "no case '$1' in $LAB_HERE/cases"
    # shellcheck source=/dev/null
    . "$LAB_HERE/cases/$1.sh"
}
# lab_case_site - the whole of it. Live with the databases that place the
# documentation ranges, copied to $LAB_DIR: the judge is nobody and may not reach
# the source tree. Recordings go without, their paths would be this machine's.
lab_case_site() {
    local live=''
    [ -z "${LAB_LIVE:-}" ] ||
        live="/^capture:/a geo: {city: $LAB_DIR/geo/GeoLite2-City.mmdb, asn: $LAB_DIR/geo/GeoLite2-ASN.mmdb}\nuser: nobody"
    if declare -F case_whole_site >/dev/null; then case_whole_site; else lab_site; case_site; fi | sed "$live"
}

# lab_drop_neighbours - each case sees its own ARP and neighbour discovery.
lab_drop_neighbours() {
    local h
    for h in $LAB_HOSTS router; do ip -n "$h" neigh flush all 2>/dev/null; done
}

# lab_stop_servers - what case_setup started; all of its names begin with "case-".
lab_stop_servers() {
    local f
    for f in "$LAB_DIR"/run/case-*; do
        [ -e "$f" ] && lab_kill "$(basename "$f")"
    done
    return 0
}

# ---- the command ------------------------------------------------------------

lab_need_root() {
    local m
    [ "$(id -u)" = 0 ] || lab_die "needs root (namespaces, raw sockets)"
    # shellcheck disable=SC2086
    m=$(lab_missing $LAB_NEEDS)
    [ -z "$m" ] || lab_die "not installed:" "$m"
}

# The first process of a lab that stays up: it builds, then reaps what ends.
lab_hold() {
    lab_build || { echo failed >"$LAB_DIR/state"; exit 1; }
    env | grep -E '^(LAB_DIR|LAB_INSIDE|OVS_[A-Z]*)=' >"$LAB_DIR/env"
    echo up >"$LAB_DIR/state"
    trap 'exit 0' TERM INT HUP
    while :; do sleep 3600 & wait $!; done
}

lab_up() {
    lab_need_root
    LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/garita-lab.XXXXXX") || exit 1
    chmod 755 "$LAB_DIR"
    export LAB_DIR LAB_INSIDE=1
    setsid "${LAB_UNSHARE[@]}" bash "$LAB_HERE/lab.sh" hold >"$LAB_DIR/hold.log" 2>&1 </dev/null &
    echo $! >"$LAB_DIR/unshare.pid"
    disown
    lab_wait 20 test -s "$LAB_DIR/state"
    [ "$(cat "$LAB_DIR/state" 2>/dev/null)" = up ] || {
        cat "$LAB_DIR/hold.log" >&2; lab_down "$LAB_DIR"; lab_die "did not come up"; }
    echo "$LAB_DIR"
}

lab_down() {
    local pid
    [ -f "$1/unshare.pid" ] || lab_die "$1 is not a lab"
    pid=$(cat "$1/unshare.pid")
    case $(cat "/proc/$pid/comm" 2>/dev/null) in unshare) kill -KILL "$pid" ;; esac
    lab_wait 5 test ! -e "/proc/$pid"
    rm -rf "$1"
}

# lab_attach DIR CMD… - run a command inside a lab that is up.
lab_attach() {
    local pid dir=$1; shift
    pid=$(cat "$dir/unshare.pid") || exit 1
    pid=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children") || lab_die "$dir is not up"
    # shellcheck disable=SC2046  # one variable a line, no spaces in them
    exec nsenter -t "$pid" -u -m -n -p env $(cat "$dir/env") "$@"
}

lab_main() {
    local cmd=${1:-}; shift
    # shellcheck disable=SC2016  # expanded inside
    case $cmd in
    up)     lab_up ;;
    hold)   lab_hold ;;
    down)   lab_down "${1:?the directory that up printed}" ;;
    exec)   local d=${1:?} ns=${2:?}; shift 2; lab_attach "$d" ip netns exec "$ns" "$@" ;;
    shell)  lab_attach "${1:?}" ip netns exec "${2:?}" "${SHELL:-bash}" ;;
    mirror) lab_attach "${1:?}" bash -c '. "$1"; lab_mirror "$2"' lab "$LAB_HERE/lab.sh" "${2:?}" ;;
    cases)  lab_cases ;;
    *)      sed -n '2,14s/^# \{0,1\}//p' "$LAB_HERE/lab.sh" >&2; exit 2 ;;
    esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then lab_main "$@"; fi
