#!/bin/sh
# Includes may point up the module table only (DESIGN, CONTRIBUTING.md), and
# one module alone includes each third-party library.
cd "$(dirname "$0")/.." || exit 1
bad=0

# The table, top first. A module may include itself and what stands above it.
order='base/err base/msgid base/log base/bytes base/addr base/ring base/feed base/netset base/control base/digits base/json base/seed base/sha1 base/sha256 base/tz base/config fact keep
sense/capture sense/decode sense/fragment sense/dedup sense/flow_table sense/tcp_track sense/echo sense/ssh sense/station sense/label sense/dns sense/recognise sense/signature sense/dpi sense/content sense/carrier sense/inspect sense/tell sense/hold sense/worker
judge/names judge/vendors judge/inventory judge/geo judge/policy judge/domain judge/distinct judge/detect judge/channel judge/severity judge/row judge/intern judge/transfer judge/finding judge/maintenance judge/judge
record/ledger record/pcapng record/community_id record/store record/signer record/verify record/retention record/evidence record/emit record/recorder
sandbox accounting notify rules process supervisor main'

rank() {
	n=0
	for m in $order; do
		n=$((n + 1))
		# store_read belongs to store, policy_hours to policy, …
		case "$1" in "$m" | "$m"_*) echo $n && return ;; esac
	done
	echo 0
}

for f in $(find monitor -name '*.[ch]' | sort); do
	me=${f#monitor/}
	me=${me%.[ch]}
	r=$(rank "$me")
	if [ "$r" = 0 ]; then
		echo "$f: not in the module table of tests/check-deps.sh"
		bad=1
		continue
	fi
	for inc in $(sed -n 's/^#include "\(.*\)\.h".*/\1/p' "$f"); do
		i=$(rank "$inc")
		if [ "$i" = 0 ]; then
			echo "$f: includes $inc.h, which is not in the module table"
			bad=1
		elif [ "$i" -gt "$r" ]; then
			echo "$f: includes $inc.h, which stands below it"
			bad=1
		fi
	done
done

# library header -> the only module that may include it
alone() {
	for f in $(grep -lE "^#include <($1)" -r monitor tools --include='*.[ch]'); do
		case "$f" in monitor/$2.[ch] | monitor/$2_*.[ch] | $2.[ch]) ;; *)
			echo "$f: includes <$1>; only $2 may"
			bad=1
			;;
		esac
	done
}
alone 'ndpi' sense/dpi
alone 'pcap' sense/capture
alone 'maxminddb' judge/geo
alone 'sqlite3' record/store
alone 'yaml' base/config
alone 'libpsl' judge/domain
alone 'yara' sense/signature
alone 'openssl' base/sha256
alone 'seccomp|cap-ng' sandbox
alone 'zip\.' tools/evidence/bundle_zip
[ $bad = 0 ] && echo "check-deps: includes point upwards only"
exit $bad
