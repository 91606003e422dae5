#!/bin/sh
# ndpi.sh DIR [CC] - DIR/libndpi.a: the installed version of nDPI, built for
# libFuzzer with AddressSanitizer from the source that apt gives for it. The
# lists of apt are those of DIR: the system's stay as they are.
# Exit 77 where apt has no source: then say so and fuzz the library as it is.
set -eu
dir=$1
cc=${2:-clang}
[ -e "$dir/libndpi.a" ] && exit 0
mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/obj" "$dir/source"
dir=$(cd "$dir" && pwd)
name=$(dpkg-query -W -f '${source:Package}=${source:Version}' libndpi-dev)
version=$(dpkg-query -W -f '${source:Upstream-Version}' libndpi-dev)

# The entries of the system, as sources.
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p'
} >"$dir/apt.list"
for f in /etc/apt/sources.list.d/*.sources; do
	[ -e "$f" ] || continue
	sed 's/^Types:.*/Types: deb-src/' "$f" >"$dir/$(basename "$f")"
	mkdir -p "$dir/parts"
	mv "$dir/$(basename "$f")" "$dir/parts/"
done
mkdir -p "$dir/parts"
apt="apt-get -qq -o Dir::Etc::sourcelist=$dir/apt.list -o Dir::Etc::sourceparts=$dir/parts -o Dir::State::lists=$dir/lists"
apt="$apt -o Dir::Cache=$dir/cache -o APT::Sandbox::User=root"
$apt update || true
# A mirror may lack the packaging; the upstream source, whose hash apt has checked, is enough.
(cd "$dir" && $apt source --download-only "$name") || true
tar=$(find "$dir" -maxdepth 1 -name "ndpi_$version*.orig.tar.*" | head -1)
if [ -z "$tar" ]; then
	echo "SKIPPED: apt has no source of $name here: nDPI cannot be instrumented"
	exit 77
fi
tar -xf "$tar" -C "$dir/source" --strip-components=1 --exclude='*/tests' --exclude='*/doc' --exclude='*/windows'

cd "$dir/source/src/lib"
for f in *.c protocols/*.c third_party/src/*.c; do
	case $f in *strptime.c | *sha1-fast.c) continue ;; esac
	echo "$f"
done | xargs -P2 -I{} sh -c '"$1" -g -O1 -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link -fPIC -w \
	-DNDPI_LIB_COMPILATION -DHAVE_CONFIG_H -I/usr/include/ndpi -I../include -Ithird_party/include \
	-c "$2" -o "$3/$(echo "$2" | tr / _).o"' sh "$cc" {} "$dir/obj"
ar rcs "$dir/libndpi.a" "$dir"/obj/*.o
cd "$dir"
rm -rf lists cache parts obj source apt.list "$tar" ndpi_*
echo "nDPI $version, instrumented: $dir/libndpi.a"
