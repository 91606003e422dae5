#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/recognise.h"

/* A-ASSOCIATE-RQ and -AC (PS3.8, tables 9-11 and 9-17), big-endian:
 *   0 type 01 or 02 | 1 reserved | 2 length 4 | 6 protocol version 2, bit 0 set
 *   8 reserved 2 | 10 called AE title 16 | 26 calling AE title 16 | 42 reserved 32
 *   74 items: type 1, reserved 1, length 2, then that many bytes:
 *      10H application context: a UID
 *      20H presentation context proposed: id 1, reserved 3, then items
 *          30H abstract syntax: a UID    40H transfer syntax: a UID
 *      21H presentation context accepted    50H user information
 * In an acceptance the titles are sent back as they came. */
#define PDU_HEADER 6
#define FIXED_BYTES 74
#define PDU_MAX (256 * 1024)   /* 128 contexts with dozens of transfer syntaxes each stay below */
#define UID_MAX 64             /* PS3.5, section 9.1 */

_Static_assert(RECOGNISE_DICOM_LIKELY == FIXED_BYTES + 4, "past the titles and the first item's header");

enum { PDU_REQUEST = 1, PDU_ACCEPT = 2, PDU_DATA = 4 };
enum { ITEM_APPLICATION = 0x10, ITEM_PROPOSED = 0x20, ITEM_ACCEPTED = 0x21, ITEM_ABSTRACT = 0x30, ITEM_USER = 0x50 };

#define AND_MORE " and more"
#define DICOS_ROOT "1.2.840.10008.5.1.4.1.1.501"

struct sop_class {
	const char *uid, *name;
	size_t len;    /* of uid */
};

#define CLASS(uid, name) {uid, name, sizeof(uid) - 1}

/* PS3.6, annex A: what inspection equipment, archives and viewers propose. */
static const struct sop_class classes[] = {
    CLASS("1.2.840.10008.1.1", "Verification"),
    CLASS("1.2.840.10008.1.20.1", "Storage Commitment Push"),
    CLASS("1.2.840.10008.5.1.4.1.1.1", "Computed Radiography Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.1.1", "Digital X-Ray Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.1.1.1", "Digital X-Ray Image Storage (processing)"),
    CLASS("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.2.1", "Enhanced CT Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.4", "MR Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.6.1", "Ultrasound Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.7", "Secondary Capture Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.7.1", "Multi-frame Single Bit Secondary Capture Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.7.2", "Multi-frame Grayscale Byte Secondary Capture Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.7.3", "Multi-frame Grayscale Word Secondary Capture Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.7.4", "Multi-frame True Color Secondary Capture Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.12.1", "X-Ray Angiographic Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.12.2", "X-Ray Radiofluoroscopic Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.20", "Nuclear Medicine Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.66", "Raw Data Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.88.11", "Basic Text SR Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.88.22", "Enhanced SR Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.1", "DICOS CT Image Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.2.1", "DICOS Digital X-Ray Image Storage (presentation)"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.2.2", "DICOS Digital X-Ray Image Storage (processing)"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.3", "DICOS Threat Detection Report Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.4", "DICOS 2D AIT Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.5", "DICOS 3D AIT Storage"),
    CLASS("1.2.840.10008.5.1.4.1.1.501.6", "DICOS Quadrupole Resonance Storage"),
    CLASS("1.2.840.10008.5.1.4.1.2.1.1", "Patient Root Find"),
    CLASS("1.2.840.10008.5.1.4.1.2.1.2", "Patient Root Move"),
    CLASS("1.2.840.10008.5.1.4.1.2.1.3", "Patient Root Get"),
    CLASS("1.2.840.10008.5.1.4.1.2.2.1", "Study Root Find"),
    CLASS("1.2.840.10008.5.1.4.1.2.2.2", "Study Root Move"),
    CLASS("1.2.840.10008.5.1.4.1.2.2.3", "Study Root Get"),
    CLASS("1.2.840.10008.5.1.4.31", "Modality Worklist Find"),
};

#define CLASSES (sizeof classes / sizeof classes[0])
_Static_assert(CLASSES <= 64, "one bit each in struct class_list");

/* Index in the table, -1: not there. They differ in length and at the end. */
static int class_find(const char *uid, size_t n)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (classes[i].len == n && classes[i].uid[n - 1] == uid[n - 1] && memcmp(classes[i].uid, uid, n) == 0)
			return (int)i;
	return -1;
}

static bool of_dicos(const char *uid)
{
	const size_t root = sizeof DICOS_ROOT - 1;
	return strncmp(uid, DICOS_ROOT, root) == 0 && (uid[root] == '.' || uid[root] == '\0');
}

/* A UID: digits and dots; some pad it with a zero byte. Its length or 0. */
static size_t uid_length(const uint8_t *p, size_t n)
{
	if (n > 0 && p[n - 1] == 0)
		n--;
	if (n == 0 || n > UID_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		if ((p[i] < '0' || p[i] > '9') && p[i] != '.')
			return 0;
	return n;
}

/* An AE title is printable, without backslash, and not blank (PS3.5, section
 * 6.2). Copies it without the blanks around it. */
static bool ae_title(const uint8_t *p, char ret[17])
{
	size_t from = 0, to = 16;
	while (to > 0 && (p[to - 1] == ' ' || p[to - 1] == 0))   /* zeros are seen where blanks should be */
		to--;
	while (from < to && p[from] == ' ')
		from++;
	for (size_t i = from; i < to; i++)
		if (p[i] < ' ' || p[i] > '~' || p[i] == '\\')
			return false;
	memcpy(ret, p + from, to - from);
	ret[to - from] = '\0';
	return from < to;
}

/* Is name one of the names in a list, not only a part of one? */
static bool listed(const char *list, const char *name)
{
	const size_t n = strlen(name);
	for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name))
		if ((at == list || at[-1] == ' ') && (at == list || at[-2] == ',') && (at[n] == '\0' || at[n] == ','))
			return true;
	return false;
}

/* Names that say something come first: uids is false in a first pass, which
 * adds what is in the table, and true in a second, which adds the rest.
 * Programs propose a class a dozen times, each time with another transfer
 * syntax; the repetition is told by its bytes. */
struct class_list {
	size_t len;
	bool left_out, uids, others;   /* others: some are not in the table */
	uint64_t added;                /* of the table */
	const uint8_t *last;           /* UID of the last context */
	size_t last_bytes;
};

static void list_add(struct recognise_dicom *d, struct class_list *l, const char *name)
{
	const size_t room = sizeof d->classes - sizeof AND_MORE;
	const size_t need = strlen(name) + (l->len > 0 ? 2 : 0);
	if (listed(d->classes, name))
		return;   /* proposed again with other transfer syntaxes */
	if (need > room - l->len) {
		l->left_out = true;
		return;
	}
	l->len += (size_t)snprintf(d->classes + l->len, sizeof d->classes - l->len, "%s%s", l->len > 0 ? ", " : "", name);
}

static void class_add(struct recognise_dicom *d, struct class_list *l, const uint8_t *uid, size_t n)
{
	char text[UID_MAX + 1];
	memcpy(text, uid, n);
	text[n] = '\0';
	const int known = class_find(text, n);
	l->others = l->others || known < 0;
	if ((known < 0) != l->uids || (known >= 0 && l->added >> known & 1))
		return;
	if (known >= 0)
		l->added |= UINT64_C(1) << known;
	d->dicos = d->dicos || of_dicos(text);
	list_add(d, l, known >= 0 ? classes[known].name : text);
}

/* The abstract syntax within a proposed presentation context. */
static void context_read(struct bytes b, struct recognise_dicom *d, struct class_list *l)
{
	bytes_take(&b, 4);
	while (!b.failed && b.left > 0) {
		const uint8_t type = bytes_u8(&b);
		bytes_take(&b, 1);
		const uint16_t n = bytes_u16(&b);
		const uint8_t *p = bytes_take(&b, n);
		if (p == NULL || n == 0 || type != ITEM_ABSTRACT || (n == l->last_bytes && memcmp(p, l->last, n) == 0))
			continue;
		const size_t uid = uid_length(p, n);
		if (uid > 0)
			class_add(d, l, p, uid);
		l->last = p;
		l->last_bytes = n;
	}
}

static void items_read(struct bytes b, struct recognise_dicom *d, struct class_list *l)
{
	while (!b.failed && b.left > 0) {
		const uint8_t type = bytes_u8(&b);
		bytes_take(&b, 1);
		const uint16_t n = bytes_u16(&b);
		const size_t have = b.left;
		const uint8_t *p = bytes_take(&b, n);
		if (p == NULL && have > 4 && type == ITEM_PROPOSED)   /* cut here: take what is there */
			context_read(bytes_of(b.at, have), d, l);
		else if (p != NULL && type == ITEM_PROPOSED)
			context_read(bytes_of(p, n), d, l);
	}
}

static void classes_read(struct bytes items, struct recognise_dicom *d)
{
	struct class_list l = {.len = 0};
	items_read(items, d, &l);
	if (l.others) {
		l.uids = true;
		l.last_bytes = 0;
		items_read(items, d, &l);
	}
	if (l.left_out)
		snprintf(d->classes + l.len, sizeof d->classes - l.len, AND_MORE);
}

/* Do the first n bytes fit an association as far as they go? */
static bool header_fits(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t at, mask, want;
	} fixed[] = {{1, 0xff, 0}, {2, 0xff, 0}, {7, 1, 1}, {8, 0xff, 0}, {9, 0xff, 0}, {75, 0xff, 0}};
	if (n > 0 && p[0] != PDU_REQUEST && p[0] != PDU_ACCEPT)
		return false;
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (n > fixed[i].at && (p[fixed[i].at] & fixed[i].mask) != fixed[i].want)
			return false;
	return n < PDU_HEADER || (be32(p + 2) >= FIXED_BYTES + 8 - PDU_HEADER && be32(p + 2) <= PDU_MAX);
}

/* The application context comes first, always (PS3.8, table 9-11). */
static bool application_context_fits(const uint8_t *p, size_t n)
{
	const size_t bytes = n >= FIXED_BYTES + 4 ? be16(p + FIXED_BYTES + 2) : 0;
	return n >= FIXED_BYTES + 4 + bytes && p[FIXED_BYTES] == ITEM_APPLICATION &&
	       uid_length(p + FIXED_BYTES + 4, bytes) == bytes - (bytes > 0 && p[FIXED_BYTES + 3 + bytes] == 0) &&
	       bytes > 1;
}

enum recognise recognise_dicom_association(const uint8_t *p, size_t n, bool last, struct recognise_dicom *ret)
{
	struct recognise_dicom d = {.request = n > 0 && p[0] == PDU_REQUEST};
	if (!header_fits(p, n))
		return RECOGNISE_NO;
	if (n < FIXED_BYTES + 4)
		return last ? RECOGNISE_NO : RECOGNISE_MORE;
	if (p[FIXED_BYTES] != ITEM_APPLICATION || be16(p + FIXED_BYTES + 2) > UID_MAX + 1 ||
	    !ae_title(p + 10, d.called) || !ae_title(p + 26, d.calling))
		return RECOGNISE_NO;
	const size_t pdu = PDU_HEADER + (size_t)be32(p + 2);
	if (n < pdu && !last)
		return RECOGNISE_MORE;
	/* The items end with the PDU, whatever follows it. */
	const size_t have = n < pdu ? n : pdu;
	if (!application_context_fits(p, have))
		return RECOGNISE_NO;
	classes_read(bytes_of(p + FIXED_BYTES, have - FIXED_BYTES), &d);
	*ret = d;
	return RECOGNISE_YES;
}

/* P-DATA-TF: 04, reserved, length 4; then presentation data values: length 4,
 * context id (odd), control (bit 0: command, bit 1: last). One value that fills
 * the PDU, as all known programs write it; the lengths agree in 32 bits. */
bool recognise_dicom_data(const uint8_t *p, size_t n)
{
	if (n < 12 || p[0] != PDU_DATA || p[1] != 0)
		return false;
	const uint32_t pdu = be32(p + 2), value = be32(p + 6);
	if (pdu < 6 + 4 || pdu > 0x7fffffff || value != pdu - 4 || p[10] % 2 == 0 || p[11] > 3)
		return false;
	/* a command begins with (0000,0000), of length 4 */
	static const uint8_t group_length[] = {0, 0, 0, 0, 4, 0, 0, 0};
	return p[11] % 2 == 0 || n < 20 || memcmp(p + 12, group_length, sizeof group_length) == 0;
}

/* The command set: elements of group 0000, little-endian, each with group 2,
 * element 2, length 4, value (PS3.7, section 6.3). */
enum { COMMAND_SOP_CLASS = 0x0002, COMMAND_FIELD = 0x0100, C_STORE_RQ = 1 };

static enum recognise store_read(struct bytes b, bool cut, struct recognise_store *ret)
{
	char uid[UID_MAX + 1] = "";
	bool store = false;
	while (b.left > 0 && (!store || uid[0] == '\0')) {
		const uint8_t *head = bytes_take(&b, 8);
		const uint8_t *value = head != NULL ? bytes_take(&b, le32(head + 4)) : NULL;
		if (value == NULL)
			return cut ? RECOGNISE_MORE : RECOGNISE_NO;
		const uint32_t n = le32(head + 4);
		const size_t len = le16(head + 2) == COMMAND_SOP_CLASS ? uid_length(value, n) : 0;
		if (len > 0) {
			memcpy(uid, value, len);
			uid[len] = '\0';
		}
		if (le16(head) != 0 || (le16(head + 2) == COMMAND_FIELD && (n != 2 || le16(value) != C_STORE_RQ)))
			return RECOGNISE_NO;
		store = store || le16(head + 2) == COMMAND_FIELD;
	}
	if (!store || uid[0] == '\0')
		return cut ? RECOGNISE_MORE : RECOGNISE_NO;
	const int known = class_find(uid, strlen(uid));
	ret->dicos = of_dicos(uid);
	snprintf(ret->sop_class, sizeof ret->sop_class, "%s", known >= 0 ? classes[known].name : uid);
	return RECOGNISE_YES;
}

enum recognise recognise_dicom_store(const uint8_t *p, size_t n, struct recognise_store *ret)
{
	if (n < 12)
		return n == 0 || p[0] == PDU_DATA ? RECOGNISE_MORE : RECOGNISE_NO;
	const uint32_t value = be32(p + 6);
	if (p[0] != PDU_DATA || p[11] % 2 == 0 || value < 2)
		return RECOGNISE_NO;
	const bool cut = n - 10 < value;
	return store_read(bytes_of(p + 12, cut ? n - 12 : value - 2), cut, ret);
}
