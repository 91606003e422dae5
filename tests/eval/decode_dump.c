/* decode_dump.c - what decode and dedup say of each frame of a capture file,
 * for comparison with other programs. One line a frame:
 *   number  outcome  vlans  copy  layers
 * copy is 1 for the second copy of a frame; layers are joined by '|', each
 *   src dst proto ip-bytes sport dport payload-bytes vlans
 * and vlans are: count,outer,inner (0 where there is none). */
#include <stdio.h>

#include "sense/capture.h"
#include "sense/decode.h"
#include "sense/dedup.h"

static void print_layer(const struct packet *p)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	printf("%s%s %s %u %u %u %u %u %u,%u,%u", p->depth > 0 ? "|" : "", addr_text(&p->src, src), addr_text(&p->dst, dst),
	       p->proto, p->ip_bytes, p->src_port, p->dst_port, p->payload_bytes, p->vlan_count, p->vlan[0], p->vlan[1]);
}

static bool is_copy(struct dedup *dedup, const struct packet *p)
{
	struct dedup_place at;
	dedup_seek(dedup, p, DEDUP_BY_VLAN, &at);
	return dedup_seen(dedup, p, DEDUP_BY_VLAN, &at);
}

static void print_frame(const struct capture_frame *f, struct dedup *dedup)
{
	static const char *const outcomes[DECODE_OUTCOMES] = {
	    [DECODE_IP] = "ip",       [DECODE_ARP] = "arp",     [DECODE_NON_IP] = "non-ip",
	    [DECODE_MALFORMED] = "malformed", [DECODE_SHORT] = "short",
	};
	struct packet layer[DECODE_DEPTH_MAX + 1];
	unsigned depth = 0;
	enum decode_outcome o = decode_frame(f, &layer[0]);
	const enum decode_outcome outermost = o;

	while (o == DECODE_IP && layer[depth].tunnel != TUNNEL_NONE && depth < DECODE_DEPTH_MAX) {
		o = decode_inner(&layer[depth], &layer[depth + 1]);
		depth++;
	}
	const struct packet *last = &layer[depth];
	printf("%llu\t%s%s%s\t%u,%u,%u\t%d\t", (unsigned long long)f->number, outcomes[outermost],
	       depth > 0 ? "/" : "", depth > 0 ? outcomes[o] : "", last->vlan_count, last->vlan[0], last->vlan[1],
	       o == DECODE_IP && is_copy(dedup, last));
	for (unsigned i = 0; i <= depth; i++)
		if (layer[i].ip_version != 0)
			print_layer(&layer[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	char err[400];
	struct capture *capture;
	struct capture_frame f;
	struct dedup *dedup;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: decode_dump FILE\n");
		return 2;
	}
	const char *const paths[] = {argv[1]};
	const struct capture_files files = {.paths = paths, .path_count = 1};
	if (capture_open_files(&files, &capture, err, sizeof err) != 0) {
		fprintf(stderr, "decode_dump: %s\n", err);
		return 1;
	}
	if (dedup_new(&dedup) != 0) {
		fprintf(stderr, "decode_dump: no memory\n");
		return 1;
	}
	while ((rc = capture_next(capture, &f)) == 0)
		print_frame(&f, dedup);
	dedup_free(dedup);
	capture_close(capture);
	return rc == ERR_END || rc == ERR_DAMAGED ? 0 : 1;
}
