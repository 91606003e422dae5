/* dpi_ndpi.h - what differs between the versions of nDPI, in one place, and
 * the private structs of dpi. Only dpi's own files include this.
 * NDPI_API_VERSION is not ordered: test NDPI_MAJOR and NDPI_MINOR. */
#ifndef MONITOR_DPI_NDPI_H
#define MONITOR_DPI_NDPI_H
#include <stdint.h>

#include <ndpi_api.h>

#include "fact.h"
#include "sense/dpi.h"

#define NDPI_FROM(major, minor) (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

#if NDPI_FROM(4, 11)
#define NDPI_MASTER(p) ((p).proto.master_protocol)
#define NDPI_APP(p) ((p).proto.app_protocol)
#else
#define NDPI_MASTER(p) ((p).master_protocol)
#define NDPI_APP(p) ((p).app_protocol)
#endif

/* 6.0 asks for a licence argument and keeps dissectors for licence holders:
 * whoever wants it has to decide that first. */
#if NDPI_FROM(6, 0)
#error "nDPI 6 and later are not supported"
#endif

/* Seen in the flow's own bytes, by our own recognisers. */
enum { SEEN_TLS = 1, SEEN_DNS = 2, SEEN_TLS_HELLO = 4, SEEN_TLS_TWICE = 8,
       SEEN_HIDDEN = 16, SEEN_FRONTED = 32, SEEN_CONNECT = 64, SEEN_WITHIN = 128 };
/* Either is enough to say TLS where nDPI does not: it wants whole records and
 * the beginning of a connection, which a short snaplen or a late start deny it. */
#define SEEN_TLS_SURE (SEEN_TLS_HELLO | SEEN_TLS_TWICE)

struct dpi_flow {
	struct dpi_flow *next;    /* of the free list */
	ndpi_protocol label;
	uint8_t fed, empty;       /* packets given to nDPI; packets without payload left out */
	uint8_t proto;            /* of the transport header */
	uint32_t fed_bytes;
	uint8_t seen;             /* SEEN_… */
	bool done;
	char host[FACT_HOST_MAX]; /* read by ourselves: a TLS server name or HTTP host; else "" */
	struct ndpi_flow_struct n;
};

struct dpi {
	struct ndpi_detection_module_struct *module;
	struct dpi_flow *free_flows;
	struct dpi_block *blocks;
	uint32_t flow_count, max_flows;   /* made so far; at most */
	struct dpi_memo *memo;            /* NULL: none */
	uint8_t *packet;                  /* one packet and the zeroed tail behind it */
	size_t heap_max;                  /* bytes that nDPI may hold before flows are cut short */
	uint64_t cut_short;
};

/* One packet as dpi sees it. */
struct dpi_view {
	uint8_t proto;
	const uint8_t *payload;
	uint32_t payload_bytes;
	uint32_t tcp_seq;
	uint16_t port[2];
	uint8_t tcp_flags;
};

static inline bool dpi_label_is(const struct dpi_flow *f, unsigned id)
{
	return NDPI_APP(f->label) == id || NDPI_MASTER(f->label) == id;
}

/* Keep the name that this packet says. nDPI's field holds the last 79 bytes of
 * it, and of HTTP's not even surely those: a cut name is another name. */
void dpi_host_see(struct dpi_flow *f, const struct dpi_view *v);

/* Have nDPI take its memory through counting functions; before it starts. */
void dpi_memory_count(void);
/* Bytes that it holds now. */
size_t dpi_memory_bytes(void);

#endif
