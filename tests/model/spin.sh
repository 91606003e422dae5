#!/bin/sh
# spin.sh BUILD - ring.pml and feed.pml through every order of their steps, and broken in ways that must be seen.
cd "$(dirname "$0")" || exit 1
here=$PWD
dir=$(mkdir -p "../../${1:-build}/model/spin" && cd "../../${1:-build}/model/spin" && pwd) || exit 1
cd "$dir" || exit 1
bad=0

# run MODEL -D… : 0 when no error is found, 1 when one is, 2 when the search is not complete
run() {
	model=$1
	shift
	rm -f pan* ./*.trail
	spin -a "$@" "$here/$model.pml" >log 2>&1 && cc -O2 -DSAFETY -DCOLLAPSE -w -o pan pan.c || return 2
	timeout 600 ./pan -m200000 >log 2>&1 || return 2
	grep -q 'max search depth too small\|out of memory' log && return 2
	grep -q 'errors: 0' log
}

for c in "ring -DFIRST=4 -DSECOND=0" "ring -DFIRST=1 -DSECOND=1" "feed -DCOUNT=4" "feed -DCOUNT=4 -DMORE=1"; do
	# shellcheck disable=SC2086 # model and options
	if run $c; then
		echo "ok - $c: $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' log) states"
	else
		cat log
		echo "not ok - $c"
		bad=1
	fi
done
for c in "ring -DNO_JUDGE_FENCE" "ring -DNO_WORKER_FENCE" "ring -DNO_SECOND_LOOK" "ring -DHEAD_FIRST" \
	"feed -DNO_PUBLISH_FENCE" "feed -DNO_WAIT_FENCE" "feed -DNO_RELEASE_FENCE" "feed -DNO_WANT_FENCE" "feed -DBLIND_SLEEP"; do
	# shellcheck disable=SC2086 # model and option
	run $c
	if [ $? = 1 ]; then
		echo "ok - $c is seen: $(sed -n 's/^pan:1: //p' log)"
	else
		echo "not ok - $c goes unseen"
		bad=1
	fi
done
exit $bad
