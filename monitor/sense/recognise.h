/* recognise.h - is this DICOM, DICOS, TLS, DTLS, OpenVPN?
 * Pure functions over bytes; they hold nothing and never read past n. Layouts
 * stand above each parser. Not here: reassembly, what a find is worth. */
#ifndef MONITOR_RECOGNISE_H
#define MONITOR_RECOGNISE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MORE: so far it fits, more bytes are needed to say. */
enum recognise { RECOGNISE_NO = 0, RECOGNISE_MORE, RECOGNISE_YES };

/* Do these bytes begin with the header of a TLS record (RFC 8446, section 5.1)?
 * The record may go on past n. */
bool recognise_tls(const uint8_t *p, size_t n);

/* Do they begin with a ClientHello or ServerHello, of which the first 11 bytes
 * are there? */
bool recognise_tls_hello(const uint8_t *p, size_t n);

/* Is this datagram made of whole DTLS records (RFC 6347, section 4.1; RFC 9147,
 * section 4)? */
bool recognise_dtls(const uint8_t *p, size_t n);

/* First packet of either end of OpenVPN: an opening reset, over TCP behind its
 * length, over UDP a datagram. */
enum recognise recognise_openvpn_tcp(const uint8_t *p, size_t n);
bool recognise_openvpn_udp(const uint8_t *p, size_t n);

/* Server name of a TLS ClientHello that begins at p with its record and is whole
 * or at least whole as far as the name (RFC 6066, section 3). Returns the length,
 * 0 when there is none; *ret borrows from p. */
size_t recognise_sni(const uint8_t *p, size_t n, const uint8_t **ret);

/* Does a TLS record with a ClientHello begin at p? YES: the record is whole; MORE: n
 * cuts it. */
enum recognise recognise_hello(const uint8_t *p, size_t n);

/* Does such a ClientHello, as far as it is there, carry an encrypted one (ECH,
 * ESNI)? GREASE looks the same: it proves nothing. */
bool recognise_hidden_name(const uint8_t *p, size_t n);

/* DICOM upper layer (PS3.8, section 9.3): what an association says. */
struct recognise_dicom {
	bool request;            /* A-ASSOCIATE-RQ; else -AC */
	bool dicos;              /* an abstract syntax of the DICOS root is proposed */
	char calling[17], called[17];   /* AE titles without the blanks around them, printable ASCII */
	char classes[100];       /* proposed SOP classes by name, ", " between; ends in " and more" when not all fit */
};

/* An association request or acceptance that begins at p. YES when the PDU is
 * whole, or when last is set and its fixed part and first item are. */
#define RECOGNISE_DICOM_LIKELY 78u   /* MORE with that many bytes: the AE titles were right, too */
enum recognise recognise_dicom_association(const uint8_t *p, size_t n, bool last, struct recognise_dicom *ret);

/* Does a P-DATA-TF PDU begin at p (an association whose beginning was not seen)? */
bool recognise_dicom_data(const uint8_t *p, size_t n);

/* The command that stores an image (C-STORE-RQ; PS3.7, section 9.3.1.1). */
struct recognise_store {
	bool dicos;
	char sop_class[65];      /* by name, or the UID */
};

/* Is the P-DATA-TF PDU that begins at p such a command? MORE: n cuts it. */
enum recognise recognise_dicom_store(const uint8_t *p, size_t n, struct recognise_store *ret);

#endif
