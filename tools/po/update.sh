#!/bin/sh
# update.sh [--check] - garita.pot from the sources, and es.po brought up to it. With --check nothing is written: what
# would be, what has no Spanish, and pairs of languages left in the code are said. `make po`, `make po-check`.
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

# The functions that translate what they are given, and the marks of base/msgid.h.
keywords='N_:1 NN_:1,2 C_:1c,2 tr:2 tr_n:2,3 text_count:2,3 said:2 policy_said:2 review_said:2 report_said:2
signatures_said:2 put_measure:2 print_unknown:3 bad:4'

# wrong TEXT... - something is not as it should be
wrong() {
	echo "$*" >&2
	bad=1
}

# Files without lines and nothing of the day: a text that did not change stays as it is.
set -- "${1:-}"
for k in $keywords; do
	set -- "$@" "--keyword=$k"
done
mode=$1
shift
find monitor tools -name '*.[ch]' ! -path 'tools/probe/*' | sort >"$tmp/files"
xgettext --from-code=UTF-8 --language=C -k "$@" \
	--files-from="$tmp/files" --add-location=file --sort-by-file --no-wrap --add-comments=TRANSLATORS: \
	--package-name=garita --foreign-user -o "$tmp/all.pot" || exit 1
sed '1,/^$/ {
	/^#/d
	/^"\(POT-Creation-Date\|PO-Revision-Date\|Last-Translator\|Language-Team\|Report-Msgid-Bugs-To\):/d
	s/CHARSET/UTF-8/
}' "$tmp/all.pot" >"$tmp/garita.pot"
msgmerge --quiet --no-fuzzy-matching --add-location=file --sort-by-file --no-wrap -o "$tmp/merged.po" tools/po/es.po "$tmp/garita.pot" &&
	msgattrib --no-obsolete --no-wrap --add-location=file --sort-by-file -o "$tmp/es.po" "$tmp/merged.po" || exit 1

if [ "$mode" != --check ]; then
	cp "$tmp/garita.pot" "$tmp/es.po" tools/po/
	exec msgfmt --check --statistics -o /dev/null tools/po/es.po
fi

# Versions of gettext differ in comments and flags: the texts count.
for f in garita.pot es.po; do
	sed '/^#[^~]/d; /^#$/d' "tools/po/$f" >"$tmp/have"
	sed '/^#/d' "$tmp/$f" | diff "$tmp/have" - >&2 || wrong "tools/po/$f is not what the sources say: make po"
done
stat=$(msgfmt --check --statistics -o /dev/null tools/po/es.po 2>&1) || wrong "$stat"
case $stat in
*fuzzy* | *untranslated*) wrong "tools/po/es.po: $stat" ;;
esac
msgattrib --untranslated --no-wrap tools/po/es.po >&2
# %ju and %jd: PRIu64 is another msgid on another machine.
! grep -n '<PRI' "$tmp/garita.pot" >&2 || wrong "a translated text has PRIu64 or the like: write %ju, %jd"
# Names of countries are data, from the CLDR by their codes.
pairs() {
	grep -rn --include='*.[ch]' --exclude=country.h --exclude=country_table.c "$@" monitor tools >&2
}
! pairs -E '"es"\) == 0 \? ("|es)|const char \*en, const char \*es|[?] es : en|\*en, \*es;' || wrong "pairs of languages in the code: the Spanish goes into tools/po/es.po"
! pairs -P '^[^/"]*"[^"]*[áéíóúñÁÉÍÓÚÑ¿¡]' || wrong "Spanish in the code: it goes into tools/po/es.po"
[ $bad = 0 ] && echo "$stat"
exit $bad
