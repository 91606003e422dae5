#!/bin/sh
# deps.sh GROUP... - install what is missing, with apt, by package name.
# Groups: build (to build and run), test (for make test), lab, bench, fuzz, model, lint, geoip.
# Nothing is started: packages that bring a service are kept from starting it.
set -eu

list() {
	case $1 in
	build) echo gcc libc6-dev make pkg-config gettext libpcap-dev libndpi-dev libmaxminddb-dev libsqlite3-dev \
		libsodium-dev libssl-dev libseccomp-dev libcap-ng-dev libyaml-dev libxxhash-dev zlib1g-dev libzstd-dev libpsl-dev libyara-dev libzip-dev \
		ieee-data tzdata ;;
	test) echo libcmocka-dev iproute2 tshark sqlite3 jq perl man-db groff-base zstd gzip python3-jsonschema unzip openssl python3 ;;
	lab) echo openvswitch-switch iproute2 ethtool procps tcpdump curl openssl nginx-light dcmtk vsftpd \
		openssh-server openssh-client samba smbclient mosquitto mosquitto-clients rsync iodine openvpn chrony \
		dnsmasq-base bind9-dnsutils netcat-openbsd socat iputils-ping jq perl sqlite3 tshark x11vnc xvfb vncsnapshot \
		microsocks tinyproxy-bin unbound knot-dnsutils wireguard-tools wireguard-go swaks python3-aiosmtpd ;;
	bench) echo libndpi-bin softflowd tcpdump tcpreplay iproute2 ethtool time perl sqlite3 ;;
	fuzz) echo clang llvm ;;
	model) echo spin ;;
	lint) echo clang-tidy cppcheck shellcheck man-db groff-base ;;
	geoip) echo tor-geoipdb libmaxmind-db-writer-perl ;;
	*) echo "deps.sh: unknown group $1" >&2 && exit 2 ;;
	esac
}

missing=
for group in "$@"; do
	for p in $(list "$group"); do
		case " $missing " in *" $p "*) continue ;; esac
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
	done
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "missing packages; run as root: apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi

# invoke-rc.d(8) asks this file whether a service may start: 101 says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$sudo rm -f $policy' EXIT INT TERM
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
fi
echo "installing:$missing" >&2
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
