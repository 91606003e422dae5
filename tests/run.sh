#!/bin/sh
# run.sh BUILD - every test that needs no rights: unit tests, replays, fuzz
# corpora, module includes. Ends with a line "N passed, N failed".
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0
failed=0
skipped=0

# step NAME COMMAND... - one line a step; the output only when it failed.
step() {
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
		grep -E '^SKIPPED|^\[  SKIPPED' "$log" && skipped=$((skipped + 1))
	else
		failed=$((failed + 1))
		cat "$log"
		echo "not ok - $name"
	fi
}

for t in "$build"/unit/test_*; do
	case $t in *.d | *.o | *'*') continue ;; esac
	step "unit $(basename "$t")" "$t"
done
[ -x "$build/model/ring_check" ] && step "ring model: every outcome of its atomics" "$build/model/ring_check"
step "module includes" tests/check-deps.sh
step "every text in both languages" tools/po/update.sh --check
for d in tests/replay/*/; do
	[ -f "$d/expected.jsonl" ] && step "replay $(basename "$d")" tests/replay.sh "$build" "$(basename "$d")"
done
step "replays: what each case is about" env GARITAD="$build/garitad" GARITA="$build/garita" tests/lab/replay.sh
for s in tests/cli/*.sh; do
	[ -f "$s" ] && step "command line: $(basename "$s" .sh)" sh "$s" "$build"
done
if [ "$(basename "$build")" = build ] && make -n fuzz-replay >/dev/null 2>&1; then
	step "fuzz corpora" make --no-print-directory fuzz-replay BUILD="$build"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
