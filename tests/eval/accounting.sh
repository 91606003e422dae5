#!/bin/sh
# accounting.sh BUILD [MUTANTS [JOBS]] - see accounting.pl
set -eu
for need in tshark perl; do
	command -v $need >/dev/null || { echo "accounting: $need is missing (tools/install/deps.sh test)" >&2 && exit 1; }
done
perl -MJSON::PP -e 1
exec perl "$(dirname "$0")/accounting.pl" "$1" "${2:-10000}" "${3:-2}"
