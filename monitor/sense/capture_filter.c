#include <ctype.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/capture_parts.h"

/* On a tagged frame a plain BPF program looks for the IP header where the tags
 * are: `port 443` does not see it, and `not port 443` lets all of it through.
 * So the tags are taken out of a copy before the program runs, and one
 * expression means the same on every frame. */

/* Where a link type keeps its ethertype, and where tags follow. */
struct layout {
	int dlt;
	uint32_t type_at, header_bytes;
};

static const struct layout layouts[] = {
	{DLT_EN10MB, 12, 14},
	{DLT_LINUX_SLL, 14, 16},
	{DLT_LINUX_SLL2, 0, 20},
};

static bool is_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200;
}

/* Does the expression hold a word that tells of tags or labels? Then it counts
 * on them being there. */
static bool speaks_of_tags(const char *expression)
{
	for (const char *p = expression; *p != '\0';) {
		size_t n = 0;
		while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.' || p[n] == '-')
			n++;
		if (n == 4 && (strncmp(p, "vlan", 4) == 0 || strncmp(p, "mpls", 4) == 0))
			return true;
		p += n != 0 ? n : 1;
	}
	return false;
}

int capture_filter_compile(const char *expression, int dlt, struct capture_filter *ret, char *err, size_t err_size)
{
	struct capture_filter f = {.dlt = dlt};
	if (expression == NULL || expression[strspn(expression, " \t\n")] == '\0') {
		*ret = f;
		return 0;
	}
	pcap_t *p = pcap_open_dead(dlt, CAPTURE_SNAPLEN_MAX);
	if (p == NULL) {
		snprintf(err, err_size, "out of memory");
		return ERR_NOMEM;
	}
	const int rc = pcap_compile(p, &f.program, expression, 1, PCAP_NETMASK_UNKNOWN);
	if (rc != 0)
		snprintf(err, err_size, "filter \"%s\": %s", expression, pcap_geterr(p));
	pcap_close(p);
	if (rc != 0)
		return ERR_INVALID;
	f.set = true;
	f.as_is = speaks_of_tags(expression);
	*ret = f;
	return 0;
}

void capture_filter_done(struct capture_filter *f)
{
	if (f->set)
		pcap_freecode(&f->program);
	f->set = false;
}

/* Copy the frame without its tags. Returns the bytes of the tags, 0: none and
 * nothing was copied. */
static uint32_t strip_tags(int dlt, const struct capture_frame *frame, uint8_t *scratch)
{
	const struct layout *l = NULL;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		if (layouts[i].dlt == dlt)
			l = &layouts[i];
	}
	if (l == NULL || frame->caplen < l->header_bytes || frame->caplen > CAPTURE_SNAPLEN_MAX)
		return 0;
	/* A tag stands behind the ethertype: 2 bytes TCI, 2 bytes the next type. */
	uint16_t type = be16(frame->data + l->type_at);
	uint32_t at = l->header_bytes;
	while (is_tag(type) && frame->caplen - at >= 4) {
		type = be16(frame->data + at + 2);
		at += 4;
	}
	if (at == l->header_bytes)
		return 0;
	memcpy(scratch, frame->data, l->header_bytes);
	scratch[l->type_at] = (uint8_t)(type >> 8);
	scratch[l->type_at + 1] = (uint8_t)type;
	memcpy(scratch + l->header_bytes, frame->data + at, frame->caplen - at);
	return at - l->header_bytes;
}

bool capture_filter_pass(const struct capture_filter *f, const struct capture_frame *frame, uint8_t *scratch)
{
	if (!f->set)
		return true;
	const uint32_t tags = f->as_is ? 0 : strip_tags(f->dlt, frame, scratch);
	return bpf_filter(f->program.bf_insns, tags != 0 ? scratch : frame->data, frame->wirelen - tags,
	                  frame->caplen - tags) != 0;
}
