#include "sense/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/seed.h"
#include "sense/worker_state.h"

#define BATCH_FRAMES CAPTURE_BATCH_MAX
/* How long a frame may lie between its time stamp and us on an idle line: the
 * kernel hands a block over after some 20 ms at the latest. */
#define IDLE_SLACK_US 60000
/* How often the judge is woken. Waking it costs both some 20 us; a row may be
 * that much later. Where its ring is full it is woken at once (tell.c). */
#define WAKE_US 5000
#define OPENING_S 60u              /* SYNs are repeated for about as long (RFC 6298, section 5.7) */
#define INSPECTED_MAX 16384u
#define REORDER_MIN 1024u
#define STOP_READ_US SECOND_US     /* what came before the stop is read for so long at most */
#define STOP_TRIES 200u            /* 10 ms each: the judge gets that long to take the last facts */

static uint32_t at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int64_t clock_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static struct control_worker *me(struct worker *w)
{
	return &w->o.control->worker[w->o.index];
}

static int new_tables(struct worker *w, char *err, size_t err_size)
{
	const struct config_flows *c = &w->o.config->flows;
	struct flow_timeouts timeouts = {.idle_us = {
		[TIMER_TCP_CLOSING] = c->tcp_closing_s * SECOND_US,
		[TIMER_TCP_OPENING] = at_most(c->tcp_s, OPENING_S) * SECOND_US,
		[TIMER_TCP] = c->tcp_s * SECOND_US,
		[TIMER_UDP] = c->udp_s * SECOND_US,
		[TIMER_ICMP] = c->icmp_s * SECOND_US,
		[TIMER_OTHER] = c->other_s * SECOND_US,
	}, .checkpoint_us = c->checkpoint_s * SECOND_US};
	struct inspect_options inspect = {
		.max_flows = at_most(c->max, INSPECTED_MAX),
		.content_bytes = (size_t)c->content_kib * 1024,
		.keep = w->o.config->signatures.keep_values,
		.hash_key = w->o.config->signatures.hash_key,
	};
	w->memory = calloc(1, sizeof *w->memory);
	int rc = w->memory == NULL ? ERR_NOMEM : flow_table_new(c->max, &timeouts, &w->flows);
	if (rc == 0)
		flow_table_set_life(w->flows, atomic_fetch_add(&me(w)->lives, 1));
	if (rc == 0)
		rc = tcp_track_new(c->max / 16 + REORDER_MIN, &w->tcp);
	if (rc == 0)
		rc = echo_new(&w->echo);
	if (rc == 0)
		rc = ssh_table_new(&w->ssh);
	if (rc == 0)
		rc = fragment_table_new(FRAGMENT_ENTRIES, &w->fragments);
	if (rc == 0)
		rc = w->o.config->capture.duplicates == DUPLICATES_COUNT_ALL ? 0 : dedup_new(&w->dedup);
	if (rc == 0)
		rc = stations_new(&w->stations);
	if (rc == 0)
		rc = labels_new(&w->labels);
	inspect.flows = w->flows;
	if (rc == 0)
		rc = inspect_new(&inspect, &w->inspector, err, err_size);
	return rc;
}

static int new_tell(struct worker *w)
{
	struct tell_options tell = {
		.at = &w->place, .ring = w->o.ring, .control = w->o.control, .judge_eventfd = w->o.judge_eventfd,
		.worker = w->o.index, .live = w->live, .flows = w->flows, .labels = w->labels, .ssh = w->ssh,
	};
	return tell_new(&tell, &w->tell);
}

/* By name: -i may give other interfaces, or another order, than the file. */
static bool vlan_means_something(const struct worker_options *o, unsigned i)
{
	const struct config_capture *c = &o->config->capture;
	if (o->interfaces == NULL)
		return c->interface_count == 0 || c->interfaces[0].vlan_in_key;
	for (size_t k = 0; i < o->interface_count && k < c->interface_count; k++) {
		if (strcmp(c->interfaces[k].name, o->interfaces[i]) == 0)
			return c->interfaces[k].vlan_in_key;
	}
	return true;
}

/* Rules for contents are compiled elsewhere; here they are taken over. */
static void see_rules(struct worker *w)
{
	if (w->o.rules != NULL && signature_page_get(w->o.rules, &w->rules_generation, &w->rules))
		inspect_rules(w->inspector, w->rules);
}

int worker_new(const struct worker_options *o, struct worker **ret, char *err, size_t err_size)
{
	struct worker *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_NOMEM;
	w->asked_seed = seed_new();
	w->stranger_seed = seed_new();
	err[0] = '\0';
	w->o = *o;
	w->live = capture_is_live(o->capture);
	w->shared_files = !w->live && o->workers > 1;
	/* Where an earlier life of this worker saw the time set back, its order
	 * goes on from there: the judge merges by it. */
	if (w->live)
		w->clock.offset = atomic_load(&o->control->worker[o->index].clock_offset_us);
	w->resync = atomic_load(&o->control->resync);
	w->resync_slot = UINT32_MAX;
	w->sink = (struct inspect_sink){.ctx = w, .dns = worker_on_dns};
	for (unsigned i = 0; i < INTERFACES_MAX; i++)
		w->vlan_in_key[i] = vlan_means_something(o, i);
	netset_init(&w->netset);
	(void)control_get_netset(o->control, &w->netset);
	worker_see_deaths(w);
	int rc = new_tables(w, err, err_size);
	if (rc == 0)
		see_rules(w);
	if (rc == 0)
		rc = new_tell(w);
	if (rc == 0)
		rc = worker_keep_new(w);
	if (rc != 0) {
		if (err[0] == '\0')
			snprintf(err, err_size, "worker: %s", err_str(rc));
		worker_free(w);
		return rc;
	}
	*ret = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	hold_free(w->hold);
	tell_free(w->tell);
	inspect_free(w->inspector);
	stations_free(w->stations);
	labels_free(w->labels);
	dedup_free(w->dedup);
	fragment_table_free(w->fragments);
	echo_free(w->echo);
	ssh_table_free(w->ssh);
	signatures_free(w->rules);
	tcp_track_free(w->tcp);
	flow_table_free(w->flows);
	free(w->memory);
	free(w);
}

/* --- the loop --- */

static void say_alive(struct worker *w, int64_t now_us)
{
	uint64_t done, all;
	capture_progress(w->o.capture, &done, &all);
	atomic_store_explicit(&me(w)->input_bytes, done, memory_order_relaxed);
	atomic_store_explicit(&me(w)->frames, w->frame, memory_order_relaxed);
	atomic_store_explicit(&me(w)->heartbeat_us, now_us, memory_order_relaxed);
}

/* Interfaces come back without a word. */
static void see_carrier(struct worker *w)
{
	uint32_t down = capture_down(w->o.capture), back = w->down & ~down;
	for (unsigned i = 0; back != 0 && i < w->o.interface_count; i++) {
		if ((back >> i & 1) == 0)
			continue;
		worker_place(w, PHASE_BETWEEN, w->between++);
		tell_note(w->tell, NOTE_INTERFACE_UP, w->o.interfaces[i]);
	}
	w->down = down;
}

/* Between two batches of frames. */
static void end_batch(struct worker *w)
{
	if (w->live) {
		see_carrier(w);
		atomic_store_explicit(&me(w)->clock_offset_us, w->clock.offset, memory_order_relaxed);
	}
	if (control_get_netset(w->o.control, &w->netset) == 1) {
		stations_clear(w->stations);
		worker_forget_networks(w);
		memset(&w->tunnel_key, 0, sizeof w->tunnel_key);
	}
	worker_see_deaths(w);
	see_rules(w);
	(void)worker_catch_up(w);
	if (w->hold != NULL)
		worker_keep_on(w);
	const int64_t now_us = clock_us(CLOCK_MONOTONIC);
	if (w->clock.begun && now_us - w->woken_us >= WAKE_US) {
		w->woken_us = now_us;
		tell_watermark(w->tell, worker_seq(w));
	}
	say_alive(w, now_us);
}

/* Nothing came: live, time passes all the same. */
static void take_idle(struct worker *w)
{
	if (!w->live) {
		end_batch(w);
		return;
	}
	int64_t time_us = clock_us(CLOCK_REALTIME) - IDLE_SLACK_US;
	if (!w->clock.begun || time_us > w->clock.packet_us || time_us < w->clock.packet_us - 10 * SECOND_US)
		worker_pass_time(w, time_us);
	end_batch(w);
}

/* An interface or a file has something to say. */
static void take_trouble(struct worker *w, int rc)
{
	const char *text = capture_error(w->o.capture);
	if (rc == ERR_DAMAGED)
		w->damaged = true;
	if (w->shared_files && w->o.index != 0)
		return;   /* all read the same: one tells */
	log_warn("worker", "%s", text);
	worker_place_after(w, PHASE_BETWEEN, w->between++);
	tell_note(w->tell, rc == ERR_DAMAGED || !w->live ? NOTE_DAMAGED_INPUT : NOTE_INTERFACE_DOWN, text);
	/* Now, not between batches: it may be up again by then. */
	w->down |= capture_down(w->o.capture);
}

/* Returns why it ended: ERR_END, ERR_IO (the interface is lost), 0 (told to stop). */
static int read_all(struct worker *w)
{
	struct capture_frame frames[BATCH_FRAMES];
	unsigned count, since = 0;   /* frames since the last end_batch */
	while (atomic_load_explicit(&w->o.control->stop, memory_order_relaxed) == 0) {
		int rc = capture_next_batch(w->o.capture, frames, BATCH_FRAMES, &count);
		if (rc == 0) {
			worker_take_frames(w, frames, count);
			since += count;
			if (since >= BATCH_FRAMES) {
				since = 0;
				end_batch(w);
			}
		} else if (rc == ERR_AGAIN) {
			since = 0;
			take_idle(w);
		} else if (rc == ERR_DAMAGED || (rc == ERR_IO && !capture_lost(w->o.capture))) {
			take_trouble(w, rc);
		} else {
			if (rc != ERR_END)
				take_trouble(w, rc);
			return rc;
		}
	}
	return 0;
}

/* What came before the sensor was told to stop and is not read yet: all workers
 * end at the same time of packets. */
static void read_rest(struct worker *w)
{
	struct capture_frame frames[BATCH_FRAMES];
	const int64_t stop_us = atomic_load(&w->o.control->stop_us);
	const int64_t until_us = clock_us(CLOCK_MONOTONIC) + STOP_READ_US;
	unsigned count = 0;
	while (clock_us(CLOCK_MONOTONIC) < until_us) {
		const int rc = capture_next_batch(w->o.capture, frames, BATCH_FRAMES, &count);
		unsigned n = 0;
		while (rc == 0 && n < count && frames[n].time_us <= stop_us)
			n++;
		if (n > 0)
			worker_take_frames(w, frames, n);
		if ((rc != 0 && rc != ERR_AGAIN) || (rc == 0 && n < count))
			break;
		if (rc == ERR_AGAIN && clock_us(CLOCK_REALTIME) > stop_us + IDLE_SLACK_US)
			break;
		end_batch(w);
	}
	/* The seconds that began before the stop are the same for all. */
	if (w->clock.begun && stop_us > w->clock.packet_us)
		worker_pass_time(w, stop_us);
}

/* Live the ring may be full at the end: give the judge a moment. */
static void pay_all(struct worker *w)
{
	for (unsigned i = 0; i < STOP_TRIES && !worker_catch_up(w); i++) {
		struct timespec pause = {.tv_nsec = 10000000};
		tell_watermark(w->tell, worker_seq(w));
		say_alive(w, clock_us(CLOCK_MONOTONIC));
		nanosleep(&pause, NULL);
	}
}

int worker_run(struct worker *w)
{
	say_alive(w, clock_us(CLOCK_MONOTONIC));
	atomic_store(&me(w)->state, CONTROL_READY);
	if (w->live)
		worker_pass_time(w, clock_us(CLOCK_REALTIME) - IDLE_SLACK_US);
	int rc = read_all(w);
	if (w->live) {
		if (rc == 0)
			read_rest(w);
		pay_all(w);
	}
	worker_finish(w, rc == ERR_END);
	if (w->live)
		pay_all(w);
	tell_watermark(w->tell, worker_seq(w) + !w->live);
	if (w->hold != NULL)
		worker_keep_finish(w);
	ring_close(w->o.ring);

	int code = rc != 0 && rc != ERR_END ? EXIT_FAILED : w->damaged ? EXIT_DAMAGED : EXIT_DONE;
	say_alive(w, clock_us(CLOCK_MONOTONIC));
	atomic_store(&me(w)->exit_code, (uint32_t)code);
	atomic_store(&me(w)->state, code == EXIT_FAILED ? CONTROL_FAILED : CONTROL_DONE);
	return code;
}
