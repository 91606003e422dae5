#!/bin/sh
# mutants.sh BUILD - ring.c and feed.c with each acquire and each release
# weakened to relaxed, and with other promises broken, one at a time: the model
# check must see each of them, but for those that are named here with their
# reason.
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}/model/mutant
mkdir -p "$build"
seen=0
missed=0

excused() {
	case $1 in
	# The level of a queue, for people.
	ring_used_bytes) return 0 ;;
	# An answer, no leave to write: ring_push looks for itself.
	ring_has_room) return 0 ;;
	# Only a hostile writer leads there, and he may write what he likes.
	give_up) return 0 ;;
	esac
	return 1
}

# try NAME FUNCTION: $build/$name.c is the mutant
try() {
	if ! make -s BUILD="$build" "$var=$build/$name.c" "$build/model/${name}_check" >"$build/log" 2>&1; then
		cat "$build/log"
		echo "not ok - $1: does not build"
		missed=$((missed + 1))
	elif timeout 300 "$build/model/${name}_check" >"$build/log" 2>&1; then
		excused "$2" && echo "ok - $1 is not needed: $2" && return
		echo "not ok - $1 goes unseen: $2"
		missed=$((missed + 1))
	else
		seen=$((seen + 1))
		echo "ok - $1: $2: $(grep -o 'broken after.*;' "$build/log")"
	fi
}

# The function that a line stands in: the last line before it that begins one.
function_of() {
	head -n "$1" "$source" | grep -E '^[a-z].*\(.*\)?$' | tail -1 | sed 's/(.*//; s/.*[ *]//'
}

# all_relaxed NAME VAR: monitor/base/NAME.c, which VAR= replaces
all_relaxed() {
	name=$1 var=$2 source=monitor/base/$1.c
	for line in $(grep -nE 'memory_order_(acquire|release)' "$source" | cut -d: -f1); do
		sed "${line}s/memory_order_acquire/memory_order_relaxed/; ${line}s/memory_order_release/memory_order_relaxed/" \
			"$source" >"$build/$name.c"
		try "$name.c line $line relaxed" "$(function_of "$line")"
	done
}

# broken NAME SED: another promise
broken() {
	sed "$2" "$source" >"$build/$name.c"
	if cmp -s "$source" "$build/$name.c"; then
		echo "not ok - $1: nothing to change"
		missed=$((missed + 1))
		return
	fi
	try "$1" "$name"
}

all_relaxed ring RING_C
broken "the head goes ahead of the record" '/memcpy(at, &size32/i\	atomic_store_explicit(\&s->head, head + need, memory_order_release);'
broken "a record too many fits" 's/need <= r->capacity - used/need <= r->capacity - used + 16/'
broken "no skip before the end" 's/\*ret_skip = need > to_end ? to_end : 0/*ret_skip = 0/'
broken "the skip is not released" 's/r->peeked = skip + need/r->peeked = need/'
broken "one slot for the watermark" 's/mark\[(count + 1) & 1\]/mark[count \& 1]/'
broken "the watermark is not read again" 's/memory_order_relaxed) == count)/memory_order_relaxed) != ~count)/'
broken "released before it was read" '/^	r->peeked = skip + need;/i\	atomic_store_explicit(\&s->tail, tail + skip + need, memory_order_release);'

all_relaxed feed FEED_C
broken "published ahead of a slot" 's/^	atomic_store_explicit(&w->published, ++f->position, /	atomic_store_explicit(\&w->published, ++f->position + 1, /'
broken "a reader released before it read" 's/return published != f->position ? slot_at(f, f->position) : NULL/if (published != f->position) atomic_store_explicit(\&reader_of(f, f->me)->released, f->position + 1, memory_order_release); &/'
broken "the slot after this one" 's/^	return slot_at(f, f->position);/	return slot_at(f, f->position + 1);/'
broken "a slot too many" 's/return (int32_t)(released - position) >= 0/return (int32_t)(released + 1 - position) >= 0/'

echo "mutants: $seen seen, $missed missed"
[ "$missed" = 0 ]
