#!/bin/sh
# Run unit tests given as arguments; say which failed; exit 1 if any did.
failed=0
for t in "$@"; do
	if out=$("$t" 2>&1); then
		printf '%s\n' "$out" | grep -E '^\[  PASSED  \]' | sed "s|^|$(basename "$t"): |"
	else
		printf '%s\n' "$out"
		printf 'FAILED: %s\n' "$t"
		failed=1
	fi
done
exit $failed
