#!/bin/sh
# clang-tidy, cppcheck, shellcheck, the manual pages and the translations; the preprocessor's flags as arguments.
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
bad=0

# check NAME PROGRAM COMMAND... - quiet when good
check() {
	name=$1
	program=$2
	shift 2
	if ! command -v "$program" >/dev/null; then
		echo "SKIPPED: $name ($program is not installed)"
	elif "$@" >"$log" 2>&1; then
		echo "ok - $name"
	else
		cat "$log"
		echo "not ok - $name"
		bad=1
	fi
}

tidy() {
	find monitor tools -name '*.c' -print | sort |
		xargs -P2 -I{} clang-tidy --quiet {} -- -std=c17 "$@" 2>/dev/null
}

manual_pages() {
	for page in tools/man/*.[1-9]; do
		out=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
		[ -z "$out" ] || { echo "$page: $out" && return 1; }
	done
}

scripts() {
	find . -path ./build\* -prune -o \( -name '*.sh' -o -path './.ci/run' \) -exec shellcheck -S warning {} +
}

check "cppcheck" cppcheck cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Imonitor -Itools \
	--std=c11 -j2 monitor tools
check "shell scripts" shellcheck scripts
check "manual pages" groff manual_pages
check "every text in both languages" xgettext tools/po/update.sh --check
check "clang-tidy" clang-tidy tidy "$@"
exit $bad
