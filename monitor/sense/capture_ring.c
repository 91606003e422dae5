#include "sense/capture_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK_ETHERNET 1
#define BLOCK_BYTES (256u * 1024)   /* more than any frame */
#define SNAPLEN_ALL 65535u          /* below this the kernel cuts, to keep the ring for more frames */
#define LINE_BYTES 64u
#define TAG_BYTES 4u
#define MACS_BYTES 12u
#define SENDER_AT ((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) & ~((size_t)TPACKET_ALIGNMENT - 1))

/* What a frame of the ring looks like (Documentation/networking/packet_mmap):
 * struct tpacket3_hdr, struct sockaddr_ll behind it, and tp_mac bytes from the
 * header's begin the frame, with at least TAG_BYTES free before it. */
struct capture_ring {
	int fd;
	bool loopback;             /* each frame is seen going out and coming in */
	uint8_t *map;
	size_t map_bytes;
	unsigned blocks, current;
	uint32_t snaplen;
	struct tpacket_block_desc *held;   /* the block handed out, NULL: none */
	uint8_t *next;             /* frame of it */
	uint32_t left;             /* frames of it */
};

static int set(const struct capture_ring *r, int option, const void *value, size_t bytes)
{
	return setsockopt(r->fd, SOL_PACKET, option, value, (socklen_t)bytes);
}

static int make_ring(struct capture_ring *r, const struct capture_ring_options *o, const char **ret_what)
{
	const int version = TPACKET_V3, reserve = TAG_BYTES;
	*ret_what = "PACKET_VERSION";
	if (set(r, PACKET_VERSION, &version, sizeof version) != 0)
		return ERR_IO;
	*ret_what = "PACKET_RESERVE";
	if (set(r, PACKET_RESERVE, &reserve, sizeof reserve) != 0)
		return ERR_IO;
	uint64_t blocks = o->buffer_bytes / BLOCK_BYTES;
	r->blocks = blocks < 2 ? 2 : blocks > UINT16_MAX ? UINT16_MAX : (unsigned)blocks;
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = r->blocks,
		.tp_frame_size = BLOCK_BYTES,   /* V3 packs frames of any size; this is the largest */
		.tp_frame_nr = r->blocks,
		.tp_retire_blk_tov = o->hand_over_ms,
	};
	*ret_what = "PACKET_RX_RING";
	if (set(r, PACKET_RX_RING, &request, sizeof request) != 0)
		return ERR_IO;
	*ret_what = "mmap";
	r->map_bytes = (size_t)r->blocks * BLOCK_BYTES;
	r->map = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return ERR_IO;
	}
	return 0;
}

/* A filter that lets everything pass makes the kernel cut to the snaplen. */
static int cut_in_kernel(struct capture_ring *r)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, r->snaplen)};
	const struct sock_fprog program = {.len = 1, .filter = all};
	return setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : ERR_IO;
}

static int see_interface(struct capture_ring *r, const char *name)
{
	struct ifreq q = {.ifr_flags = 0};
	if (strlen(name) >= sizeof q.ifr_name)
		return ERR_IO;
	memcpy(q.ifr_name, name, strlen(name) + 1);
	if (ioctl(r->fd, SIOCGIFFLAGS, &q) != 0)
		return ERR_IO;
	r->loopback = (q.ifr_flags & IFF_LOOPBACK) != 0;
	return 0;
}

/* Frames come once the socket is bound: by then everything else is in place. */
static int start(struct capture_ring *r, const char *name, const char **ret_what)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	                               .sll_ifindex = (int)if_nametoindex(name)};
	const struct packet_mreq promiscuous = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	*ret_what = "bind";
	if (at.sll_ifindex == 0 || bind(r->fd, (const struct sockaddr *)&at, sizeof at) != 0)
		return ERR_IO;
	*ret_what = "PACKET_ADD_MEMBERSHIP";
	if (!r->loopback && set(r, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) != 0)
		return ERR_IO;
	return 0;
}

int capture_ring_open(const struct capture_ring_options *o, struct capture_ring **ret, const char **ret_what)
{
	struct capture_ring *r = calloc(1, sizeof *r);
	*ret_what = "out of memory";
	if (r == NULL)
		return ERR_NOMEM;
	r->snaplen = o->snaplen;
	*ret_what = "socket";
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);   /* no protocol: nothing comes yet */
	int rc = r->fd >= 0 ? 0 : ERR_IO;
	if (rc == 0) {
		*ret_what = "SIOCGIFFLAGS";
		rc = see_interface(r, o->interface);
	}
	if (rc == 0)
		rc = make_ring(r, o, ret_what);
	if (rc == 0 && o->snaplen < SNAPLEN_ALL) {
		*ret_what = "SO_ATTACH_FILTER";
		rc = cut_in_kernel(r);
	}
	if (rc == 0)
		rc = start(r, o->interface, ret_what);
	if (rc != 0) {
		capture_ring_close(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void capture_ring_close(struct capture_ring *r)
{
	if (r == NULL)
		return;
	if (r->map != NULL)
		munmap(r->map, r->map_bytes);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int capture_ring_fd(const struct capture_ring *r)
{
	return r->fd;
}

/* --- reading --- */

static _Atomic uint32_t *status_of(struct tpacket_block_desc *b)
{
	return (_Atomic uint32_t *)&b->hdr.bh1.block_status;
}

/* Give back the block that is used up and take the next. False: none yet. */
static bool next_block(struct capture_ring *r)
{
	if (r->held != NULL) {
		atomic_store_explicit(status_of(r->held), TP_STATUS_KERNEL, memory_order_release);
		r->held = NULL;
		r->current = r->current + 1 == r->blocks ? 0 : r->current + 1;
	}
	struct tpacket_block_desc *b = (void *)(r->map + (size_t)r->current * BLOCK_BYTES);
	if ((atomic_load_explicit(status_of(b), memory_order_acquire) & TP_STATUS_USER) == 0)
		return false;
	r->held = b;
	r->next = (uint8_t *)b + b->hdr.bh1.offset_to_first_pkt;
	r->left = b->hdr.bh1.num_pkts;
	return true;
}

/* The kernel took the outer tag off: put it back, in the room before the frame. */
static uint8_t *put_tag_back(const struct tpacket3_hdr *h, uint8_t *frame)
{
	const uint16_t type = (h->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? h->hv1.tp_vlan_tpid : ETH_P_8021Q;
	const uint32_t tci = h->hv1.tp_vlan_tci;
	const uint8_t tag[TAG_BYTES] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(tci >> 8), (uint8_t)tci};
	frame -= TAG_BYTES;
	memmove(frame, frame + TAG_BYTES, MACS_BYTES);
	memcpy(frame + MACS_BYTES, tag, sizeof tag);
	return frame;
}

static void fill(const struct capture_ring *r, struct tpacket3_hdr *h, struct capture_frame *ret)
{
	uint8_t *frame = (uint8_t *)h + h->tp_mac;
	uint32_t tag_bytes = 0;
	if ((h->tp_status & TP_STATUS_VLAN_VALID) != 0 && h->tp_snaplen >= MACS_BYTES) {
		frame = put_tag_back(h, frame);
		tag_bytes = TAG_BYTES;
	}
	const uint32_t caplen = h->tp_snaplen + tag_bytes;
	ret->data = frame;
	ret->caplen = caplen < r->snaplen ? caplen : r->snaplen;
	ret->wirelen = h->tp_len + tag_bytes;
	ret->time_us = (int64_t)h->tp_sec * 1000000 + h->tp_nsec / 1000;
	ret->link_type = LINK_ETHERNET;
}

static bool is_wanted(const struct capture_ring *r, const struct tpacket3_hdr *h)
{
	if (!r->loopback)
		return true;
	const struct sockaddr_ll *from = (const void *)((const uint8_t *)h + SENDER_AT);
	return from->sll_pkttype != PACKET_OUTGOING;
}

unsigned capture_ring_read(struct capture_ring *r, struct capture_frame *ret, unsigned max)
{
	unsigned n = 0;
	if (r->left == 0 && !next_block(r))
		return 0;
	while (n < max && r->left > 0) {
		struct tpacket3_hdr *h = (void *)r->next;
		/* Frames of one size are common: the one after the next lies about there.
		 * The headers of this one will be wanted soon. */
		__builtin_prefetch(r->next + 2 * (size_t)h->tp_next_offset);
		__builtin_prefetch(r->next + LINE_BYTES);
		__builtin_prefetch(r->next + 2 * LINE_BYTES);
		if (is_wanted(r, h))
			fill(r, h, &ret[n++]);
		r->next += h->tp_next_offset;
		r->left--;
	}
	return n;
}
