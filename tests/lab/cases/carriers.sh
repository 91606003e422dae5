# shellcheck shell=bash disable=SC2034,SC2154
case_about='Real files in the carriers that can be read: a 16-bit PNG by FTP, a DICOM file in a form, a TIFF in a mail, a record in UTF-16 by MQTT, an archive over SMB, a dump over rsync, each by the program that people use.'
case_needs='vsftpd curl swaks socat perl mosquitto mosquitto_pub smbd smbclient rsync dcmj2pnm zip sqlite3 nginx'
# The names of FTP come from its control connection: live with several workers the data
# connection may be another's, who does not know them (signatures/README.md).
case_whole_site() { lab_site | sed 's/workers: 2/workers: 1/'; }
# shellcheck disable=SC2016
case_note='The files: an image of the lab (dcmtk'"'"'s img2dcm) and the 16-bit PNG and TIFF that dcmj2pnm makes of it, a scan record as XML in UTF-16, a zip of the image, what `sqlite3 .dump` writes.'

carriers_files() {
    local d=$LAB_DIR/tmp/carried
    mkdir -p "$d"
    lab_make_dicom "$d/scan.dcm"
    dcmj2pnm +on2 "$d/scan.dcm" "$d/lane3-16bit.png" && dcmj2pnm +ot "$d/scan.dcm" "$d/lane3.tif" || return 1
    perl -MEncode -e 'print encode("UTF-16LE", "\x{feff}<DataForm><TruckId>T-1</TruckId><PlateNumber>XX-00-00</PlateNumber><ContainerId>CSQU3054383</ContainerId><Verdict>ok</Verdict></DataForm>\r\n")' >"$d/record.xml"
    (cd "$d" && rm -f scans.zip && zip -q scans.zip scan.dcm) || return 1
    rm -f "$LAB_DIR/tmp/carried.db"
    sqlite3 "$LAB_DIR/tmp/carried.db" "CREATE TABLE scan(id INTEGER PRIMARY KEY, container TEXT, verdict TEXT);
        INSERT INTO scan(container, verdict) VALUES('CSQU3054383', 'ok'), ('MSCU6639871', 'ok');" .dump >"$d/scans.sql"
}
carriers_ftp() { # takes uploads
    mkdir -p "$LAB_DIR/srv/ftp/up"; chmod 777 "$LAB_DIR/srv/ftp/up"; chmod 755 "$LAB_DIR/srv/ftp"
    cat >"$LAB_DIR/etc/vsftpd.conf" <<END
listen=YES
listen_ipv6=NO
listen_address=$DROP
background=NO
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_umask=022
no_anon_password=YES
anon_root=$LAB_DIR/srv/ftp
ftp_username=ftp
secure_chroot_dir=/run/vsftpd/empty
seccomp_sandbox=NO
xferlog_enable=NO
END
    rm -f "$LAB_DIR"/srv/ftp/up/*
    lab_bg case-vsftpd outside vsftpd "$LAB_DIR/etc/vsftpd.conf"
}
carriers_smtp() { # a server that says yes
    cat >"$LAB_DIR/tmp/smtp.pl" <<'END'
$| = 1; my $data = 0; print "220 smtp.abroad.example ESMTP\r\n";
while (<STDIN>) {
    if ($data) { if (/^\.\r?$/) { $data = 0; print "250 2.0.0 Ok\r\n" } next }
    if (/^(EHLO|HELO)/i) { print "250 smtp.abroad.example\r\n" } elsif (/^DATA/i) { $data = 1; print "354 go\r\n" }
    elsif (/^QUIT/i) { print "221 bye\r\n"; last } else { print "250 2.1.0 Ok\r\n" }
}
END
    lab_bg case-smtp outside socat "TCP4-LISTEN:25,bind=$STRANGER,reuseaddr,fork" "SYSTEM:perl $LAB_DIR/tmp/smtp.pl"
}
carriers_rsyncd() {
    mkdir -p "$LAB_DIR/srv/rsync-in"; chmod 777 "$LAB_DIR/srv/rsync-in"
    printf 'use chroot = no\nuid = root\ngid = root\n[in]\npath = %s\nread only = no\n' "$LAB_DIR/srv/rsync-in" >"$LAB_DIR/etc/rsyncd-in.conf"
    lab_bg case-rsyncd outside rsync --daemon --no-detach --address="$DROP" --config="$LAB_DIR/etc/rsyncd-in.conf"
}
# Takes a form, whole, before it answers: nginx by itself answers a POST at once, and curl then ends early.
carriers_form() {
    cat >"$LAB_DIR/tmp/form.pl" <<'END'
$| = 1; my ($n, $got, $b) = (0, 0); while (<STDIN>) { $n = $1 if /^content-length: (\d+)/i; last if /^\r?$/ }
$got += length $b while $got < $n && sysread_all(\$b, $n - $got); sub sysread_all { read STDIN, ${$_[0]}, $_[1] < 4096 ? $_[1] : 4096 }
print "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
END
    lab_bg case-form outside socat "TCP4-LISTEN:8080,bind=$DROP,reuseaddr,fork" "SYSTEM:perl $LAB_DIR/tmp/form.pl"
}
case_setup() {
    carriers_files || return 1
    carriers_ftp; carriers_smtp; carriers_rsyncd; carriers_form
    printf 'listener 1883 %s\nallow_anonymous true\nuser root\n' "$DROP" >"$LAB_DIR/etc/mosquitto.conf"
    lab_bg case-mosquitto outside mosquitto -c "$LAB_DIR/etc/mosquitto.conf"
    # shellcheck source=/dev/null
    (. "$LAB_HERE/cases/smb-out.sh"; case_setup) || return 1
    lab_wait_port outside tcp 21 && lab_wait_port outside tcp 25 && lab_wait_port outside tcp 873 && lab_wait_port outside tcp 8080 &&
        lab_wait_port outside tcp 1883
}
case_traffic() {
    local d=$LAB_DIR/tmp/carried
    lab_in nii7 curl -sS -m 6 -T "$d/lane3-16bit.png" "ftp://$DROP/up/lane3-16bit.png" || return 1
    lab_in nii7 curl -sS -m 6 -P - -T "$d/lane3.tif" "ftp://$DROP/up/lane3.tif" || return 1
    lab_in nii8 curl -sS -m 6 -o /dev/null -F 'note=today' -F "file=@$d/scan.dcm;filename=20261122.dcm" "http://$DROP:8080/form"
    lab_in bag3 swaks --silent 2 -t a@abroad.example -f x@site.example -s "$STRANGER" --attach "@$d/lane3.tif"
    lab_in nii8 mosquitto_pub -h "$DROP" -i nii8 -q 1 -t scans/lane3 -f "$d/record.xml"
    lab_in bag4 smbclient -s "$LAB_DIR/etc/smb.conf" -N "//$DROP/scans" -c "put $d/scans.zip scans.zip" >/dev/null 2>&1
    lab_in bag4 rsync -a "$d/scans.sql" "rsync://$DROP/in/"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="NII-0007" and (.content//[]|any(.word=="png" and (.detail|test("16 bits; in an FTP transfer of lane3-16bit.png"))))' 'a 16-bit PNG in a passive FTP transfer, with its name' \
    1 '.equipment=="NII-0007" and (.content//[]|any(.word=="tiff" and (.detail|test("in an FTP transfer of lane3.tif"))))' 'a TIFF in an active FTP transfer, with its name' \
    1 '.equipment=="NII-0008" and .dest_port==8080 and (.content//[]|any(.word=="dicom-file" and (.detail|test("in an HTTP upload of 20261122.dcm"))))' 'a DICOM file in a form' \
    1 '.equipment=="BAG-0003" and .dest_port==25 and (.content//[]|any(.word=="tiff" and (.detail|test("attachment lane3.tif"))))' 'a TIFF in a mail' \
    1 '.equipment=="NII-0008" and .dest_port==1883 and (.content//[]|any(.word=="scan-record" and (.detail|test("UTF-16LE; in an MQTT message of scans/lane3")))) and (.content|any(.word=="container-number"))' 'a scan record and its container number in an MQTT message' \
    1 '.equipment=="BAG-0004" and .dest_port==445 and (.content//[]|any(.word=="archive" and (.detail|test("zip; in a file written over SMB, scans.zip"))))' 'an archive written over SMB' \
    1 '.equipment=="BAG-0004" and .dest_port==873 and (.content//[]|any(.word=="sql-dump"))' 'a dump over rsync' \
    0 '.verdict=="approved" and .dest_port!=53' 'none of it is approved'
}
