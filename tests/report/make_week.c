/* make_week.c - a record as a sensor would have left it, from a description of
 * what happened: make_week SITE.yaml DIR < week.txt
 *
 * The judge, the store and the signer are the real ones, and each life of the
 * sensor is a process of its own, so that a crash is one. Only the worker is
 * played: the facts that it would have told. A line is a command; times are
 * UTC; "#" begins a comment.
 *
 *   at TIME                     the clock on the wall stands there (between lives)
 *   start INTERFACE             garitad begins
 *   stop | crash                it ends; it is killed as it stands
 *   pass TIME [FRAMES]          time goes on until then, so many frames a minute
 *   set TIME                    somebody sets the clock; the worker notes a step
 *   drops kernel|interface|table N
 *   down INTERFACE | up INTERFACE
 *   died                        a worker died over a packet, and begins again
 *   acks N UNSEEN               acknowledgements, and those of data that never arrived
 *   flow MACHINE PEER PROTO/PORT APP HOST OUT IN SECONDS [peer] [one-way] [xCOUNT]
 *                               begins now; "-": no host. A machine that site.yaml
 *                               does not have is an address. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/control.h"
#include "format.h"
#include "judge/judge.h"
#include "record/signer.h"
#include "record/store.h"
#include "record/store_checkpoint.h"
#include "record/store_geo.h"
#include "record/store_review.h"
#include "record/store_vlan.h"
#include "still.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define LINES_MAX 400u
#define LIVE_MAX 256u
#define MINUTES_MAX 64u          /* from one commit to the next */
#define FRAME_BYTES 400u

struct live {                    /* a flow, until its end is told */
	uint64_t id, out, in;
	int64_t start_us, end_us;
	uint32_t flags;
	uint8_t initiator;
};

static struct {
	const char *dir;
	char *line[LINES_MAX];
	unsigned lines, at;
	struct judge *judge;
	struct store *store;
	struct signer *signer;
	struct row_sink sink;
	const struct config *config;
	struct counters total;
	uint64_t seq, flows;
	struct live live[LIVE_MAX];
	unsigned live_count;
	int64_t committed_us;
	bool geo_told;
	int64_t minute_us[MINUTES_MAX];
	unsigned minutes;
} w;

static void fail(const char *why)
{
	fprintf(stderr, "make_week: line %u: %s: %s\n", w.at + 1, w.at < w.lines ? w.line[w.at] : "", why);
	_exit(1);
}

static void must(int code)
{
	if (code != 0)
		fail(w.store != NULL && store_error(w.store)[0] != '\0' ? store_error(w.store) : err_str(code));
}

static int64_t time_of(const char *text)
{
	int64_t us;
	if (text == NULL || format_when(text, 0, &us) != 0)
		fail("a time is wanted");
	return us;
}

/* --- the record --- */

/* As recorder.c's put_rows has it. */
/* Both networks were there in each minute that brought frames. */
static void put_vlans(void)
{
	for (unsigned i = 0; i < w.minutes; i++) {
		must(store_put_vlan(w.store, w.minute_us[i], 120, true));
		must(store_put_vlan(w.store, w.minute_us[i], 130, true));
	}
	w.minutes = 0;
}

static void commit(void)
{
	struct judge_totals t;
	size_t count = 0;
	const struct geo_file *geo = geo_files(judge_geo(w.judge), &count);
	do {
		must(store_begin(w.store));
		must(judge_flush(w.judge, &w.sink, 0));
		must(store_begin_deadlines(w.store));
		judge_get_totals(w.judge, &t);
		must(store_put_totals(w.store, &t));
		must(w.geo_told ? 0 : store_put_geo(w.store, geo, count));
		w.geo_told = true;
		put_vlans();
		must(store_commit(w.store));
		judge_flushed(w.judge, true);
	} while (judge_has_rows(w.judge));
	const int code = signer_step(w.signer, 1000, true);
	if (code < 0)
		must(code);
	w.committed_us = still_us;
}

static void tell(void *fact, enum fact_type type, size_t size)
{
	union fact_any any;
	struct fact_head *h = fact;
	h->type = (uint16_t)type;
	h->size = (uint16_t)size;
	h->seq = ++w.seq;
	h->time_us = still_us;
	if (fact_check(fact, size, &any) != 0)
		fail("no fact");
	if (!judge_take(w.judge, &any))
		fail("the judge takes no more");
}

static void tell_counters(void)
{
	struct fact_counters f = {.total = w.total};
	tell(&f, FACT_COUNTERS, sizeof f);
}

static void tell_note(enum fact_note_kind kind, const char *text)
{
	struct fact_note f = {.kind = (uint8_t)kind};
	snprintf(f.text, sizeof f.text, "%s", text);
	tell(&f, FACT_NOTE, sizeof f);
}

/* --- flows --- */

/* At a checkpoint as much of it as its time has passed; all of it at its end. */
static void tell_count(const struct live *l, enum fact_end end)
{
	const uint64_t lasts = (uint64_t)(l->end_us - l->start_us), so_far = (uint64_t)(still_us - l->start_us);
	const uint64_t out = end != END_NONE ? l->out : (uint64_t)((double)l->out * (double)so_far / (double)lasts), in = end != END_NONE ? l->in : (uint64_t)((double)l->in * (double)so_far / (double)lasts);
	struct fact_flow_count f = {.head = {.flow = l->id}, .last_us = end != END_NONE ? l->end_us : still_us, .flags = l->flags,
	                            .initiator = l->initiator, .end = (uint8_t)end};
	f.counts = (struct flow_counts){.packets_out = 1 + out / 1400, .packets_in = in > 0 ? 1 + in / 1400 : 0,
	                                .ip_bytes_out = out, .ip_bytes_in = in,
	                                .payload_bytes_out = out - out / 20, .payload_bytes_in = in - in / 20};
	tell(&f, end != END_NONE ? FACT_FLOW_END : FACT_FLOW_COUNT, sizeof f);
}

static void end_flows(bool all)
{
	for (unsigned i = 0; i < w.live_count;) {
		if (all || w.live[i].end_us <= still_us) {
			tell_count(&w.live[i], END_CLOSED);
			memmove(&w.live[i], &w.live[i + 1], (--w.live_count - i) * sizeof w.live[0]);
		} else {
			if (w.live[i].start_us < still_us)
				tell_count(&w.live[i], END_NONE);
			i++;
		}
	}
}

static void whose(const char *machine, struct flow_ident *ret)
{
	const struct config_equipment *e = NULL;
	for (size_t i = 0; e == NULL && i < w.config->equipment_count; i++) {
		if (strcmp(w.config->equipment[i].id, machine) == 0)
			e = &w.config->equipment[i];
	}
	if (e != NULL) {
		ret->inside = e->addresses[0];
		ret->inside_mac = e->macs[0];
	} else if (addr_parse(machine, &ret->inside) != 0) {
		fail("no machine and no address");
	} else {
		ret->inside_mac = (struct mac){{2, 0, 0x5e, 0x10, 0, ret->inside.b[15]}};
	}
	for (size_t n = 0; n < w.config->network_count; n++) {
		const struct config_network *net = &w.config->networks[n];
		for (size_t p = 0; p < net->prefix_count; p++) {
			if (prefix_has(&net->prefixes[p], &ret->inside)) {
				ret->network = (uint16_t)n;
				ret->vlan[0] = net->vlan[0];
				ret->vlan_count = net->vlan_count;
			}
		}
	}
}

static void one_flow(const struct flow_ident *ident, const struct live *proto, const char *app, const char *host)
{
	struct fact_flow_new n = {.head = {.flow = ++w.flows | UINT64_C(1) << 32}, .ident = *ident, .start_us = still_us,
	                          .flags = proto->flags, .initiator = proto->initiator};
	struct fact_flow_class c = {.head = {.flow = n.head.flow}, .final = 1, .encrypted = strncmp(app, "TLS", 3) == 0};
	struct live l = *proto;
	if (w.live_count == LIVE_MAX)
		fail("too many flows at a time");
	n.ident.inside_port = (uint16_t)(40000 + w.flows % 20000);
	n.counts = (struct flow_counts){.packets_out = 1, .ip_bytes_out = 60};
	tell(&n, FACT_FLOW_NEW, sizeof n);
	snprintf(c.app, sizeof c.app, "%s", app);
	if (strcmp(host, "-") != 0) {
		snprintf(c.host, sizeof c.host, "%s", host);
		c.host_source = HOST_SNI;
	}
	tell(&c, FACT_FLOW_CLASS, sizeof c);
	l.id = n.head.flow;
	l.start_us = still_us;
	l.end_us += still_us;
	w.live[w.live_count++] = l;
	w.total.flows++;
	w.total.transfers++;
}

static void do_flow(char **word, unsigned words)
{
	struct flow_ident ident = {.peer_mac = {{2, 0, 0, 0, 0, 1}}, .ip_version = 4};
	struct live l = {.flags = FLOW_ESTABLISHED, .initiator = INITIATOR_EQUIPMENT};
	unsigned count = 1;
	if (words < 9 || strchr(word[3], '/') == NULL)
		fail("flow MACHINE PEER PROTO/PORT APP HOST OUT IN SECONDS");
	whose(word[1], &ident);
	must(addr_parse(word[2], &ident.peer));
	ident.ip_version = addr_is_v4(&ident.peer) ? 4 : 6;
	ident.proto = strncmp(word[3], "udp/", 4) == 0 ? 17 : 6;
	ident.peer_port = (uint16_t)atoi(strchr(word[3], '/') + 1);
	l.out = strtoull(word[6], NULL, 10);
	l.in = strtoull(word[7], NULL, 10);
	l.end_us = atoll(word[8]) * SECOND;
	for (unsigned i = 9; i < words; i++) {
		if (strcmp(word[i], "peer") == 0)
			l.initiator = INITIATOR_PEER;
		else if (strcmp(word[i], "one-way") == 0)
			l.flags |= FLOW_ONE_WAY_OUT;
		else if (word[i][0] == 'x')
			count = (unsigned)atoi(word[i] + 1);
		else
			fail(word[i]);
	}
	for (; count > 0; count--)
		one_flow(&ident, &l, word[4], word[5]);
}

/* --- time --- */

static void count_frames(uint64_t frames)
{
	w.total.frames += frames;
	w.total.flow_frames += frames;
	w.total.ip_frames += frames;
	w.total.bytes += frames * FRAME_BYTES;
	if (frames == 0)
		return;
	if (w.total.first_us == 0)
		w.total.first_us = still_us;
	w.total.last_us = still_us;
}

/* Minutes are told in their middle, rows are written each hour. */
static void pass(int64_t until_us, uint64_t frames)
{
	if (until_us < still_us)
		fail("time goes on");
	for (int64_t at = still_us - still_us % MINUTE + MINUTE / 2; at < until_us; at += MINUTE) {
		if (at < still_us)
			continue;
		still_us = at;
		count_frames(frames);
		if (frames > 0 && w.minutes < MINUTES_MAX)
			w.minute_us[w.minutes++] = at;
		tell_counters();
		end_flows(false);
		if (still_us - w.committed_us >= 60 * MINUTE || still_us < w.committed_us)
			commit();
	}
	still_us = until_us;
	end_flows(false);
	commit();
}

static void set_clock(int64_t to_us)
{
	char text[96];
	const int64_t step = to_us - still_us;
	snprintf(text, sizeof text, "%s by %.1f s at frame %" PRIu64, step < 0 ? "back" : "ahead",
	         (double)(step < 0 ? -step : step) / 1e6, w.total.frames);
	tell_counters();
	/* Flows go by a clock that is not set. */
	for (unsigned i = 0; i < w.live_count; i++) {
		w.live[i].start_us += step;
		w.live[i].end_us += step;
	}
	still_us = to_us;
	w.total.clock_steps++;
	tell_note(NOTE_CLOCK_STEP, text);
}

static void do_drops(char **word, unsigned words)
{
	const uint64_t n = words == 3 ? strtoull(word[2], NULL, 10) : 0;
	uint64_t *to = n == 0 ? NULL
	               : strcmp(word[1], "kernel") == 0 ? &w.total.kernel_drops
	               : strcmp(word[1], "interface") == 0 ? &w.total.interface_drops
	               : strcmp(word[1], "table") == 0 ? &w.total.flow_table_full : NULL;
	if (to == NULL)
		fail("drops kernel|interface|table N");
	*to += n;
	tell_counters();
}

static void died(void)
{
	const struct control_death d = {.at_us = still_us, .signal = SIGSEGV};
	judge_worker_died(w.judge, &d);
	still_us += SECOND;
	w.total = (struct counters){0};
	w.live_count = 0;
	tell_note(NOTE_WORKER_START, "");
}

/* --- a life of the sensor --- */

static int restore_usage(void *ctx, const struct row_usage *r)
{
	return judge_restore_usage(ctx, r);
}

static int restore_machine(void *ctx, const struct row_machine *r)
{
	return judge_restore_machine(ctx, r);
}

static int restore_finding(void *ctx, const struct row_finding *r)
{
	return judge_restore_finding(ctx, r);
}

static void begin(const char *site, const char *interface)
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	struct ledger_key key;
	char err[600] = "", vkey[LEDGER_VKEY_MAX], source[80];
	int pid = 0;
	snprintf(source, sizeof source, "live %s", interface);
	if (config_load(site, &config, &errors) != 0)
		fail(errors.count > 0 ? errors.text[0] : site);
	if (signer_prepare(w.dir, config->sensor, &key, vkey, err, sizeof err) != 0)
		fail(err);
	const struct store_run run = {.sensor = config->sensor, .source = source, .start_us = still_us, .vkey = vkey};
	if (store_open(w.dir, &run, &w.store, &pid, err, sizeof err) != 0)
		fail(err);
	struct judge_options o = {.config = config, .data_dir = w.dir, .workers = 1};
	must(vendors_new(NULL, &o.vendors));
	must(store_next_ids(w.store, &o.next_transfer, &o.next_finding));
	must(store_next_maintenance(w.store, &o.next_maintenance));
	if (judge_new(&o, &w.judge, err, sizeof err) != 0)
		fail(err);
	must(store_each_usage(w.store, restore_usage, w.judge));
	must(store_each_machine(w.store, restore_machine, w.judge));
	must(store_each_finding(w.store, restore_finding, w.judge));
	must(signer_new(w.store, w.dir, &key, NULL, false, &w.signer));
	store_set_review(w.store, config->review.severe, (int64_t)config->review.deadline_s * SECOND);
	store_sink(w.store, &w.sink);
	w.config = judge_config(w.judge);
	tell_note(NOTE_WORKER_START, "");
	commit();
}

static void stop(void)
{
	end_flows(true);
	tell_note(NOTE_INPUT_END, "");
	judge_finish(w.judge);
	commit();
	store_end_run(w.store);
	const int code = signer_step(w.signer, 1, true);
	if (code < 0)
		must(code);
	store_close(w.store);
	_exit(0);
}

static void act(char **word, unsigned words)
{
	const char *arg = words > 1 ? word[1] : "";
	if (strcmp(word[0], "pass") == 0)
		pass(time_of(arg), words > 2 ? strtoull(word[2], NULL, 10) : 0);
	else if (strcmp(word[0], "set") == 0)
		set_clock(time_of(arg));
	else if (strcmp(word[0], "flow") == 0)
		do_flow(word, words);
	else if (strcmp(word[0], "drops") == 0)
		do_drops(word, words);
	else if (strcmp(word[0], "down") == 0)
		tell_note(NOTE_INTERFACE_DOWN, arg);
	else if (strcmp(word[0], "up") == 0)
		tell_note(NOTE_INTERFACE_UP, arg);
	else if (strcmp(word[0], "died") == 0)
		died();
	else if (strcmp(word[0], "acks") == 0 && words == 3)
		w.total.acks += strtoull(word[1], NULL, 10), w.total.acks_unseen += strtoull(word[2], NULL, 10);
	else if (strcmp(word[0], "stop") == 0)
		stop();
	else if (strcmp(word[0], "crash") == 0)
		_exit(0);
	else
		fail("no such command");
}

static unsigned split(const char *line, char *copy, size_t size, char *word[16])
{
	unsigned n = 0;
	snprintf(copy, size, "%s", line);
	copy[strcspn(copy, "#\n")] = '\0';
	for (char *save, *p = strtok_r(copy, " \t", &save); p != NULL && n < 16; p = strtok_r(NULL, " \t", &save))
		word[n++] = p;
	return n;
}

/* The lines from "start" to "stop" or "crash" are one process. */
static bool is_end(const char *word)
{
	return strcmp(word, "stop") == 0 || strcmp(word, "crash") == 0;
}

static void live_on(const char *site, const char *interface)
{
	char copy[300], *word[16];
	int status = 0;
	const pid_t pid = fork();
	if (pid == 0) {
		begin(site, interface);
		for (;;) {
			if (++w.at >= w.lines)
				fail("a life ends with stop or crash");
			const unsigned n = split(w.line[w.at], copy, sizeof copy, word);
			if (n > 0)
				act(word, n);
		}
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		_exit(1);
	while (++w.at < w.lines && (split(w.line[w.at], copy, sizeof copy, word) == 0 || !is_end(word[0])))
		continue;
}

int main(int argc, char **argv)
{
	char line[300], copy[300], *word[16];
	if (argc != 3) {
		fputs("usage: make_week SITE.yaml DIR < week.txt\n", stderr);
		return 2;
	}
	w.dir = argv[2];
	if (mkdir(w.dir, 0750) != 0) {
		perror(w.dir);
		return 1;
	}
	while (fgets(line, sizeof line, stdin) != NULL && w.lines < LINES_MAX)
		w.line[w.lines++] = strdup(line);
	for (; w.at < w.lines; w.at++) {
		const unsigned n = split(w.line[w.at], copy, sizeof copy, word);
		if (n == 0)
			continue;
		if (n == 2 && strcmp(word[0], "at") == 0)
			still_us = time_of(word[1]);
		else if (n == 2 && strcmp(word[0], "start") == 0)
			live_on(argv[1], word[1]);
		else
			fail("at TIME, or start INTERFACE");
	}
	return 0;
}
