/* dpi.h - deep packet inspection behind one header: nDPI 4.2 as packaged, and
 * 4.8, 4.10, 4.11 and 5.x from the same source. The only files that include
 * nDPI are dpi's own. One struct dpi per process.
 * Labels come from the sender's own bytes: they never approve by themselves.
 * Nothing is guessed: what no dissector recognised is "Unknown". */
#ifndef MONITOR_DPI_H
#define MONITOR_DPI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"

struct dpi;
struct dpi_flow;   /* nDPI state of one flow, from a pool: dpi_flow_bytes() each */

enum dpi_state { DPI_MORE = 0, DPI_PARTIAL, DPI_DONE };

struct dpi_result {
	char app[FACT_APP_MAX];         /* "TLS", "TLS.Amazon", "Unknown" */
	char category[FACT_WORD_MAX];
	char host[FACT_HOST_MAX];       /* lower case, "" when none */
	char ja3[33], ja4[40];
	uint64_t risk;
	enum fact_host_source host_source;
	bool encrypted;
	bool known;
};

/* max_flows: states alive at once; past it dpi_flow_new says NULL. Memory: the
 * module about 7 MB (4.2), what is remembered of it 2.5 MB (dpi_memo.h), each
 * state dpi_flow_bytes(), and what nDPI takes for records that are not whole
 * yet: at most 4 KB times max_flows (64 MB at least) in all, past which a flow
 * is finished after one packet and counted.
 * 0, ERR_NOMEM, ERR_UNSUPPORTED (header and library differ; err says how). */
MUST_CHECK int dpi_new(uint32_t max_flows, struct dpi **ret, char *err, size_t err_size);
void dpi_free(struct dpi *d);
/* "nDPI 4.2 (4.2.0-…)" */
const char *dpi_version(void);
size_t dpi_flow_bytes(void);

struct dpi_stats {
	size_t heap_bytes, heap_max;   /* held by nDPI now; where it is cut short */
	uint64_t cut_short;            /* flows finished early for want of memory */
};
void dpi_stats(const struct dpi *d, struct dpi_stats *ret);

struct dpi_flow *dpi_flow_new(struct dpi *d);
void dpi_flow_free(struct dpi *d, struct dpi_flow *f);

/* One packet. l3 is the IP header, len the captured bytes up to the IP length.
 * The caller keeps to one five-tuple and protocol per flow, feeds no later
 * fragments and only whole transport headers. from_client: sent by the
 * initiator. The packet is copied behind a zeroed tail before nDPI sees it. */
enum dpi_state dpi_feed(struct dpi *d, struct dpi_flow *f, const uint8_t *l3, uint32_t len, int64_t time_us,
                        bool from_client);
/* No more packets: what is it? */
void dpi_finish(struct dpi *d, struct dpi_flow *f);
void dpi_get(struct dpi *d, struct dpi_flow *f, struct dpi_result *ret);

#endif
