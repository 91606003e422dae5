/* worker_loop.c - what one worker needs for a capture that lies in memory, with
 * its facts thrown away by another process, and beside it what nDPI alone needs
 * for the packets that the worker gave to it: the same calls again, in the same
 * order, with nothing around them. Linked with --wrap for nDPI's three
 * functions, so that a recording round can keep the calls, and for what is
 * remembered of nDPI (dpi_memo.h), so that it then asks each time.
 *   worker_loop SITE CAPTURE [ROUNDS [worker]]
 * Prints the best of ROUNDS (default 5) in processor time; "worker": without
 * the nDPI part, for a profiler. */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ndpi_api.h>

#include "fact.h"
#include "rules.h"
#include "sense/dpi_memo.h"
#include "sense/worker.h"

#define RING_BYTES (8u << 20)   /* as supervisor.c */
#define TAIL_BYTES 512u         /* as dpi.c leaves behind a packet */

static void fail(const char *what)
{
	fprintf(stderr, "worker_loop: %s\n", what);
	exit(1);
}

static void *need(void *p)
{
	if (p == NULL)
		fail("no memory");
	return p;
}

/* --- the capture, in memory --- */

struct stored {
	uint64_t at;
	int64_t time_us;
	uint32_t caplen, wirelen;
};

struct capture {
	uint8_t *bytes;
	uint64_t used, room;
	struct stored *frame;
	uint64_t count, places, next;
	int link_type;
};

static void store(struct capture *c, const struct pcap_pkthdr *h, const uint8_t *data)
{
	while (c->used + h->caplen > c->room) {
		c->room = c->room == 0 ? 1 << 24 : c->room * 2;
		c->bytes = need(realloc(c->bytes, c->room));
	}
	if (c->count == c->places) {
		c->places = c->places == 0 ? 1 << 16 : c->places * 2;
		c->frame = need(realloc(c->frame, c->places * sizeof *c->frame));
	}
	memcpy(c->bytes + c->used, data, h->caplen);
	c->frame[c->count++] = (struct stored){.at = c->used, .caplen = h->caplen, .wirelen = h->len,
	                                       .time_us = (int64_t)h->ts.tv_sec * 1000000 + h->ts.tv_usec};
	c->used += h->caplen;
}

static void load(struct capture *c, const char *path)
{
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = pcap_open_offline(path, err);
	if (p == NULL)
		fail(err);
	while (pcap_next_ex(p, &h, &data) == 1)
		store(c, h, data);
	c->link_type = pcap_datalink(p) == DLT_RAW ? 101 : pcap_datalink(p);
	pcap_close(p);
}

int capture_next(struct capture *c, struct capture_frame *ret)
{
	if (c->next == c->count)
		return ERR_END;
	const struct stored *s = &c->frame[c->next++];
	*ret = (struct capture_frame){.data = c->bytes + s->at, .caplen = s->caplen, .wirelen = s->wirelen,
	                              .time_us = s->time_us, .number = c->next, .link_type = c->link_type};
	return 0;
}

int capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	unsigned n = 0;
	while (n < max && capture_next(c, &ret[n]) == 0)
		n++;
	*ret_count = n;
	return n > 0 ? 0 : ERR_END;
}

const char *capture_error(const struct capture *c)
{
	(void)c;
	return "";
}

void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = c->next;
	*ret_all = c->count;
}

#include "../capture_stub.h"

/* --- what nDPI was called with --- */

enum call_kind { CALL_PROCESS, CALL_GIVE_UP, CALL_FREE };

struct call {
	uint64_t at;      /* of the packet in bytes */
	uint64_t ms;
	uint32_t flow, len;
	enum call_kind kind;
};

static struct {
	bool on;
	struct call *call;
	uint64_t count, places;
	uint8_t *bytes;
	uint64_t used, room;
	uint64_t flows, packets;
	uint32_t live;      /* flows at once, at most */
} trace;

#define SLOTS (1u << 20)

static const struct ndpi_flow_struct *owner[SLOTS];   /* by number, of the flows that live */

/* A flow that was not met since it was freed is a new one, all zero. */
static uint32_t number_of(const struct ndpi_flow_struct *f)
{
	static uint32_t place[SLOTS];   /* open hash: number + 1 */
	uint32_t at = (uint32_t)((uintptr_t)f >> 4) * 2654435761u % SLOTS;
	for (; place[at] != 0; at = (at + 1) % SLOTS)
		if (owner[place[at] - 1] == f)
			return place[at] - 1;
	place[at] = ++trace.live;
	if (trace.live >= SLOTS / 2)
		fail("too many flows at once");
	owner[place[at] - 1] = f;
	return place[at] - 1;
}

static void note(enum call_kind kind, const struct ndpi_flow_struct *f, const uint8_t *packet, uint32_t len, uint64_t ms)
{
	static bool alive[SLOTS];
	if (!trace.on)
		return;
	const uint32_t n = number_of(f);
	trace.flows += kind == CALL_PROCESS && !alive[n];
	trace.packets += kind == CALL_PROCESS;
	if (kind == CALL_FREE && !alive[n])
		return;   /* none of its packets was given */
	alive[n] = kind != CALL_FREE;
	if (trace.count == trace.places) {
		trace.places = trace.places == 0 ? 1 << 16 : trace.places * 2;
		trace.call = need(realloc(trace.call, trace.places * sizeof *trace.call));
	}
	while (trace.used + len + TAIL_BYTES > trace.room) {
		trace.room = trace.room == 0 ? 1 << 24 : trace.room * 2;
		trace.bytes = need(realloc(trace.bytes, trace.room));
	}
	trace.call[trace.count++] = (struct call){.at = trace.used, .ms = ms, .flow = n, .len = len, .kind = kind};
	if (packet != NULL)
		memcpy(trace.bytes + trace.used, packet, len);
	trace.used += len;
}

typedef struct ndpi_detection_module_struct module;
typedef struct ndpi_flow_struct ndpi_flow;

#if NDPI_MAJOR > 4 || NDPI_MINOR >= 6
#error "written for nDPI 4.2 and 4.4"
#endif

ndpi_protocol __real_ndpi_detection_process_packet(module *m, ndpi_flow *f, const unsigned char *p, unsigned short n,
                                                   u_int64_t ms);
ndpi_protocol __wrap_ndpi_detection_process_packet(module *m, ndpi_flow *f, const unsigned char *p, unsigned short n,
                                                   u_int64_t ms);
ndpi_protocol __real_ndpi_detection_giveup(module *m, ndpi_flow *f, u_int8_t guess, u_int8_t *guessed);
ndpi_protocol __wrap_ndpi_detection_giveup(module *m, ndpi_flow *f, u_int8_t guess, u_int8_t *guessed);
void __real_ndpi_free_flow_data(ndpi_flow *f);
void __wrap_ndpi_free_flow_data(ndpi_flow *f);

ndpi_protocol __wrap_ndpi_detection_process_packet(module *m, ndpi_flow *f, const unsigned char *p, unsigned short n,
                                                   u_int64_t ms)
{
	note(CALL_PROCESS, f, p, n, ms);
	return __real_ndpi_detection_process_packet(m, f, p, n, ms);
}

ndpi_protocol __wrap_ndpi_detection_giveup(module *m, ndpi_flow *f, u_int8_t guess, u_int8_t *guessed)
{
	note(CALL_GIVE_UP, f, NULL, 0, 0);
	return __real_ndpi_detection_giveup(m, f, guess, guessed);
}

void __wrap_ndpi_free_flow_data(ndpi_flow *f)
{
	note(CALL_FREE, f, NULL, 0, 0);
	__real_ndpi_free_flow_data(f);
}

bool __real_dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v,
                            uint64_t ms);
bool __wrap_dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v,
                            uint64_t ms);

bool __wrap_dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v,
                            uint64_t ms)
{
	return !trace.on && __real_dpi_memo_recall(m, f, l3, v, ms);
}

/* --- one round --- */

struct round {
	double user_s, system_s;
	uint64_t facts, fact_bytes, of_type[FACT_TYPE_MAX];
};

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void used_since(const struct rusage *before, struct round *ret)
{
	struct rusage now;
	getrusage(RUSAGE_SELF, &now);
	ret->user_s = seconds_of(now.ru_utime) - seconds_of(before->ru_utime);
	ret->system_s = seconds_of(now.ru_stime) - seconds_of(before->ru_stime);
}

/* The judge's end of the ring: takes, counts, forgets. */
static void throw_away(struct ring *r, int fd)
{
	struct round sum = {0};
	size_t size;
	for (;;) {
		const int closed = ring_is_closed(r);
		const struct fact_head *h = ring_peek(r, &size);
		if (h == NULL) {
			if (closed)
				break;
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
			continue;
		}
		sum.facts++;
		sum.fact_bytes += size;
		sum.of_type[h->type % FACT_TYPE_MAX]++;
		ring_pop(r);
	}
	_exit(write(fd, &sum, sizeof sum) != sizeof sum);
}

__attribute__((noinline)) static void run_worker(struct capture *c, const struct config *config, struct round *ret)
{
	struct control *control;
	struct worker *w;
	struct ring *ring;
	struct netset ns;
	char err[256] = "";
	int fd[2];
	if (control_new(&control) != 0 || ring_new(RING_BYTES, &ring) != 0 || pipe(fd) != 0)
		fail("no memory");
	if (config_netset(config, &ns) != 0)
		fail("too many networks");
	control_put_netset(control, &ns);
	c->next = 0;
	struct signature_page *rules;
	if (signature_page_new(&rules) != 0 || rules_put(rules, config) != 0)
		fail("no rules");
	const struct worker_options o = {.config = config, .capture = c, .ring = ring, .control = control, .rules = rules,
	                                 .judge_eventfd = -1, .workers = 1};
	const pid_t judge = fork();
	if (judge == 0)
		throw_away(ring, fd[1]);
	if (worker_new(&o, &w, err, sizeof err) != 0)
		fail(err);
	struct rusage before;
	struct round used, sum;
	getrusage(RUSAGE_SELF, &before);
	(void)worker_run(w);
	used_since(&before, &used);
	if (read(fd[0], &sum, sizeof sum) != sizeof sum)
		fail("the reader ended");
	*ret = sum;
	ret->user_s = used.user_s;
	ret->system_s = used.system_s;
	waitpid(judge, NULL, 0);
	worker_free(w);
	ring_free(ring);
	control_free(control);
	close(fd[0]);
	close(fd[1]);
}

static module *ndpi_new(void)
{
	NDPI_PROTOCOL_BITMASK all;
	module *m = need(ndpi_init_detection_module(ndpi_no_prefs));
	NDPI_BITMASK_SET_ALL(all);
	const unsigned off[] = {NDPI_PROTOCOL_DTLS, NDPI_PROTOCOL_TINC};   /* as dpi.c */
	for (unsigned i = 0; i < sizeof off / sizeof off[0]; i++)
		all.fds_bits[off[i] / NDPI_BITS] &= ~((ndpi_ndpi_mask)1 << off[i] % NDPI_BITS);
	ndpi_set_protocol_detection_bitmask2(m, &all);
	ndpi_finalize_initialization(m);
	return m;
}

__attribute__((noinline)) static void run_ndpi(struct round *ret)
{
	ndpi_flow *flow = need(calloc(trace.live + 1, sizeof *flow));
	bool *begun = need(calloc(trace.live + 1, sizeof *begun));
	u_int8_t guessed;
	module *m = ndpi_new();
	struct rusage before;
	getrusage(RUSAGE_SELF, &before);
	for (const struct call *c = trace.call; c < trace.call + trace.count; c++) {
		ndpi_flow *f = &flow[c->flow];
		if (!begun[c->flow])
			memset(f, 0, sizeof *f);
		begun[c->flow] = c->kind != CALL_FREE;
		if (c->kind == CALL_PROCESS)
			(void)__real_ndpi_detection_process_packet(m, f, trace.bytes + c->at, (unsigned short)c->len, c->ms);
		else if (c->kind == CALL_GIVE_UP)
			(void)__real_ndpi_detection_giveup(m, f, 0, &guessed);
		else
			__real_ndpi_free_flow_data(f);
	}
	used_since(&before, ret);
	ndpi_exit_detection_module(m);
	free(flow);
	free(begun);
}

static void keep_best(struct round *best, const struct round *r)
{
	if (best->user_s == 0 || r->user_s + r->system_s < best->user_s + best->system_s)
		*best = *r;
}

static void print(const char *what, const struct round *r, uint64_t frames, uint64_t flows)
{
	const double s = r->user_s + r->system_s;
	printf("%-22s %6.3f s (user %.3f)  %7.1f ns a frame  %8.1f ns a flow  %5.2f million frames a second\n", what, s,
	       r->user_s, s * 1e9 / (double)frames, flows > 0 ? s * 1e9 / (double)flows : 0, (double)frames / s / 1e6);
}

static const char *const words[FACT_TYPE_MAX] = {
	"?", "new", "class", "content", "count", "end", "name", "station", "counters", "note"};

int main(int argc, char **argv)
{
	struct capture c = {0};
	struct config *config;
	struct config_errors errors;
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: worker_loop SITE CAPTURE [ROUNDS [worker]]\n");
		return 2;
	}
	const int rounds = argc > 3 ? atoi(argv[3]) : 5;
	if (config_load(argv[1], &config, &errors) != 0)
		fail("the configuration does not load");
	load(&c, argv[2]);
	struct round best = {0}, ndpi = {0}, r;
	for (int i = 0; i < rounds; i++) {
		run_worker(&c, config, &r);
		keep_best(&best, &r);
	}
	const uint64_t *types = best.of_type;
	printf("%llu frames; %llu facts, %llu bytes:", (unsigned long long)c.count, (unsigned long long)best.facts,
	       (unsigned long long)best.fact_bytes);
	for (unsigned i = 0; i < FACT_TYPE_MAX; i++)
		if (types[i] > 0)
			printf(" %llu %s", (unsigned long long)types[i], words[i]);
	printf("\n");
	print("worker", &best, c.count, types[FACT_FLOW_NEW]);
	if (argc == 5)
		return 0;
	trace.on = true;
	run_worker(&c, config, &r);
	trace.on = false;
	for (int i = 0; i < rounds; i++) {
		run_ndpi(&r);
		keep_best(&ndpi, &r);
	}
	print("nDPI, the same packets", &ndpi, c.count, trace.flows);
	printf("nDPI got %llu packets of %llu flows, %.0f ns each; the worker takes %.2f times as long\n",
	       (unsigned long long)trace.packets, (unsigned long long)trace.flows,
	       trace.packets > 0 ? (ndpi.user_s + ndpi.system_s) * 1e9 / (double)trace.packets : 0,
	       (best.user_s + best.system_s) / (ndpi.user_s + ndpi.system_s));
	return 0;
}
