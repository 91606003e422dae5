#!/bin/bash
# make-variants.sh - captures that the lab cannot record, made from those it did:
# encapsulations, link layers, file formats, damage. Each becomes a folder like any
# other (capture, site.yaml, expect.tsv, README.md; `exit` where the replay must not
# end with 0). Needs perl, editcap, mergecap, tshark, gzip, zstd. Run again after
# upload/, fragments/ or unknown-machine/ were recorded anew; the same input gives the same output.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
base=upload/capture.pcap

sum() { # CAPTURE FILTER FIELD - total of a field, first occurrence in each packet
    tshark -r "$1" -Y "$2" -T fields -E occurrence=f -e "$3" 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}
number() { tshark -r "$1" -Y "$2" 2>/dev/null | wc -l; }

to='ip.dst==198.51.100.200' from='ip.src==198.51.100.200'
who='.equipment=="NII-0007" and .src_ip=="192.0.2.10" and .dest_ip=="198.51.100.200" and .dest_port==443 and .proto=="tcp" and .verdict=="unapproved"'
name='.hostname=="drop.cloud.example" and .hostname_verified==true'
# The figures of a capture in which the upload is not wrapped, as a condition.
figures() {
    printf '.ip_bytes_out==%s and .ip_bytes_in==%s and .packets_out==%s and .packets_in==%s and .payload_bytes_out==%s and .payload_bytes_in==%s' \
        "$(sum "$1" "$to" ip.len)" "$(sum "$1" "$from" ip.len)" "$(number "$1" "$to")" "$(number "$1" "$from")" \
        "$(sum "$1" "$to" tcp.len)" "$(sum "$1" "$from" tcp.len)"
}
all=$(figures $base)
same() { # what every complete variant must say
    printf '%s\t%s\t%s\n' \
        1 "$who and $name and $all" 'the upload, its name and its exact figures' \
        1 '.equipment=="NII-0007" and .dest_ip=="198.51.100.53" and .dest_port==53 and .verdict=="approved"' 'the question is approved' \
        2 'true' 'and nothing else is a transfer'
}

# put NAME VLAN FILE ABOUT - the folder; expectations on stdin. VLAN as in site.yaml, "" for none.
put() {
    mkdir -p "$1"; rm -f "$1"/capture.* "$1/exit"
    local f=${3##*/}
    cp "$3" "$1/capture.${f#*.}"
    cat >"$1/expect.tsv"
    if [ -n "$2" ]; then sed "s/vlan: 120,/vlan: $2,/" upload/site.yaml
    else sed 's/ vlan: 1[23]0,//' upload/site.yaml; fi >"$1/site.yaml"
    {
        printf '# %s\n\n%s\n\nWhat a record of this capture must say (as conditions: expect.tsv):\n\n' "$1" "$4"
        cut -f3 "$1/expect.tsv" | sed 's/^/- /'
        # shellcheck disable=SC2016
        printf '\nMade by `tests/replay/make-variants.sh` from `tests/replay/%s`.\n' "${5:-upload}"
    } >"$1/README.md"
    echo "$1"
}
# wrap NAME MODE VLAN ABOUT - a variant that changes nothing of what must be said.
wrap() {
    ./variants.pl "$2" $base "$tmp/x.pcap"
    same | put "$1" "$3" "$tmp/x.pcap" "$4"
}

wrap encap-untagged     untagged        ''         'The upload without its VLAN tags; the networks of site.yaml name no VLAN.'
wrap encap-qinq         qinq            '[500, 120]' 'Two tags, 802.1ad (0x88a8) outside and 802.1Q inside.'
wrap encap-qinq-9100    qinq-9100       '[500, 120]' 'Two tags, the outer one with the old type 0x9100.'
wrap encap-mpls         mpls            120        'IP under two MPLS labels, behind the VLAN tag.'
wrap encap-mpls-pseudowire mpls-pseudowire 120     'Whole tagged Ethernet frames under two MPLS labels and a control word.'
wrap encap-pppoe        pppoe           120        'PPPoE session frames behind the VLAN tag.'
wrap span-gre           gre-teb         120        'Remote mirror: tagged frames in GRE (0x6558).'
wrap span-gre-key       gre-key         120        'Remote mirror: tagged frames in GRE with checksum, key and sequence number.'
wrap span-erspan1       erspan1         120        'Remote mirror: ERSPAN type I (no ERSPAN header).'
wrap span-erspan2       erspan2         120        'Remote mirror: ERSPAN type II.'
wrap span-erspan3       erspan3         120        'Remote mirror: ERSPAN type III, every second frame with the platform subheader.'
wrap span-vxlan         vxlan           120        'Remote mirror: tagged frames in VXLAN.'
wrap span-geneve        geneve          120        'Remote mirror: tagged frames in Geneve with one option.'
wrap link-sll           sll             ''         'Linux cooked capture, version 1, no tags.'
wrap link-sll-tagged    sll-tagged      120        'Linux cooked capture, version 1, the tag behind its header.'
wrap link-sll2          sll2            ''         'Linux cooked capture, version 2, no tags.'
wrap link-raw           raw             ''         'Raw IP: no link layer, so no MAC; the machine is known by its address.'
wrap link-null          null            ''         'BSD loopback (DLT_NULL), family in the byte order of the writer.'
wrap link-loop          loop            ''         'OpenBSD loopback (DLT_LOOP), family big-endian.'
wrap file-nanosecond    nanosecond      120        'Nanosecond pcap.'
wrap file-big-endian    big-endian      120        'Pcap written on a big-endian machine.'
wrap file-nanosecond-big-endian nanosecond-big-endian 120 'Nanosecond pcap written on a big-endian machine.'

editcap -F pcapng $base "$tmp/x.pcapng"
same | put file-pcapng 120 "$tmp/x.pcapng" 'The same packets as pcapng.'
./variants.pl nanosecond $base "$tmp/n.pcap"; editcap -F pcapng "$tmp/n.pcap" "$tmp/x.pcapng"
same | put file-pcapng-nanosecond 120 "$tmp/x.pcapng" 'The same packets as pcapng with nanoseconds.'
cp $base "$tmp/x.pcap"; gzip -9 -n -k "$tmp/x.pcap"
same | put file-gzip 120 "$tmp/x.pcap.gz" 'The same pcap, compressed with gzip.'
zstd -q -19 "$tmp/x.pcap" -o "$tmp/x.pcap.zst"
same | put file-zstd 120 "$tmp/x.pcap.zst" 'The same pcap, compressed with zstd.'

./variants.pl one-tag $base "$tmp/x.pcap"
# shellcheck disable=SC2016
printf '%s\t%s\t%s\n' '>=1' "$who" 'the upload is unapproved' \
    0 '.dest_ip=="198.51.100.200" and .src_ip!="192.0.2.10"' 'whatever is seen of it has the machine inside' |
    put vlan-one-direction '' "$tmp/x.pcap" 'A switch that tags one direction only: the frames of the router lost their tags. With `vlan_in_key: false` for the interface it is one transfer with the figures of upload/.'

./variants.pl retransmitted $base "$tmp/x.pcap"
n=$(number "$tmp/x.pcap" "$to")
printf '%s\t%s\t%s\n' 1 "$who and $name and .packets_out==$n and .ip_bytes_out==$(sum "$tmp/x.pcap" "$to" ip.len) and .payload_bytes_out==$(sum $base "$to" tcp.len)" \
    'retransmissions count as IP bytes and not as payload' |
    put tcp-retransmission 120 "$tmp/x.pcap" 'Every second full segment is sent again after 200 ms, with a new IP identification: no duplicate of the mirror, a retransmission.'

./variants.pl gro $base "$tmp/x.pcap"
printf '%s\t%s\t%s\n' 1 "$who and $name and $(figures "$tmp/x.pcap")" 'merged frames count by their IP length' |
    put tcp-gro 120 "$tmp/x.pcap" 'Segments merged to frames far above the MTU, as generic receive offload of a capture port does it.'

./variants.pl ip4-options $base "$tmp/x.pcap"
printf '%s\t%s\t%s\n' 1 "$who and $name and $(figures "$tmp/x.pcap")" 'the options count in the IP length, the flow is the same' |
    put ip-options 120 "$tmp/x.pcap" 'Every IPv4 packet has options (router alert).'

./variants.pl ip6-extensions upload-v6/capture.pcap "$tmp/x.pcap"
v6='ipv6.dst==2001:db8:f100::80 && tcp'
printf '%s\t%s\t%s\n' 1 ".equipment==\"NII-0007\" and .dest_ip==\"2001:db8:f100::80\" and .dest_port==443 and .proto==\"tcp\" and .verdict==\"unapproved\" and .hostname==\"files.abroad.example\" and .packets_out==$(number "$tmp/x.pcap" "$v6") and .ip_bytes_out==$(($(sum "$tmp/x.pcap" "$v6" ipv6.plen) + 40 * $(number "$tmp/x.pcap" "$v6"))) and .payload_bytes_out==$(sum "$tmp/x.pcap" "$v6" tcp.len)" \
    'the upload behind its extension headers, to the byte' |
    put ipv6-extensions 120 "$tmp/x.pcap" 'Every TCP segment behind hop-by-hop options, destination options and an atomic fragment header.' upload-v6

editcap $base "$tmp/x.pcap.tmp" 1-12 && editcap -F pcap "$tmp/x.pcap.tmp" "$tmp/x.pcap"
printf '%s\t%s\t%s\n' 1 "$who and $(figures "$tmp/x.pcap")" 'the rest of the upload counts to the byte' \
    1 true 'and is the only transfer' \
    0 '.hostname_verified==true' 'it has no verified name' |
    put file-midstream 120 "$tmp/x.pcap" 'The capture begins in the middle: no DNS, no handshake, no ClientHello.'

editcap -F pcap -s 96 $base "$tmp/x.pcap"
printf '%s\t%s\t%s\n' 1 "$who and $all" 'sizes come from the headers: the figures are those of upload/' |
    put file-snaplen-96 120 "$tmp/x.pcap" 'Each packet cut after 96 bytes (snaplen).'

half=$(($(stat -c %s $base) - 100))
head -c $half $base >"$tmp/x.pcap"
tshark -r "$tmp/x.pcap" -w "$tmp/whole.pcap" -F pcap 2>/dev/null || true
printf '%s\t%s\t%s\n' 1 "$who and $(figures "$tmp/whole.pcap")" 'what came before the cut counts to the byte' |
    put file-cut 120 "$tmp/x.pcap" 'The file ends in the middle of its last packet but one: a damaged capture.'
echo 3 >file-cut/exit

# Two link types in one file, which libpcap 1.10 cannot read: two sections, as cat
# makes them; and two interfaces declared before the first packet, as mergecap does.
./variants.pl raw $base "$tmp/r.pcap"
editcap -F pcapng $base "$tmp/1.pcapng"; editcap -F pcapng "$tmp/r.pcap" "$tmp/2.pcapng"
twice() {
    printf '%s\t%s\t%s\n' \
        1 "$who and $name and $all and has(\"src_mac\") and .vlan==[120]" 'the upload on Ethernet, to the byte' \
        1 "$who and $name and $all and (has(\"src_mac\") or has(\"vlan\") | not)" 'the same as raw IP, without tag and MAC, is a flow of its own' \
        4 true 'and nothing but their questions is another transfer'
}
cat "$tmp/1.pcapng" "$tmp/2.pcapng" >"$tmp/x.pcapng"
twice | put file-pcapng-two-links 120 "$tmp/x.pcapng" 'A pcapng of two sections (cat a b), of Ethernet and of raw IP.'
mergecap -w "$tmp/x.pcapng" "$tmp/1.pcapng" "$tmp/2.pcapng"
twice | put file-pcapng-links-first 120 "$tmp/x.pcapng" 'A pcapng whose two interfaces, Ethernet and raw IP, are declared before the first packet; their packets alternate.'

f=fragments/capture.pcap
./variants.pl reversed $f "$tmp/x.pcap"
put fragments-reversed 120 "$tmp/x.pcap" 'The fragments of each datagram in reverse order: the first one, with the ports, comes last.' fragments <<END
1	.dest_ip=="203.0.113.77" and .proto=="udp" and .dest_port==9000 and .verdict=="unapproved"	the flow of the IPv4 datagrams is there
1	.dest_ip=="2001:db8:f100::80" and .proto=="udp" and .dest_port==9006 and .verdict=="unapproved"	so is that of the IPv6 ones
<=2	.dest_ip=="203.0.113.77"	what came before its ports were known is in it, or in one flow of its own
END
./variants.pl first-lost $f "$tmp/x.pcap"
put fragments-first-lost 120 "$tmp/x.pcap" 'The first fragment of each datagram never arrived: nobody can know the ports, the bytes went out all the same.' fragments <<END
>=1	.dest_ip=="203.0.113.77" and .src_ip=="192.0.2.11" and .verdict=="unapproved"	the IPv4 fragments are a transfer
>=1	.dest_ip=="2001:db8:f100::80" and .src_ip=="2001:db8:120::11" and .verdict=="unapproved"	so are the IPv6 ones
0	.dest_port==9000 or .dest_port==9006	no port is invented
END

editcap -F pcap -t -1296000 $base "$tmp/before.pcap"   # 15 days, one more than detect.learn
mergecap -F pcap -w "$tmp/x.pcap" "$tmp/before.pcap" unknown-machine/capture.pcap
# shellcheck disable=SC2016
put new-mac 120 "$tmp/x.pcap" 'The upload, and fifteen days later a machine that was never seen before (unknown-machine): the sensor had learnt who is there.' 'upload` and `tests/replay/unknown-machine' <<'END'
>=1	.equipment=="unknown:00:00:5e:00:53:66" and .verdict=="unapproved" and (.detections|index("new-mac"))	its MAC is new
0	.equipment=="NII-0007" and (.detections//[]|index("new-mac"))	that of the machine that was there is not
END
