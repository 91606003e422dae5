/* Files through a reader's process: each worker gets what it would have read
 * itself, whatever the files are and whoever dies. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "capture_made.h"
#include "base/log.h"
#include "sandbox.h"
#include "sense/capture_feed.h"

#define WORKERS 3u

struct rig {
	struct control *control;
	struct feed *feed[WORKERS];   /* one mapping */
	struct capture *worker[WORKERS];
	pid_t reader;
};

static unsigned by_number(const struct capture_frame *f, unsigned workers)
{
	return (unsigned)(f->number % workers);
}

static _Noreturn void read_for_all(struct rig *r, unsigned workers, size_t n, const char *const *paths,
                                   const char *filter)
{
	struct capture *c = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);   /* with a test that fails */
	if (feed_be_writer(r->feed[0], true) != 0 || control_confine(r->control, CONTROL_READER) != 0 ||
	    try_open(n, paths, filter, &c) != 0 || sandbox_enter(SANDBOX_READER, -1, error, sizeof error) != 0)
		_exit(9);
	const struct capture_feeding o = {
		.files = c, .feed = r->feed[0], .control = r->control, .workers = workers, .share = by_number};
	const int rc = capture_feed_run(&o);
	_exit(rc == 0 ? 0 : rc == ERR_END ? 1 : 2);
}

static void begin(struct rig *r, unsigned workers, size_t n, const char *const *paths, const char *filter)
{
	assert_int_equal(control_new(&r->control), 0);
	assert_int_equal(capture_feed_new(workers, &r->feed[0]), 0);
	fflush(NULL);
	r->reader = fork();
	assert_true(r->reader >= 0);
	if (r->reader == 0)
		read_for_all(r, workers, n, paths, filter);
	for (unsigned i = 0; i < workers; i++) {
		if (i > 0) {
			r->feed[i] = malloc(malloc_usable_size(r->feed[0]));
			assert_non_null(r->feed[i]);
			memcpy(r->feed[i], r->feed[0], malloc_usable_size(r->feed[0]));
		}
		assert_int_equal(feed_be_reader(r->feed[i], i, false), 0);
		assert_int_equal(capture_open_feed(r->feed[i], r->control, &r->worker[i]), 0);
	}
}

static int finish(struct rig *r, unsigned workers)
{
	int status;
	for (unsigned i = workers; i-- > 0;) {
		capture_close(r->worker[i]);
		if (i > 0)
			free(r->feed[i]);
	}
	feed_free(r->feed[0]);
	control_free(r->control);
	assert_int_equal(waitpid(r->reader, &status, 0), r->reader);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A batch, as long as it takes to come. */
static int next_batch(struct capture *c, struct capture_frame *f, unsigned max, unsigned *ret_count)
{
	int rc;
	do
		rc = capture_next_batch(c, f, max, ret_count);
	while (rc == ERR_AGAIN);
	return rc;
}

static void same_frame(const struct capture_frame *is, const struct capture_frame *should, unsigned workers)
{
	assert_int_equal(is->number, should->number);
	assert_int_equal(is->caplen, should->caplen);
	assert_int_equal(is->wirelen, should->wirelen);
	assert_true(is->time_us == should->time_us);
	assert_int_equal(is->link_type, should->link_type);
	assert_int_equal(is->filtered, should->filtered);
	assert_int_equal(is->interface, 0);
	if (!is->filtered)
		assert_int_equal(is->share, 1 + by_number(should, workers));
	assert_memory_equal(is->data, should->data, should->caplen);
}

/* One step of one worker beside its own reading of the files. */
static bool same_step(struct capture *is, struct capture *should, unsigned workers, unsigned max)
{
	struct capture_frame f[CAPTURE_BATCH_MAX], want;
	unsigned n = 0;
	const int rc = next_batch(is, f, max, &n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(capture_next(should, &want), 0);
		same_frame(&f[i], &want, workers);
	}
	if (rc == 0)
		return true;
	assert_int_equal(capture_next(should, &want), rc);
	if (rc == ERR_DAMAGED)
		assert_string_equal(capture_error(is), capture_error(should));
	return rc == ERR_DAMAGED;
}

static void expect_same(unsigned workers, size_t n, const char *const *paths, const char *filter)
{
	struct rig r = {.reader = 0};
	struct capture *own[WORKERS];
	bool more = true;
	begin(&r, workers, n, paths, filter);
	for (unsigned i = 0; i < workers; i++)
		assert_int_equal(try_open(n, paths, filter, &own[i]), 0);
	for (unsigned turn = 0; more; turn++) {
		more = false;
		for (unsigned i = 0; i < workers; i++)
			more |= same_step(r.worker[i], own[i], workers, 1 + (turn * 7 + i) % CAPTURE_BATCH_MAX);
	}
	for (unsigned i = 0; i < workers; i++) {
		uint64_t done, all, own_done, own_all;
		capture_progress(r.worker[i], &done, &all);
		capture_progress(own[i], &own_done, &own_all);
		assert_true(done == own_done && all == own_all);
		assert_false(capture_is_live(r.worker[i]) || capture_lost(r.worker[i]));
		expect_end(r.worker[i]);
		capture_close(own[i]);
	}
	assert_int_equal(finish(&r, workers), 0);
}

/* Frames of up to so many bytes, of which none is like its neighbour. */
static void make_mixed(uint32_t bytes_max, uint32_t seed)
{
	static uint8_t text[262144];
	pcap_header(MICRO, false, 1);
	while (out.n + bytes_max + 16 < sizeof out.p) {
		seed = seed * 1664525 + 1013904223;
		memset(text, (int)(seed >> 24), sizeof text);
		pcap_packet(1700000000 + (seed >> 28), seed % 1000000, text, (seed >> 8) % (bytes_max + 1), false);
	}
}

static void test_many_files_of_all_kinds(void **state)
{
	(void)state;
	const char *paths[24];
	make_mixed(1500, 1);
	paths[0] = save_out("1.pcap");
	paths[1] = save_gzip("2.gz", "wb");
	paths[2] = save("3.zst", packed, pack_zstd());
	paths[3] = save("4.pcap", out.p, out.n - 1);
	out.n = 0;
	ng_section();
	ng_interface(1, 0);
	ng_packet(0, 1700000001000007, "Ethernet");
	ng_interface(113, 0);
	ng_packet(1, 1700000002000008, "cooked");
	paths[4] = save_out("5.pcapng");
	paths[5] = save("6.pcapng", out.p, out.n - 7);
	pcap_header(MICRO, false, 1);
	paths[6] = save_out("7.pcap");
	memset(out.p + out.n, 0, 60000 * 16);   /* packets of no bytes: more than a slot tells of */
	out.n += 60000 * 16;
	paths[7] = save_out("8.pcap");
	for (unsigned i = 8; i < 24; i++)
		paths[i] = paths[i % 8];
	for (unsigned workers = 1; workers <= WORKERS; workers++) {
		expect_same(workers, 24, paths, NULL);
		expect_same(workers, 8, paths, "len > 700");
	}
}

/* The file so far, so many zeros, and what is put next. */
static void put_zeros(FILE *f, size_t n)
{
	static const uint8_t zeros[4096];
	assert_int_equal(fwrite(out.p, 1, out.n, f), out.n);
	out.n = 0;
	for (; n > 0; n -= n < sizeof zeros ? n : sizeof zeros)
		assert_true(fwrite(zeros, 1, n < sizeof zeros ? n : sizeof zeros, f) > 0);
}

/* A pcapng in which a long block of something else, and packets whose options
 * make their blocks long, stand between short packets. */
static const char *save_long_blocks(const char *name, uint32_t bytes)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	out.n = 0;
	ng_section();
	ng_interface(1, 0);
	ng_packet(0, 1700000001000007, "before");
	put32(77, false);
	put32(bytes + 12, false);
	put_zeros(f, bytes);
	put32(bytes + 12, false);
	ng_packet(0, 1700000002000008, "between");
	for (unsigned i = 0; i < 3; i++) {
		const uint32_t head[] = {6, 32 + 8 + bytes, 0, 0, 5, 6, 6};
		put(head, sizeof head);
		put("within\0\0", 8);
		put_zeros(f, bytes);
		put32(32 + 8 + bytes, false);
		if (i < 2)
			ng_packet(0, 1700000003000009, "afterwards");
	}
	put_zeros(f, 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

/* Records that fill most of a block, and some that no block holds. */
static void test_long_records(void **state)
{
	(void)state;
	const char *paths[8];
	make_mixed(262000, 5);
	memcpy(out.p + 16, &(uint32_t){262144}, 4);   /* snaplen */
	paths[0] = save_out("l1.pcap");
	paths[1] = save_long_blocks("l2.pcapng", 1 << 20);
	paths[2] = save_long_blocks("l3.pcapng", 5000000);
	assert_int_equal(truncate(paths[2], 12000000), 0);
	out.n = 0;
	ng_section();
	ng_interface(1, 0);
	put32(77, false);
	put32(16 * 1024 * 1024, false);   /* says so, and is nothing */
	paths[3] = save_out("l4.pcapng");
	for (unsigned i = 4; i < 8; i++)
		paths[i] = paths[i - 4];
	expect_same(1, 8, paths, NULL);
	expect_same(2, 8, paths, NULL);
}

/* What came over a pipe is handed out while it is silent. */
static void test_a_pause(void **state)
{
	(void)state;
	struct rig r = {.reader = 0};
	struct capture_frame f;
	int ends[2];
	char path[32];
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	make_pcap(3, MICRO, false);
	assert_int_equal(write(ends[1], out.p, out.n - 10), out.n - 10);
	const char *const paths[] = {path};
	begin(&r, 1, 1, paths, NULL);
	close(ends[0]);
	unsigned n, got = 0;
	struct capture_frame batch[8];
	while (got < 2) {
		assert_int_equal(next_batch(r.worker[0], batch, 8, &n), 0);
		got += n;
	}
	assert_int_equal(got, 2);
	assert_int_equal(capture_next(r.worker[0], &f), ERR_AGAIN);
	assert_int_equal(write(ends[1], out.p + out.n - 10, 10), 10);
	assert_int_equal(next_batch(r.worker[0], batch, 8, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(batch[0].number, 3);
	assert_memory_equal(batch[0].data, "packet 3", 8);
	/* the reader may still have its end */
	close(ends[1]);
	kill(r.reader, SIGKILL);
	assert_int_equal(finish(&r, 1), -1);
}

static const char *const *long_files(size_t *ret_n)
{
	static const char *paths[12];
	make_mixed(1500, 9);
	paths[0] = save_out("long.pcap");
	for (size_t i = 1; i < 12; i++)
		paths[i] = paths[0];
	*ret_n = 12;
	return paths;
}

/* It dies while the workers read: they take what it left, and say so. */
static void test_the_reader_dies(void **state)
{
	(void)state;
	struct rig r = {.reader = 0};
	struct capture_frame f[CAPTURE_BATCH_MAX];
	size_t files;
	const char *const *paths = long_files(&files);
	unsigned n, frames = 0;
	int rc;
	begin(&r, 1, files, paths, NULL);
	assert_int_equal(next_batch(r.worker[0], f, 10, &n), 0);
	frames += n;
	kill(r.reader, SIGKILL);
	atomic_store(&r.control->worker[CONTROL_READER].state, CONTROL_FAILED);   /* the supervisor */
	while ((rc = next_batch(r.worker[0], f, CAPTURE_BATCH_MAX, &n)) == 0)
		frames += n;
	assert_true(frames > 0);
	assert_int_equal(rc, ERR_IO);
	assert_true(capture_lost(r.worker[0]));
	assert_non_null(strstr(capture_error(r.worker[0]), "has ended: the rest"));
	assert_int_equal(next_batch(r.worker[0], f, 1, &n), ERR_IO);
	assert_int_equal(finish(&r, 1), -1);
}

/* One that holds blocks for ever, and one that never took any. */
static void test_workers_die(void **state)
{
	(void)state;
	struct rig r = {.reader = 0};
	struct capture_frame f[CAPTURE_BATCH_MAX];
	size_t files;
	const char *const *paths = long_files(&files);
	unsigned n, frames = 0;
	int rc;
	begin(&r, 3, files, paths, NULL);
	assert_int_equal(next_batch(r.worker[1], f, 5, &n), 0);
	atomic_store(&r.control->worker[1].state, CONTROL_FAILED);
	atomic_store(&r.control->worker[2].state, CONTROL_FAILED);
	while ((rc = next_batch(r.worker[0], f, CAPTURE_BATCH_MAX, &n)) == 0)
		frames += n;
	assert_int_equal(rc, ERR_END);
	assert_true(frames > 12000);
	assert_int_equal(finish(&r, 3), 0);
}

static void test_nobody_is_left(void **state)
{
	(void)state;
	size_t files;
	const char *const *paths = long_files(&files);
	for (int stop = 0; stop < 2; stop++) {
		struct rig r = {.reader = 0};
		begin(&r, 2, files, paths, NULL);
		atomic_store(&r.control->worker[0].state, stop ? CONTROL_READY : CONTROL_FAILED);
		atomic_store(&r.control->worker[1].state, stop ? CONTROL_READY : CONTROL_FAILED);
		atomic_store(&r.control->stop, stop != 0);
		assert_int_equal(finish(&r, 2), 1);
	}
}

/* What a reader that was taken over may say harms no worker. */
static void test_nonsense(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 64; kind++) {
		struct feed *f = NULL, *mine;
		struct control *control = NULL;
		struct capture *c = NULL;
		struct capture_frame frame[CAPTURE_BATCH_MAX];
		unsigned n = 0;
		assert_int_equal(control_new(&control), 0);
		assert_int_equal(capture_feed_new(1, &f), 0);
		mine = malloc(malloc_usable_size(f));
		assert_non_null(mine);
		memcpy(mine, f, malloc_usable_size(f));
		assert_int_equal(feed_be_reader(mine, 0, false), 0);
		assert_int_equal(capture_open_feed(mine, control, &c), 0);
		uint32_t *slot = feed_slot(f);
		uint32_t seed = kind * 2654435761u + 1;
		for (unsigned i = 0; i < 1000; i++) {
			seed = seed * 1664525 + 1013904223;
			slot[i] = seed >> (kind % 4u * 8u);
		}
		slot[0] = kind % 5;
		slot[1] = kind < 32 ? 20 : slot[1];
		feed_publish(f);
		int rc;
		uint64_t sum = 0;
		while ((rc = capture_next_batch(c, frame, CAPTURE_BATCH_MAX, &n)) == 0) {
			for (unsigned i = 0; i < n; i++)
				sum += frame[i].caplen > 0 ? frame[i].data[0] + frame[i].data[frame[i].caplen - 1] : 0u;
		}
		assert_true(rc == ERR_IO || rc == ERR_AGAIN || rc == ERR_END || rc == ERR_DAMAGED);
		assert_true(rc != ERR_IO || capture_lost(c));
		assert_int_equal(sum, 0);
		capture_close(c);
		free(mine);
		feed_free(f);
		control_free(control);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_files_of_all_kinds),
		cmocka_unit_test(test_long_records),
		cmocka_unit_test(test_a_pause),
		cmocka_unit_test(test_the_reader_dies),
		cmocka_unit_test(test_workers_die),
		cmocka_unit_test(test_nobody_is_left),
		cmocka_unit_test(test_nonsense),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
