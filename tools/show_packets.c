/* The first packets that carried anything, from the evidence files, in hex and
 * text: bytes of the network, none of which reaches the terminal as it is. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/pcapng.h"
#include "sense/capture.h"
#include "sense/decode.h"
#include "show.h"
#include "text.h"

#define BLOCKS_MOST 200000u   /* looked at; a page is not to take long */
#define ROW 16u

static const char *say(const struct show *s, enum show_text t)
{
	return show_text(s->lang, t);
}

/* --- reading --- */

/* What a packet carries of that flow; false: nothing, or (*ret_cut) nothing of it was kept. */
static bool payload_of(const struct pcapng_packet *p, int link_type, const struct addr *inside, struct show_packet *ret,
                       bool *ret_cut)
{
	const struct capture_frame f = {.data = p->data, .caplen = p->caplen, .wirelen = p->wirelen, .time_us = p->time_us,
	                                .link_type = link_type};
	struct packet here, inner;
	enum decode_outcome o = decode_frame(&f, &here);
	/* A mirror that wraps what it sends. */
	while (o == DECODE_IP && here.tunnel != TUNNEL_NONE && !addr_eq(&here.src, inside) && !addr_eq(&here.dst, inside)) {
		o = decode_inner(&here, &inner);
		here = inner;
	}
	*ret_cut = o == DECODE_IP && here.payload_bytes > 0 && here.payload_caplen == 0;
	if (o != DECODE_IP || here.payload == NULL || here.payload_caplen == 0)
		return false;
	*ret = (struct show_packet){.time_us = p->time_us, .bytes = here.payload_bytes, .out = addr_eq(&here.src, inside)};
	ret->kept = here.payload_caplen < SHOW_PACKET_BYTES ? here.payload_caplen : SHOW_PACKET_BYTES;
	memcpy(ret->data, here.payload, ret->kept);
	return true;
}

static void read_file(struct show *s, int fd, const struct addr *inside)
{
	struct show_record *c = &s->record;
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	if (pcapng_reader_new_fd(fd, &r) != 0)
		return;
	/* A file that is still written, or damaged, is shown as far as it goes. */
	for (unsigned n = 0; n < BLOCKS_MOST && c->packet_count < SHOW_PACKETS_MAX && pcapng_next(r, &b) == 0; n++) {
		if (b.kind != PCAPNG_PACKET ||
		    pcapng_note_transfer(b.packet.comment, b.packet.comment_bytes) != c->packets_of)
			continue;
		const struct pcapng_interface *i = pcapng_reader_interface(r, b.packet.interface);
		bool cut = false;
		if (i != NULL && payload_of(&b.packet, i->link_type, inside, &c->packets[c->packet_count], &cut))
			c->packet_count++;
		c->headers_only = c->headers_only || cut;
	}
	pcapng_reader_free(r);
}

/* Below the directory of the database, and nowhere else. */
static int open_file(const struct show *s, const char *path)
{
	char name[4400];
	if (strncmp(path, "evidence/", 9) != 0 || strstr(path, "..") != NULL)
		return -1;
	const int n = snprintf(name, sizeof name, "%s/%s", s->dir, path);
	return n > 0 && (size_t)n < sizeof name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
}

int show_packets_read(struct show *s)
{
	struct show_record *c = &s->record;
	struct addr inside;
	c->packets_of = s->g->one ? s->id : s->g->largest_count > 0 ? s->g->largest[0].id : 0;
	if (c->packets_of == 0 || addr_parse(s->g->of.address, &inside) != 0)
		return 0;
	for (unsigned i = 0; i < c->file_count && c->packet_count < SHOW_PACKETS_MAX; i++) {
		const int fd = c->files[i].evicted ? -1 : open_file(s, c->files[i].path);
		c->unreadable = c->unreadable || (fd < 0 && !c->files[i].evicted);
		if (fd < 0)
			continue;
		read_file(s, fd, &inside);
		close(fd);
	}
	return 0;
}

/* --- printing --- */

static void print_row(const uint8_t *data, unsigned at, unsigned count)
{
	char hex[3 * ROW + 2] = "", text[ROW + 1] = "";
	size_t n = 0;
	for (unsigned i = 0; i < count; i++) {
		n += (size_t)snprintf(hex + n, sizeof hex - n, "%s%02x", i == ROW / 2 ? "  " : i > 0 ? " " : "", data[at + i]);
		text[i] = (char)(data[at + i] >= 0x20 && data[at + i] < 0x7f ? data[at + i] : '.');
	}
	printf("  %04x  %-48s  %s\n", at, hex, text);
}

/* On one screen: the first, and the first of the other way (else the second). */
static bool is_shown(const struct show_record *c, unsigned i)
{
	unsigned other = 1;
	while (other < c->packet_count && c->packets[other].out == c->packets[0].out)
		other++;
	return i == 0 || i == (other < c->packet_count ? other : 1);
}

void show_packets(const struct show *s)
{
	const struct show_record *c = &s->record;
	char id[24], buf[200], size[24];
	snprintf(id, sizeof id, "%" PRId64, c->packets_of);
	if (c->packet_count == 0) {
		if (c->unreadable || c->headers_only)
			show_item(s, say(s, SHOW_PACKETS_LABEL), "%s", say(s, c->unreadable ? SHOW_UNREADABLE : SHOW_HEADERS_ONLY));
		return;
	}
	show_item(s, say(s, SHOW_PACKETS_LABEL), "%s",
	          text_fill(say(s, SHOW_FIRST_PACKETS), (const char *[]){id}, buf, sizeof buf));
	for (unsigned i = 0; i < c->packet_count; i++) {
		if (!s->all && !is_shown(c, i))
			continue;
		const struct show_packet *p = &c->packets[i];
		const unsigned most = s->all ? SHOW_PACKET_BYTES : ROW, bytes = p->kept < most ? p->kept : most;
		char at[SHOW_TIME_MAX];
		snprintf(size, sizeof size, "%" PRIu32, p->bytes);
		const char *const values[] = {size};
		printf("  %s %s.%06d  %s\n", p->out ? "→" : "←", show_local(s, p->time_us, at) + 11, (int)(p->time_us % 1000000),
		       text_fill(show_text_n(s->lang, SHOW_BYTES, p->bytes), values, buf, sizeof buf));
		for (unsigned k = 0; k < bytes; k += ROW)
			print_row(p->data, k, bytes - k < ROW ? bytes - k : ROW);
	}
}

void show_packets_json(const struct show *s, struct json *j)
{
	const struct show_record *c = &s->record;
	char hex[2 * SHOW_PACKET_BYTES + 1];
	if (c->packet_count == 0)
		return;
	json_array(j, "packets");
	for (unsigned i = 0; i < c->packet_count; i++) {
		const struct show_packet *p = &c->packets[i];
		for (unsigned k = 0; k < p->kept; k++)
			snprintf(hex + 2 * k, 3, "%02x", p->data[k]);
		json_object(j, NULL);
		json_int(j, "transfer", c->packets_of);
		json_time(j, "time", p->time_us);
		json_str(j, "direction", p->out ? "out" : "in");
		json_uint(j, "payload_bytes", p->bytes);
		json_str(j, "payload", hex);
		json_object_end(j);
	}
	json_array_end(j);
}
