/* worker.h - capture → decode → flow table → dpi + content → facts.
 * The top file of sense/: it alone knows the order of its neighbours. Runs in
 * a process of its own, which can read its rings and write facts. */
#ifndef MONITOR_WORKER_H
#define MONITOR_WORKER_H
#include <stdbool.h>

#include "base/config.h"
#include "base/control.h"
#include "base/err.h"
#include "base/ring.h"
#include "sense/capture.h"
#include "sense/signature.h"

struct worker_options {
	const struct config *config;
	struct capture *capture;   /* opened by the caller, closed by the caller */
	const char *const *interfaces;   /* names in the order of opening; NULL: files, taken as the first of the configuration */
	size_t interface_count;
	struct ring *ring;         /* to the judge */
	struct ring *orders, *packets;   /* keep.h; NULL: no packet is kept */
	struct control *control;
	struct signature_page *rules;   /* for contents; NULL: none */
	int judge_eventfd;         /* written when control->judge_waits */
	unsigned index, workers;
};

/* Memory, at most: 196 bytes for each of flows.max, 32 more if it is IPv6, and for each of up to
 * 16,384 flows under inspection 0.5 KB (1.5 KB with a server name or a find),
 * the two buffers of content_kib and nDPI's state with 4 KB on average
 * (dpi.h); 25 MB of tables beside it; and what is held for evidence (hold.h:
 * hold_mb, divided among the workers, and 92 bytes for each of flows.max). With the defaults some 360 MB,
 * of which a quiet line touches a tenth.
 *
 * Everything a worker needs is allocated by worker_new, so that the sandbox
 * can be entered between worker_new and worker_run. */
struct worker;
MUST_CHECK int worker_new(const struct worker_options *o, struct worker **ret, char *err, size_t err_size);
void worker_free(struct worker *w);

/* Until the input ends, control->stop is set or the interface is lost.
 * Returns an enum exit_code. */
int worker_run(struct worker *w);

#endif
