# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# SSH: reverse forwards (ssh -R), and what looks like them.
ssh_server() { # NS ADDRESS [LINE-OF-SSHD-CONFIG…] - the maker's, or a machine's own
    local ns=$1 a=$2; shift 2
    lab_start_sshd "sshd-$ns-$a" "$ns" "$a" 22
    [ $# = 0 ] || {
        lab_kill "case-sshd-$ns-$a"
        sed -i '/^Subsystem/d' "$LAB_DIR/etc/ssh/sshd-$ns-$a"
        printf '%s\n' "$@" >>"$LAB_DIR/etc/ssh/sshd-$ns-$a"
        lab_bg "case-sshd-$ns-$a" "$ns" /usr/sbin/sshd -D -e -f "$LAB_DIR/etc/ssh/sshd-$ns-$a"
    }
    lab_wait_port "$ns" tcp 22
}
ssh_www() { # NS - files of the machine, by HTTP on its own loopback
    ip -n "$1" link set lo up
    head -c 25000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"
    lab_bg "case-www-$1" "$1" python3 -m http.server --bind 127.0.0.1 --directory "$LAB_DIR/tmp" 8000
    lab_wait_port "$1" tcp 8000
}
# ssh_back NS SSH-OPTION… - a connection to the maker that stays, and a pause.
ssh_back() {
    local ns=$1; shift
    lab_bg case-back "$ns" ssh -F "$LAB_DIR/etc/ssh/client" -N "$@" "root@$VENDOR"
    sleep 2.2
}
pull() { lab_in outside curl -sS -m 6 -o /dev/null "http://127.0.0.1:$1/part.tif"; }
pulls() { local i; for i in 1 2 3; do pull "$1" || return 1; sleep 1.4; done; }
# ssh_typed NS SECONDS SSH-OPTION… - what standard input says is typed into a terminal: lines of
# PAUSE<TAB>TEXT (printf's escapes).
ssh_typed() {
    local ns=$1 s=$2 p t; shift 2
    while IFS=$'\t' read -r p t; do sleep "$p"; printf "%b" "$t"; done |
        lab_in "$ns" timeout "$s" ssh -F "$LAB_DIR/etc/ssh/client" -tt "$@" >/dev/null 2>&1
    return 0
}
ssh_keys() { local i; for ((i = 0; i < $1; i++)); do printf '0.1\t%s\n' "$2"; done; }   # COUNT KEY

scene ssh-reverse-http exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'A scanner connects to its maker with ssh -R, which is approved; from there files of it are pulled by HTTP.'
s_ssh_reverse_http() { ssh_server outside "$VENDOR"; ssh_www nii8; ssh_back nii8 -R 9000:127.0.0.1:8000; pulls 9000; lab_kill case-back; }
scene ssh-reverse-gcm exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'The same with AES-GCM, in blocks of 16.'
s_ssh_reverse_gcm() { ssh_server outside "$VENDOR"; ssh_www nii8; ssh_back nii8 -c aes256-gcm@openssh.com -R 9000:127.0.0.1:8000; pulls 9000; lab_kill case-back; }
scene ssh-reverse-etm exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'The same with AES-CTR and a MAC behind the encryption.'
s_ssh_reverse_etm() { ssh_server outside "$VENDOR"; ssh_www nii8; ssh_back nii8 -c aes128-ctr -m hmac-sha2-256-etm@openssh.com -R 9000:127.0.0.1:8000; pulls 9000; lab_kill case-back; }
scene ssh-reverse-mac exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'The same with AES-CTR and the MAC of old.'
s_ssh_reverse_mac() { ssh_server outside "$VENDOR"; ssh_www nii8; ssh_back nii8 -c aes128-ctr -m hmac-sha2-256 -R 9000:127.0.0.1:8000; pulls 9000; lab_kill case-back; }
scene ssh-reverse-plink exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' plink,puttygen,sshd,python3,curl 'The same by PuTTY, as on Windows.'
s_ssh_reverse_plink() {
    ssh_server outside "$VENDOR"; ssh_www nii8
    puttygen "$LAB_DIR/etc/ssh/key" -o "$LAB_DIR/etc/ssh/key.ppk" || return 1
    lab_bg case-back nii8 plink -batch -i "$LAB_DIR/etc/ssh/key.ppk" -hostkey "$(ssh-keygen -lf "$LAB_DIR/etc/ssh/host.pub" | cut -d' ' -f2)" -N -R 9000:127.0.0.1:8000 "root@$VENDOR"
    sleep 2.2; pulls 9000; lab_kill case-back
}
scene ssh-reverse-dropbear exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' dbclient,dropbearconvert,sshd,python3,curl 'The same by Dropbear, as on small machines.'
s_ssh_reverse_dropbear() {
    ssh_server outside "$VENDOR"; ssh_www nii8
    dropbearconvert openssh dropbear "$LAB_DIR/etc/ssh/key" "$LAB_DIR/etc/ssh/key.db" 2>/dev/null || return 1
    lab_bg case-back nii8 dbclient -y -y -i "$LAB_DIR/etc/ssh/key.db" -N -R 9000:127.0.0.1:8000 "root@$VENDOR"
    sleep 2.2; pulls 9000; lab_kill case-back
}
scene ssh-reverse-shell exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd 'Through ssh -R somebody logs in on the scanner and types.'
s_ssh_reverse_shell() {
    ssh_server outside "$VENDOR"; ip -n nii8 link set lo up; lab_start_sshd sshd-own nii8 127.0.0.1 22
    ssh_back nii8 -R 2222:127.0.0.1:22
    ssh_typed outside 8 -p 2222 root@127.0.0.1 <<<$'1\tuname -a\\n\n0.8\tls -l /usr/lib\\n\n0.9\texit\\n'
    sleep 0.5; lab_kill case-back
}
scene ssh-reverse-screen exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,socat 'Through ssh -R somebody watches the screen: the scanner speaks first, pictures answer the mouse.'
s_ssh_reverse_screen() {
    cat >"$LAB_DIR/tmp/screen.pl" <<'END'
binmode STDIN; binmode STDOUT; $| = 1; print "RFB 003.008\n"; read STDIN, $_, 12; print "\1\1"; read STDIN, $_, 1; print pack "N", 0; read STDIN, $_, 1;
print pack("nnCCCCnnnCCCx3N", 800, 600, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 4), "XRAY";
while (read STDIN, $_, 6) { print pack("CxnnnnnN", 0, 1, 0, 0, 40, 40, 0), map { chr int rand 256 } 1 .. 40 * 40 * 4 }
END
    ssh_server outside "$VENDOR"; ip -n nii8 link set lo up
    lab_bg case-screen nii8 socat TCP4-LISTEN:5900,bind=127.0.0.1,reuseaddr,fork "SYSTEM:perl $LAB_DIR/tmp/screen.pl"; lab_wait_port nii8 tcp 5900
    ssh_back nii8 -R 5901:127.0.0.1:5900
    (sleep 0.5; printf 'RFB 003.008\n'; sleep 0.2; printf '\1'; sleep 0.2; printf '\1'; for i in 1 2 3 4 5 6; do sleep 1.2; printf '\5\0\0\1\0\1'; done; sleep 0.4) | lab_in outside timeout 12 socat - TCP4:127.0.0.1:5901 >/dev/null
    lab_kill case-back
}
scene ssh-reverse-socks exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'ssh -R with a port alone: a SOCKS proxy into the scanner network.'
s_ssh_reverse_socks() {
    ssh_server outside "$VENDOR"; ssh_www nii8; ssh_back nii8 -R 1080
    local i; for i in 1 2; do lab_in outside curl -sS -m 6 -o /dev/null -x socks5://127.0.0.1:1080 http://127.0.0.1:8000/part.tif || return 1; sleep 1.4; done; lab_kill case-back
}
scene ssh-reverse-session exfil 'approved NII-0008:ssh-reverse-forward NII-0008:remote-maintenance?' ssh,sshd,python3,curl 'A forward beside a session in which somebody types, with keep-alives of both ends.'
s_ssh_reverse_session() {
    ssh_server outside "$VENDOR" 'ClientAliveInterval 4'; ssh_www nii8
    { printf '0.5\tls -l /usr\\n\n'; ssh_keys 8 'x'; printf '0.3\t\\n\n4\tuptime\\n\n4\tls\\n\n4\texit\\n\n'; } |
        ssh_typed nii8 18 -o ServerAliveInterval=3 -R 9000:127.0.0.1:8000 "root@$VENDOR" &
    sleep 3.9; pull 9000; sleep 3.1; pull 9000; sleep 2.6; pull 9000; wait
}
scene ssh-reverse-in exfil 'approved NII-0007:ssh-reverse-forward NII-0007:remote-maintenance? NII-0007:listens?' ssh,sshd,nginx,curl 'The maker connects in with ssh -R, which is approved; the scanner sends through it to a server of the maker, by HTTPS.'
s_ssh_reverse_in() {
    ssh_server nii7 192.0.2.10; ip -n nii7 link set lo up
    lab_bg case-back outside ssh -F "$LAB_DIR/etc/ssh/client" -b "$VENDOR" -N -R "9443:$PARTNER:443" root@192.0.2.10
    sleep 2.2; head -c 25000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"
    local i; for i in 1 2; do lab_in nii7 curl -sSk -m 6 -o /dev/null -T "$LAB_DIR/tmp/part.tif" --connect-to partner.example:443:127.0.0.1:9443 https://partner.example/x || return 1; sleep 1.4; done
    lab_kill case-back
}

scene benign-ssh-typing benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'A long session at the maker: commands, a long output, pauses.'
s_benign_ssh_typing() {
    ssh_server outside "$VENDOR"
    { for i in 1 2 3; do ssh_keys 5 l; printf '0.2\t\\n\n1.2\tls -l /usr/lib | head -40\\n\n1.5\tuptime\\n\n1.2\tsleep 1.2; uname -a; uptime; uname -a\\n\n1.8\tps\\n\n'; done; printf '1\texit\\n\n'; } | ssh_typed nii8 30 "root@$VENDOR"
}
scene benign-ssh-arrows benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'A table that changes each 1.3 s, and arrow keys as long as an answer, some at once after it, some held down.'
s_benign_ssh_arrows() {
    ssh_server outside "$VENDOR"
    { printf '0.4\tstty -echo; (while :; do printf %%0120d 7; sleep 1.3; done) & cat -v\\n\n'; sleep 0.1; for i in 1 2 3 4 5 6 7 8; do printf '1.25\t\\033[A\n'; ssh_keys 3 '\033[B'; done; ssh_keys 40 '\033[B'; printf '0.5\t\\003\n0.3\tkill %%1; exit\\n\n'; } | ssh_typed nii8 24 "root@$VENDOR"
}
scene benign-ssh-arrows-gcm benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'The same with AES-GCM, where an answer is as long as up to 18 bytes.'
s_benign_ssh_arrows_gcm() {
    ssh_server outside "$VENDOR"
    { printf '0.4\tstty -echo; (while :; do printf %%0120d 7; sleep 1.3; done) & cat -v\\n\n'; for i in 1 2 3 4 5 6 7 8; do printf '1.25\t\\033[A\n'; ssh_keys 3 'word'; done; ssh_keys 20 'pasted words'; printf '0.5\t\\003\n0.3\tkill %%1; exit\\n\n'; } | ssh_typed nii8 24 -c aes128-gcm@openssh.com "root@$VENDOR"
}
scene benign-ssh-status benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'A line of state from the server now and then, to which nobody answers.'
s_benign_ssh_status() { ssh_server outside "$VENDOR"; lab_ssh nii8 ssh "root@$VENDOR" 'for i in 1 2 3 4 5 6; do printf %0130d $i; sleep 1.3; done' >/dev/null; }
scene benign-ssh-scp benign 'approved NII-0008:remote-maintenance?' ssh,scp,sshd 'Files by scp, up and down, the new way and the old.'
s_benign_ssh_scp() {
    ssh_server outside "$VENDOR"; head -c 25000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"; local o
    for o in -s -O; do lab_ssh nii8 scp $o -q "$LAB_DIR/tmp/part.tif" "root@$VENDOR:$LAB_DIR/tmp/got" && sleep 0.3 && lab_ssh nii8 scp $o -q "root@$VENDOR:$LAB_DIR/tmp/got" "$LAB_DIR/tmp/back" || return 1; done
}
scene_sftp() { # typed, with pauses
    head -c 12000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"
    (for c in 'ls /' "cd $LAB_DIR/tmp" 'ls -l part.tif' "put $LAB_DIR/tmp/part.tif got1" "get got1 $LAB_DIR/tmp/back" 'stat got1' 'mkdir d1' "put $LAB_DIR/tmp/part.tif d1/a" 'ls d1' 'rm d1/a' 'rmdir d1' bye; do sleep 1.2; echo "$c"; done) | lab_ssh nii8 sftp "root@$VENDOR" >/dev/null 2>&1; return 0
}
scene benign-ssh-sftp benign 'approved NII-0008:remote-maintenance?' sftp,sshd 'sftp by hand.'
s_benign_ssh_sftp() { ssh_server outside "$VENDOR"; scene_sftp; }
scene benign-ssh-sftp-slow benign 'approved NII-0008:remote-maintenance?' sftp,sshd,perl 'sftp with AES-GCM, where a request may be as long as an answer, to a server that takes more than a second for each word.'
s_benign_ssh_sftp_slow() {
    cat >"$LAB_DIR/tmp/slow.pl" <<'END'
use IPC::Open2; $| = 1; my $pid = open2(my $from, my $to, "/usr/lib/openssh/sftp-server"); binmode $_ for $from, $to;
if (!fork) { while (sysread STDIN, my $b, 65536) { syswrite $to, $b } exit } close $to;
while (sysread $from, my $b, 65536) { select undef, undef, undef, 1.15; syswrite STDOUT, $b }
END
    ssh_server outside "$VENDOR" "Subsystem sftp /usr/bin/perl $LAB_DIR/tmp/slow.pl"
    head -c 3000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"; mkdir -p "$LAB_DIR/tmp/few"; : >"$LAB_DIR/tmp/few/a"
    printf '%s\n' "ls $LAB_DIR/tmp/few" "get $LAB_DIR/tmp/part.tif $LAB_DIR/tmp/back" "put $LAB_DIR/tmp/part.tif $LAB_DIR/tmp/got" | lab_ssh nii8 sftp -b - -c aes256-gcm@openssh.com "root@$VENDOR" >/dev/null 2>&1; return 0
}
scene benign-ssh-rsync benign 'approved NII-0008:remote-maintenance?' ssh,rsync,sshd 'rsync over SSH, up, down, and once more when little has changed; the server thinks before it speaks.'
s_benign_ssh_rsync() {
    local d=$LAB_DIR/tmp/tree i; rm -rf "$d" "$d.far"; mkdir -p "$d"; for i in 1 2 3 4 5 6; do head -c 4000 /dev/urandom >"$d/f$i"; done
    printf '#!/bin/sh\nsleep 1.2\nexec rsync "$@"\n' >"$LAB_DIR/tmp/slow-rsync"; chmod 755 "$LAB_DIR/tmp/slow-rsync"
    ssh_server outside "$VENDOR"
    for i in 1 2; do lab_in nii8 rsync -a --rsync-path="$LAB_DIR/tmp/slow-rsync" -e "ssh -F $LAB_DIR/etc/ssh/client" "$d/" "root@$VENDOR:$d.far/" || return 1; head -c 4000 /dev/urandom >"$d/f3"; done
    lab_in nii8 rsync -a -c --rsync-path="$LAB_DIR/tmp/slow-rsync" -e "ssh -F $LAB_DIR/etc/ssh/client" "root@$VENDOR:$d.far/" "$d/"
}
scene benign-ssh-git benign 'approved NII-0008:remote-maintenance?' ssh,git,sshd 'git over SSH: a clone, and pushes after which the server talks.'
s_benign_ssh_git() {
    local d=$LAB_DIR/tmp/git i; rm -rf "$d"; mkdir -p "$d"; git init -q --bare "$d/far.git"
    printf '#!/bin/sh\nsleep 1.2; echo checking the settings of all of this equipment; sleep 1.2; echo "the settings are good, they will be in use from the next start of the machine on"\n' >"$d/far.git/hooks/pre-receive"; chmod 755 "$d/far.git/hooks/pre-receive"
    ssh_server outside "$VENDOR"; export GIT_SSH_COMMAND="ssh -F $LAB_DIR/etc/ssh/client"
    lab_in nii8 git clone -q "root@$VENDOR:$d/far.git" "$d/near" 2>/dev/null
    for i in 1 2; do head -c 3000 /dev/urandom | base64 >"$d/near/f$i"; (cd "$d/near" && git add . && git -c user.name=x -c user.email=x@site.example commit -q -m "$i") && lab_in nii8 git -C "$d/near" push -q origin HEAD:main 2>/dev/null || return 1; done
    lab_in nii8 git clone -q "root@$VENDOR:$d/far.git" "$d/again" 2>/dev/null; return 0
}
scene benign-ssh-idle benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'ssh -N with nothing in it but keep-alives of both ends.'
s_benign_ssh_idle() { ssh_server outside "$VENDOR" 'ClientAliveInterval 2'; lab_in nii8 timeout 13 ssh -F "$LAB_DIR/etc/ssh/client" -o ServerAliveInterval=3 -N "root@$VENDOR"; return 0; }
scene benign-ssh-reverse-unused benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'ssh -R that nobody uses: keep-alives alone.'
s_benign_ssh_reverse_unused() { ssh_server outside "$VENDOR" 'ClientAliveInterval 2'; lab_in nii8 timeout 9 ssh -F "$LAB_DIR/etc/ssh/client" -o ServerAliveInterval=2 -N -R 9000:127.0.0.1:8000 "root@$VENDOR"; return 0; }
scene_forward() { # SSH-OPTION… - a page and a broker of the maker's, through ssh -L
    cat >"$LAB_DIR/tmp/broker.pl" <<'END'
binmode STDIN; binmode STDOUT; $| = 1; for (1 .. 6) { print "\x32", chr 110, "\0\5order", pack("n", $_), "x" x 101; sysread STDIN, $_, 4; select undef, undef, undef, 1.3 }
END
    ssh_www outside; ip -n nii8 link set lo up
    lab_bg case-broker outside socat TCP4-LISTEN:1883,bind=127.0.0.1,reuseaddr,fork "SYSTEM:perl $LAB_DIR/tmp/broker.pl"; lab_wait_port outside tcp 1883
    lab_bg case-back nii8 ssh -F "$LAB_DIR/etc/ssh/client" -N "$@" -L 8100:127.0.0.1:8000 -L 1883:127.0.0.1:1883 -D 1080 "root@$VENDOR"; sleep 2
    lab_in nii8 curl -sS -m 6 -o /dev/null http://127.0.0.1:8100/part.tif; sleep 1.3
    lab_in nii8 perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:1883") or die; while (sysread $s, my $b, 300) { syswrite $s, "\x40\2\0\1" }'
    lab_in nii8 curl -sS -m 6 -o /dev/null -x socks5://127.0.0.1:1080 http://127.0.0.1:8000/part.tif; lab_kill case-back
}
scene benign-ssh-local benign 'approved NII-0008:remote-maintenance?' ssh,sshd,python3,curl,socat 'ssh -L and -D: a page of the maker, and a broker that says something now and then, which is acknowledged.'
s_benign_ssh_local() { ssh_server outside "$VENDOR"; scene_forward; }
scene benign-ssh-local-gcm benign 'approved NII-0008:remote-maintenance?' ssh,sshd,python3,curl,socat 'The same with AES-GCM.'
s_benign_ssh_local_gcm() { ssh_server outside "$VENDOR"; scene_forward -c aes256-gcm@openssh.com; }
scene benign-ssh-multiplexed benign 'approved NII-0008:remote-maintenance?' ssh,scp,sshd 'Sessions, a script and files, one after the other, through one connection.'
s_benign_ssh_multiplexed() {
    ssh_server outside "$VENDOR"; head -c 12000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"
    local c=(-o ControlMaster=auto -o "ControlPath=$LAB_DIR/tmp/mux" -o ControlPersist=20)
    lab_ssh nii8 ssh "${c[@]}" "root@$VENDOR" uptime >/dev/null 2>&1; sleep 1.2
    lab_ssh nii8 scp "${c[@]}" -q "$LAB_DIR/tmp/part.tif" "root@$VENDOR:$LAB_DIR/tmp/got"; sleep 1.2
    (sleep 1.3; head -c 3000 "$LAB_DIR/tmp/part.tif") | lab_ssh nii8 ssh "${c[@]}" "root@$VENDOR" 'printf %0120d 7; sleep 1.2; printf %0120d 8; cat' >/dev/null; sleep 1.2
    lab_ssh nii8 scp "${c[@]}" -q "root@$VENDOR:$LAB_DIR/tmp/got" "$LAB_DIR/tmp/back"
    lab_ssh nii8 ssh "${c[@]}" -O exit "root@$VENDOR" 2>/dev/null; return 0
}
scene benign-ssh-x11 benign 'approved NII-0008:remote-maintenance?' ssh,sshd,socat,perl 'A window of the maker shown on the scanner: the server opens a channel for it (X11), and one for the agent.'
s_benign_ssh_x11() {
    printf '#!/bin/sh\nexit 0\n' >"$LAB_DIR/tmp/xauth"; chmod 755 "$LAB_DIR/tmp/xauth"
    ssh_server outside "$VENDOR" 'X11Forwarding yes' "XAuthLocation $LAB_DIR/tmp/xauth"; ip -n nii8 link set lo up; ip -n outside link set lo up
    lab_bg case-x nii8 socat TCP4-LISTEN:6007,bind=127.0.0.1,reuseaddr,fork 'SYSTEM:perl -e "binmode STDOUT; \$| = 1; sysread STDIN, \$_, 48; print \"\\1\\0\", \"s\" x 9000; sleep 3"'; lab_wait_port nii8 tcp 6007
    eval "$(ssh-agent -a "$LAB_DIR/tmp/agent" -s)" >/dev/null; ssh-keygen -q -t rsa -b 3072 -N '' -f "$LAB_DIR/tmp/rsa" <<<y >/dev/null; ssh-add -q "$LAB_DIR/tmp/rsa"
    local far='sleep 1.3; ssh-add -l; sleep 1.3; p=$((6000 + $(echo "$DISPLAY" | sed "s/.*:\([0-9]*\).*/\1/"))); (printf "l\0\13\0\0\0\22\0\20\0\0\0MIT-MAGIC-COOKIE-1\0\0"; head -c 16 /dev/zero; sleep 1.5) | socat - TCP4:127.0.0.1:$p | wc -c'
    DISPLAY=127.0.0.1:7 lab_ssh nii8 ssh -A -Y -o "XAuthLocation=$LAB_DIR/tmp/xauth" "root@$VENDOR" "$far" >"$LAB_DIR/log/x11" 2>&1
    ssh-agent -k >/dev/null; return 0
}
scene benign-ssh-rekey benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'Both ends ask for new keys, the server amid a session that was quiet.'
s_benign_ssh_rekey() {
    ssh_server outside "$VENDOR" 'RekeyLimit 16K 2s'
    lab_ssh nii8 ssh -o 'RekeyLimit=24K' "root@$VENDOR" 'for i in 1 2 3 4; do printf %0130d 7; sleep 1.4; head -c 9000 /dev/urandom; done' >/dev/null
}
scene benign-ssh-jump benign 'approved NII-0008:remote-maintenance?' ssh,sshd 'Through the maker to another machine of theirs (ssh -J), with keep-alives within.'
s_benign_ssh_jump() {
    ssh_server outside "$VENDOR"; lab_start_sshd sshd-far outside 127.0.0.1 2022; printf 'ClientAliveInterval 2\n' >>"$LAB_DIR/etc/ssh/sshd-far"
    lab_kill case-sshd-far; lab_bg case-sshd-far outside /usr/sbin/sshd -D -e -f "$LAB_DIR/etc/ssh/sshd-far"; lab_wait_port outside tcp 2022
    lab_in nii8 ssh -F "$LAB_DIR/etc/ssh/client" -o "ProxyCommand=ssh -F $LAB_DIR/etc/ssh/client -W 127.0.0.1:2022 root@$VENDOR" root@far 'for i in 1 2 3; do uptime; sleep 2.6; printf %0040d 7; done' >/dev/null 2>&1
}
scene benign-ssh-maintained benign 'approved NII-0007:remote-maintenance? NII-0007:listens?' ssh,sftp,sshd 'The maker comes in by SSH: types, reads a log as it grows, and fetches a file.'
s_benign_ssh_maintained() {
    ssh_server nii7 192.0.2.10; head -c 12000 "$LAB_DIR/tmp/scan.tif" >"$LAB_DIR/tmp/part.tif"
    { printf '0.5\tls -l /usr | head\\n\n1.2\tfor i in 1 2 3 4; do sleep 1.2; uname -a; done\\n\n6\texit\\n\n'; } | ssh_typed outside 14 -b "$VENDOR" root@192.0.2.10
    (sleep 1; echo "get $LAB_DIR/tmp/part.tif $LAB_DIR/tmp/back"; sleep 1.2; echo bye) | lab_ssh outside sftp -o "BindAddress=$VENDOR" root@192.0.2.10 >/dev/null 2>&1; return 0
}
