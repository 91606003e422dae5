/* The fixed words; garita-detections(7) says for each what it means, its
 * threshold, its source, and what to do. ATT&CK ids: Enterprise T1…, ICS T0…. */
#include "judge/detect.h"

#include <stddef.h>
#include <string.h>

static const struct detect_word words[DETECT_COUNT] = {
    [DETECT_INSPECTION_DATA] = {"inspection-data", "T0882, T1020", DETECT_CONTENT, 25,
                                "Images or records of inspections are in it.",
                                "Contiene imágenes o registros de inspección."},
    [DETECT_CONTAINER_NUMBER] = {"container-number", "T0882", DETECT_CONTENT, 10, "It names containers (ISO 6346).",
                                 "Nombra contenedores (ISO 6346)."},
    [DETECT_DATABASE_COPY] = {"database-copy", "T0882, T1020", DETECT_CONTENT, 25,
                              "A database is dumped or replicated over it.",
                              "Por ella se vuelca o replica una base de datos."},
    [DETECT_ARCHIVE] = {"archive", "T1020", DETECT_CONTENT, 5, "An archive is in it.",
                        "Contiene un archivo comprimido."},
    [DETECT_ARCHIVE_ENCRYPTED] = {"encrypted-archive", "T1020", DETECT_CONTENT, 20, "An encrypted archive is in it.",
                                  "Contiene un archivo comprimido y cifrado."},
    [DETECT_SITE_RULE] = {"site-rule", "T1020", DETECT_CONTENT, 20, "A content rule of the site matched.",
                          "Coincidió una regla de contenido del sitio."},
    [DETECT_REMOTE_MAINTENANCE] = {"remote-maintenance", "T1219, T0822", DETECT_CHANNEL, 15,
                                   "A tool for remote maintenance.", "Una herramienta de mantenimiento remoto."},
    [DETECT_VPN] = {"vpn", "T1572", DETECT_CHANNEL, 25, "A VPN or tunnel program.", "Un programa de VPN o de túneles."},
    [DETECT_PROXY] = {"proxy", "T1090.002, T1090.003, T0884", DETECT_CHANNEL, 25, "A proxy or an anonymity network.",
                      "Un proxy o una red de anonimato."},
    [DETECT_CLOUD_STORAGE] = {"cloud-storage", "T1567.002, T1537", DETECT_CHANNEL, 20, "Storage of a cloud provider.",
                              "Almacenamiento de un proveedor de nube."},
    [DETECT_ENCRYPTED_DNS] = {"encrypted-dns", "T1071.004, T1572", DETECT_CHANNEL, 15,
                              "Names are asked for where nobody can read them.",
                              "Se consultan nombres donde nadie puede leerlos."},
    [DETECT_MAIL] = {"mail", "T1048.003", DETECT_CHANNEL, 10, "Mail.", "Correo electrónico."},
    [DETECT_MESSAGING] = {"messaging", "T1048.002", DETECT_CHANNEL, 10, "A messaging service.",
                          "Un servicio de mensajería."},
    [DETECT_DNS_TUNNEL] = {"dns-tunnel", "T1071.004, T1048.003, T1572", DETECT_BEHAVIOUR, 40,
                           "More information goes out in DNS names than names need.",
                           "En nombres DNS sale más información de la que un nombre necesita."},
    [DETECT_DNS_SUBDOMAINS] = {"dns-subdomains", "T1071.004", DETECT_BEHAVIOUR, 25,
                               "Very many different names of one domain were asked for.",
                               "Se consultaron muchísimos nombres distintos de un dominio."},
    [DETECT_DNS_RECORD_TYPES] = {"dns-record-types", "T1071.004", DETECT_BEHAVIOUR, 15,
                                 "Many TXT or NULL records of one domain were asked for.",
                                 "Se consultaron muchos registros TXT o NULL de un dominio."},
    [DETECT_RESOLVER] = {"resolver-not-approved", "T1071.004", DETECT_BEHAVIOUR, 10,
                         "A DNS resolver that nobody approved.", "Un servidor DNS que nadie aprobó."},
    [DETECT_ICMP_TUNNEL] = {"icmp-tunnel", "T1095, T1048.003", DETECT_BEHAVIOUR, 35,
                            "Data goes out in ICMP messages.", "Salen datos en mensajes ICMP."},
    [DETECT_OTHER_PROTOCOL] = {"other-protocol", "T1095", DETECT_BEHAVIOUR, 15,
                               "An IP protocol other than TCP, UDP and ICMP.",
                               "Un protocolo IP distinto de TCP, UDP e ICMP."},
    [DETECT_NTP] = {"ntp", "T1048.003", DETECT_BEHAVIOUR, 15,
                    "A time server that nobody approved, or more bytes than the time needs.",
                    "Un servidor de hora que nadie aprobó, o más bytes de los que la hora necesita."},
    [DETECT_BEACON] = {"beacon", "T1041", DETECT_BEHAVIOUR, 25, "Connections as regular as a clock.",
                       "Conexiones tan regulares como un reloj."},
    [DETECT_LONG_CONNECTION] = {"long-connection", "T1041, T1572", DETECT_BEHAVIOUR, 10, "A connection of many hours.",
                                "Una conexión de muchas horas."},
    [DETECT_TIMED_BURSTS] = {"timed-bursts", "T1029", DETECT_BEHAVIOUR, 20, "Data goes out in bursts at even times.",
                             "Salen datos en ráfagas a intervalos regulares."},
    [DETECT_EQUAL_PIECES] = {"equal-pieces", "T1030", DETECT_BEHAVIOUR, 20, "Data goes out in pieces of one size.",
                             "Salen datos en piezas de un mismo tamaño."},
    [DETECT_VOLUME] = {"volume", "T1020", DETECT_BEHAVIOUR, 15, "Far more bytes than this machine usually sends.",
                       "Muchos más bytes de los que esta máquina suele enviar."},
    [DETECT_NEW_PEER] = {"new-peer", "T1041", DETECT_BEHAVIOUR, 3, "First contact with this peer.",
                         "Primer contacto con este destino."},
    [DETECT_NEW_COUNTRY] = {"new-country", "T1041", DETECT_BEHAVIOUR, 10, "First contact with this country.",
                            "Primer contacto con este país."},
    [DETECT_NEW_NETWORK] = {"new-network", "T1041", DETECT_BEHAVIOUR, 5, "First contact with this network (AS).",
                            "Primer contacto con esta red (AS)."},
    [DETECT_NEW_APP] = {"new-app", "T1041", DETECT_BEHAVIOUR, 5, "This machine never used this application before.",
                        "Esta máquina nunca había usado esta aplicación."},
    [DETECT_NAME_NOT_ANSWERED] = {"name-not-answered", "T1090.004", DETECT_NAMES, 10,
                                  "No DNS answer gave the name that was claimed.",
                                  "Ninguna respuesta DNS dio el nombre declarado."},
    [DETECT_CERTIFICATE_MISMATCH] = {"certificate-mismatch", "T1090.004", DETECT_NAMES, 15,
                                     "The certificate is for another name.", "El certificado es de otro nombre."},
    [DETECT_CERTIFICATE_SELF_SIGNED] = {"certificate-self-signed", "T1048.002", DETECT_NAMES, 10,
                                        "The certificate is signed by itself.", "El certificado es autofirmado."},
    [DETECT_CERTIFICATE_EXPIRED] = {"certificate-expired", "T1048.002", DETECT_NAMES, 5, "The certificate has expired.",
                                    "El certificado ya venció."},
    [DETECT_TLS_WITHOUT_NAME] = {"tls-without-name", "T1048.002", DETECT_NAMES, 5, "TLS without a server name.",
                                 "TLS sin nombre de servidor."},
    [DETECT_HIDDEN_NAME] = {"hidden-name", "T1090.004", DETECT_NAMES, 5, "The server name may be hidden (ECH, ESNI).",
                            "El nombre del servidor puede estar oculto (ECH, ESNI)."},
    [DETECT_FRONTING] = {"fronting", "T1090.004", DETECT_NAMES, 25, "One name outside, another inside.",
                         "Un nombre por fuera y otro por dentro."},
    [DETECT_DIRECT_TO_ADDRESS] = {"direct-to-address", "T1048.002", DETECT_NAMES, 5,
                                  "TLS to an address that no name led to.",
                                  "TLS a una dirección a la que ningún nombre condujo."},
    [DETECT_STACKED_TAGS] = {"stacked-tags", "T1599", DETECT_EVASION, 15, "VLAN tags that nobody configured.",
                             "Etiquetas VLAN que nadie configuró."},
    [DETECT_IPV6] = {"unexpected-ipv6", "T1599", DETECT_EVASION, 10, "IPv6 from a machine that should have none.",
                     "IPv6 de una máquina que no debería usarlo."},
    [DETECT_NESTED_TUNNEL] = {"nested-tunnel", "T1572, T1599", DETECT_EVASION, 25, "A tunnel in a tunnel.",
                              "Un túnel dentro de un túnel."},
    [DETECT_MANY_ADDRESSES] = {"many-addresses", "T1200", DETECT_EVASION, 15, "One MAC with many addresses.",
                               "Una MAC con muchas direcciones."},
    [DETECT_NEW_MAC] = {"new-mac", "T1200", DETECT_EVASION, 10, "A MAC never seen in this network before.",
                        "Una MAC nunca vista en esta red."},
    [DETECT_ODD_PORT] = {"odd-port", "T1571", DETECT_EVASION, 10, "A protocol on a port that is not its own.",
                         "Un protocolo en un puerto que no es el suyo."},
    [DETECT_PORT_HOPPING] = {"port-hopping", "T1571", DETECT_EVASION, 15, "One peer on ever other ports.",
                             "Un mismo destino en puertos siempre distintos."},
    [DETECT_LISTENS] = {"listens", "T0822", DETECT_EVASION, 10, "It accepts connections from outside its network.",
                        "Acepta conexiones de fuera de su red."},
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

const char *detect_text(enum detection d, const char *lang)
{
	return lang != NULL && strncmp(lang, "es", 2) == 0 ? words[d].es : words[d].en;
}
