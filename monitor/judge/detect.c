/* The fixed words; garita-detections(7) says for each what it means, its
 * threshold, its source, and what to do. ATT&CK ids: Enterprise T1…, ICS T0…. */
#include "judge/detect.h"

#include <stddef.h>
#include <string.h>

#include "base/msgid.h"

static const struct detect_word words[DETECT_COUNT] = {
    [DETECT_INSPECTION_DATA] = {"inspection-data", "T0882, T1020", DETECT_CONTENT, 25,
                                N_("Images or records of inspections are in it.")},
    [DETECT_CONTAINER_NUMBER] = {"container-number", "T0882", DETECT_CONTENT, 10, N_("It names containers (ISO 6346).")},
    [DETECT_DATABASE_COPY] = {"database-copy", "T0882, T1020", DETECT_CONTENT, 25,
                              N_("A database is dumped or replicated over it.")},
    [DETECT_ARCHIVE] = {"archive", "T1020", DETECT_CONTENT, 5, N_("An archive is in it.")},
    [DETECT_ARCHIVE_ENCRYPTED] = {"encrypted-archive", "T1020", DETECT_CONTENT, 20, N_("An encrypted archive is in it.")},
    [DETECT_SITE_RULE] = {"site-rule", "T1020", DETECT_CONTENT, 20, N_("A content rule of the site matched.")},
    [DETECT_REMOTE_MAINTENANCE] = {"remote-maintenance", "T1219, T0822", DETECT_CHANNEL, 15,
                                   N_("A tool for remote maintenance.")},
    [DETECT_VPN] = {"vpn", "T1572", DETECT_CHANNEL, 25, N_("A VPN or tunnel program.")},
    [DETECT_PROXY] = {"proxy", "T1090.002, T1090.003, T0884", DETECT_CHANNEL, 25, N_("A proxy or an anonymity network.")},
    [DETECT_CLOUD_STORAGE] = {"cloud-storage", "T1567.002, T1537", DETECT_CHANNEL, 20, N_("Storage of a cloud provider.")},
    [DETECT_ENCRYPTED_DNS] = {"encrypted-dns", "T1071.004, T1572", DETECT_CHANNEL, 15,
                              N_("Names are asked for where nobody can read them.")},
    [DETECT_MAIL] = {"mail", "T1048.003", DETECT_CHANNEL, 10, N_("Mail.")},
    [DETECT_MESSAGING] = {"messaging", "T1048.002", DETECT_CHANNEL, 10, N_("A messaging service.")},
    [DETECT_DNS_TUNNEL] = {"dns-tunnel", "T1071.004, T1048.003, T1572", DETECT_BEHAVIOUR, 40,
                           N_("More information goes out in DNS names than names need.")},
    [DETECT_DNS_SUBDOMAINS] = {"dns-subdomains", "T1071.004", DETECT_BEHAVIOUR, 25,
                               N_("Very many different names of one domain were asked for.")},
    [DETECT_DNS_RECORD_TYPES] = {"dns-record-types", "T1071.004", DETECT_BEHAVIOUR, 15,
                                 N_("Many TXT or NULL records of one domain were asked for.")},
    [DETECT_RESOLVER] = {"resolver-not-approved", "T1071.004", DETECT_BEHAVIOUR, 10,
                         N_("A DNS resolver that nobody approved.")},
    [DETECT_ICMP_TUNNEL] = {"icmp-tunnel", "T1095, T1048.003", DETECT_BEHAVIOUR, 35,
                            N_("Data goes out in ICMP messages.")},
    [DETECT_OTHER_PROTOCOL] = {"other-protocol", "T1095", DETECT_BEHAVIOUR, 15,
                               N_("An IP protocol other than TCP, UDP and ICMP.")},
    [DETECT_NTP] = {"ntp", "T1048.003", DETECT_BEHAVIOUR, 15,
                    N_("A time server that nobody approved, or more bytes than the time needs.")},
    [DETECT_BEACON] = {"beacon", "T1041", DETECT_BEHAVIOUR, 25, N_("Connections as regular as a clock.")},
    [DETECT_LONG_CONNECTION] = {"long-connection", "T1041, T1572", DETECT_BEHAVIOUR, 10, N_("A connection of many hours.")},
    [DETECT_SSH_REVERSE] = {"ssh-reverse-forward", "T1572, T1090, T1021.004", DETECT_BEHAVIOUR, 35,
                            N_("Something reaches back through an SSH connection (ssh -R).")},
    [DETECT_TIMED_BURSTS] = {"timed-bursts", "T1029", DETECT_BEHAVIOUR, 20, N_("Data goes out in bursts at even times.")},
    [DETECT_EQUAL_PIECES] = {"equal-pieces", "T1030", DETECT_BEHAVIOUR, 20, N_("Data goes out in pieces of one size.")},
    [DETECT_VOLUME] = {"volume", "T1020", DETECT_BEHAVIOUR, 15, N_("Far more bytes than this machine usually sends.")},
    [DETECT_NEW_PEER] = {"new-peer", "T1041", DETECT_BEHAVIOUR, 3, N_("First contact with this peer.")},
    [DETECT_NEW_COUNTRY] = {"new-country", "T1041", DETECT_BEHAVIOUR, 10, N_("First contact with this country.")},
    [DETECT_NEW_NETWORK] = {"new-network", "T1041", DETECT_BEHAVIOUR, 5, N_("First contact with this network (AS).")},
    [DETECT_NEW_APP] = {"new-app", "T1041", DETECT_BEHAVIOUR, 5, N_("This machine never used this application before.")},
    [DETECT_NAME_NOT_ANSWERED] = {"name-not-answered", "T1090.004", DETECT_NAMES, 10,
                                  N_("No DNS answer gave the name that was claimed.")},
    [DETECT_CERTIFICATE_MISMATCH] = {"certificate-mismatch", "T1090.004", DETECT_NAMES, 15,
                                     N_("The certificate is for another name.")},
    [DETECT_CERTIFICATE_SELF_SIGNED] = {"certificate-self-signed", "T1048.002", DETECT_NAMES, 10,
                                        N_("The certificate is signed by itself.")},
    [DETECT_CERTIFICATE_EXPIRED] = {"certificate-expired", "T1048.002", DETECT_NAMES, 5, N_("The certificate has expired.")},
    [DETECT_TLS_WITHOUT_NAME] = {"tls-without-name", "T1048.002", DETECT_NAMES, 5, N_("TLS without a server name.")},
    [DETECT_HIDDEN_NAME] = {"hidden-name", "T1090.004", DETECT_NAMES, 5, N_("The server name may be hidden (ECH, ESNI).")},
    [DETECT_FRONTING] = {"fronting", "T1090.004", DETECT_NAMES, 25, N_("One name outside, another inside.")},
    [DETECT_DIRECT_TO_ADDRESS] = {"direct-to-address", "T1048.002", DETECT_NAMES, 5,
                                  N_("TLS to an address that no name led to.")},
    [DETECT_STACKED_TAGS] = {"stacked-tags", "T1599", DETECT_EVASION, 15, N_("VLAN tags that nobody configured.")},
    [DETECT_IPV6] = {"unexpected-ipv6", "T1599", DETECT_EVASION, 10, N_("IPv6 from a machine that should have none.")},
    [DETECT_NESTED_TUNNEL] = {"nested-tunnel", "T1572, T1599", DETECT_EVASION, 25, N_("A tunnel in a tunnel.")},
    [DETECT_MANY_ADDRESSES] = {"many-addresses", "T1200", DETECT_EVASION, 15, N_("One MAC with many addresses.")},
    [DETECT_NEW_MAC] = {"new-mac", "T1200", DETECT_EVASION, 10, N_("A MAC never seen in this network before.")},
    [DETECT_ODD_PORT] = {"odd-port", "T1571", DETECT_EVASION, 10, N_("A protocol on a port that is not its own.")},
    [DETECT_PORT_HOPPING] = {"port-hopping", "T1571", DETECT_EVASION, 15, N_("One peer on ever other ports.")},
    [DETECT_LISTENS] = {"listens", "T0822", DETECT_EVASION, 10, N_("It accepts connections from outside its network.")},
};

_Static_assert(DETECT_COUNT <= 64, "signs are bits of a uint64_t");

const struct detect_word *detect_word(enum detection d)
{
	return &words[d];
}

int detect_find(const char *word)
{
	for (int i = 0; i < DETECT_COUNT; i++)
		if (strcmp(words[i].word, word) == 0)
			return i;
	return -1;
}
