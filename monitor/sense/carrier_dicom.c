/* DICOM's requestor (PS3.8, section 9.3): PDUs of type 1, reserved 1, length 4
 * (big-endian). P-DATA (4) holds presentation data values: length 4, context 1,
 * control 1 (bit 0: a command, bit 1: the last of it), bytes. What is no command
 * is a data set: its beginning is looked at. The negotiation says nothing more
 * than recognise_dicom.c reads. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/carrier_parts.h"

enum { DICOM_PDU = 0, DICOM_VALUE, DICOM_SKIP, DICOM_SKIP_VALUE, DICOM_DATA };
enum { PDU_REQUEST = 1, PDU_DATA = 4, PDU_LAST = 7 };

#define PDU_HEADER 6u
#define VALUE_HEADER 6u

bool dicom_begins(const uint8_t *p, size_t n)
{
	return n >= 8 && p[0] == PDU_REQUEST && p[1] == 0 && be32(p + 2) >= 70 && be32(p + 2) < 1u << 20 && (p[7] & 1) == 1;
}

/* --- the data set (PS3.5, section 7.1): little-endian elements in the order of
 * their tags: group 2, element 2, then VR of two letters and length 2 (or two
 * zeros and length 4), or without VR length 4 --- */

enum { GROUP_IDENTIFYING = 0x0008, GROUP_PATIENT = 0x0010 };

static bool has_long_length(const uint8_t *vr)
{
	static const char all[][3] = {"OB", "OD", "OF", "OL", "OW", "SQ", "UC", "UN", "UR", "UT"};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (memcmp(vr, all[i], 2) == 0)
			return true;
	return false;
}

static uint32_t value_length(struct bytes *b)
{
	const uint8_t *h = bytes_take(b, 4);
	if (h == NULL)
		return 0;
	if (h[0] < 'A' || h[0] > 'Z' || h[1] < 'A' || h[1] > 'Z')
		return le32(h);
	if (!has_long_length(h))
		return le16(h + 2);
	h = bytes_take(b, 4);
	return h != NULL ? le32(h) : 0;
}

/* A sequence of unknown length ends with its delimiter. */
static void skip_sequence(struct bytes *b)
{
	static const uint8_t delimiter[8] = {0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0};
	const uint8_t *end = b->left > 0 ? memmem(b->at, b->left, delimiter, sizeof delimiter) : NULL;
	bytes_take(b, end != NULL ? (size_t)(end - b->at) + sizeof delimiter : b->left + 1);
}

static void take_text(char ret[static DICOM_TEXT], const uint8_t *p, size_t n)
{
	size_t len = n < DICOM_TEXT - 1 ? n : DICOM_TEXT - 1;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == 0))
		len--;
	for (size_t i = 0; i < len; i++)
		ret[i] = p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '?';
	ret[len] = '\0';
}

bool dicom_data_set(const uint8_t *p, size_t n, struct dicom_fields *ret)
{
	struct bytes b = bytes_of(p, n);
	memset(ret, 0, sizeof *ret);
	if (n < 8 || le16(p) != GROUP_IDENTIFYING)
		return false;
	while (!b.failed && b.left > 0) {
		const uint8_t *tag = bytes_take(&b, 4);
		if (tag == NULL || le16(tag) > GROUP_PATIENT)
			break;
		const uint32_t length = value_length(&b);
		if (length == UINT32_MAX) {
			skip_sequence(&b);
			continue;
		}
		const uint8_t *value = bytes_take(&b, length);
		if (value != NULL && le16(tag) == GROUP_IDENTIFYING && le16(tag + 2) == 0x0060)
			take_text(ret->modality, value, length);
		if (value != NULL && le16(tag) == GROUP_PATIENT && le16(tag + 2) == 0x0010)
			take_text(ret->patient, value, length);
	}
	return ret->modality[0] != '\0' || ret->patient[0] != '\0';
}

/* --- PDUs --- */

static size_t read_pdu(struct passage *a, const uint8_t *p, size_t n)
{
	struct lane *l = a->lane;
	if (n < PDU_HEADER)
		return 0;
	if (p[0] == 0 || p[0] > PDU_LAST) {
		lane_end(a);
		return n;
	}
	l->pdu_left = be32(p + 2);
	l->left = l->pdu_left;
	l->state = l->left == 0 ? DICOM_PDU : p[0] == PDU_DATA ? DICOM_VALUE : DICOM_SKIP;
	return PDU_HEADER;
}

static size_t read_value(struct passage *a, const uint8_t *p, size_t n)
{
	struct lane *l = a->lane;
	if (n < VALUE_HEADER)
		return 0;
	const uint32_t length = be32(p);
	if (length < 2 || l->pdu_left < 4 || length > l->pdu_left - 4) {
		lane_end(a);
		return n;
	}
	l->pdu_left -= 4 + length;
	l->left = length - 2;
	const bool command = (p[5] & 1) != 0;
	if (command)
		object_shut(a);
	else if (a->lane->object.state == OBJECT_SHUT)
		object_open(a, VIA_DICOM, "", CODING_NONE, true);
	l->state = command ? DICOM_SKIP_VALUE : DICOM_DATA;
	return VALUE_HEADER;
}

size_t dicom_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	(void)full;
	if (l->state == DICOM_PDU)
		return read_pdu(a, p, n);
	if (l->state == DICOM_VALUE)
		return read_value(a, p, n);
	const size_t piece = n < l->left ? n : (size_t)l->left;
	if (l->state == DICOM_DATA)
		object_add(a, p, piece);
	l->left -= piece;
	if (l->left > 0)
		return piece;
	l->state = l->state == DICOM_SKIP || l->pdu_left == 0 ? DICOM_PDU : DICOM_VALUE;
	/* nothing is left of a value without bytes: go on with what follows */
	return piece > 0 ? piece : dicom_read(a, p, n, full);
}
