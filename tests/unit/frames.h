/* frames.h - frames made by hand, from the inside out: each call puts a
 * header in front of what is there, so that lengths fill in by themselves. */
#ifndef UNIT_FRAMES_H
#define UNIT_FRAMES_H
#include <stdint.h>
#include <string.h>

#define FRAME_ROOM 12000

struct frame {
	uint8_t room[FRAME_ROOM];
	uint8_t *at;       /* first byte */
	size_t n;
};

static inline void frame_start(struct frame *f, size_t payload_bytes)
{
	f->at = f->room + FRAME_ROOM - payload_bytes;
	f->n = payload_bytes;
	for (size_t i = 0; i < payload_bytes; i++)
		f->at[i] = (uint8_t)(0x80 + i * 7);
}

static inline uint8_t *frame_push(struct frame *f, size_t n)
{
	f->at -= n;
	f->n += n;
	memset(f->at, 0, n);
	return f->at;
}

static inline void set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void set32(uint8_t *p, uint32_t v)
{
	set16(p, v >> 16);
	set16(p + 2, v & 0xffff);
}

static inline void push_bytes(struct frame *f, const void *bytes, size_t n)
{
	memcpy(frame_push(f, n), bytes, n);
}

static inline void push_tcp(struct frame *f, unsigned sport, unsigned dport, unsigned flags)
{
	uint8_t *h = frame_push(f, 20);
	set16(h, sport);
	set16(h + 2, dport);
	set32(h + 4, 0x01020304);
	set32(h + 8, 0x05060708);
	h[12] = 0x50;
	h[13] = (uint8_t)flags;
	set16(h + 14, 65535);
}

static inline void push_udp(struct frame *f, unsigned sport, unsigned dport)
{
	uint8_t *h = frame_push(f, 8);
	set16(h, sport);
	set16(h + 2, dport);
	set16(h + 4, (unsigned)f->n);
}

/* 192.0.2.src to 198.51.100.dst */
static inline uint8_t *push_ipv4(struct frame *f, unsigned proto, unsigned src, unsigned dst)
{
	uint8_t *h = frame_push(f, 20);
	h[0] = 0x45;
	set16(h + 2, (unsigned)f->n);
	set16(h + 4, 0x1234);
	h[8] = 64;
	h[9] = (uint8_t)proto;
	const uint8_t a[8] = {192, 0, 2, (uint8_t)src, 198, 51, 100, (uint8_t)dst};
	memcpy(h + 12, a, sizeof a);
	uint32_t sum = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)h[i] << 8 | h[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	set16(h + 10, ~sum & 0xffff);
	return h;
}

/* 2001:db8::src to 2001:db8:1::dst */
static inline uint8_t *push_ipv6(struct frame *f, unsigned next, unsigned src, unsigned dst)
{
	uint8_t *h = frame_push(f, 40);
	h[0] = 0x60;
	set16(h + 4, (unsigned)f->n - 40);
	h[6] = (uint8_t)next;
	h[7] = 64;
	set32(h + 8, 0x20010db8);
	h[23] = (uint8_t)src;
	set32(h + 24, 0x20010db8);
	h[29] = 1;
	h[39] = (uint8_t)dst;
	return h;
}

static inline void push_type(struct frame *f, unsigned type)
{
	set16(frame_push(f, 2), type);
}

/* 02:00:00:00:00:src to 02:00:00:00:00:dst */
static inline void push_ethernet(struct frame *f, unsigned type, unsigned src, unsigned dst)
{
	uint8_t *h = frame_push(f, 14);
	h[0] = h[6] = 2;
	h[5] = (uint8_t)dst;
	h[11] = (uint8_t)src;
	set16(h + 12, type);
}

/* A tag before the ethertype of what is there (without its Ethernet header). */
static inline void push_tag(struct frame *f, unsigned tci, unsigned inner_type)
{
	uint8_t *h = frame_push(f, 4);
	set16(h, tci);
	set16(h + 2, inner_type);
}

static inline void push_label(struct frame *f, unsigned label, int bottom)
{
	set32(frame_push(f, 4), (uint32_t)label << 12 | (bottom ? 0x100u : 0) | 64u);
}

#endif
