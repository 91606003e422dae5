#include "process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "sense/capture_feed.h"
#include "sense/decode.h"

#define TEXT_MAX 400

/* The same for every worker that would look for itself. */
static unsigned share(const struct capture_frame *f, unsigned workers)
{
	struct packet p;
	const enum decode_outcome outcome = decode_frame(f, &p);
	return decode_share(&p, outcome, workers);
}

/* It hands out frames and has no part in what becomes of them. */
static int part_from_workers(const struct process_context *p)
{
	for (unsigned i = 0; i < p->workers; i++) {
		ring_free(p->rings[i]);
		ring_free(p->orders[i]);
		ring_free(p->packets[i]);
	}
	const int rc = control_confine(p->control, CONTROL_READER);
	return rc == 0 ? feed_be_writer(p->feed, true) : rc;
}

/* As a worker: open, give up every right, and only then look at a packet. What
 * opening itself reads of a file is its first few kilobytes. */
static int start(const struct process_context *p, struct capture **ret)
{
	const struct garitad_options *o = p->options;
	const struct capture_files files = {.paths = o->files, .path_count = o->file_count, .filter = o->filter};
	char err[TEXT_MAX] = "";
	int rc = part_from_workers(p);
	if (rc == 0)
		rc = capture_open_files(&files, ret, err, sizeof err);
	if (rc == 0 && p->root)
		rc = sandbox_drop_user(&p->user, 0, err, sizeof err);
	/* After the change of user, which forgets it. */
	if (rc == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		rc = ERR_IO;
	if (rc == 0 && getppid() != p->supervisor)
		_exit(EXIT_FAILED);   /* it died before it was asked to tell */
	if (rc == 0)
		rc = sandbox_enter(SANDBOX_READER, -1, err, sizeof err);
	if (rc != 0)
		log_error("reader", "%s", err[0] != '\0' ? err : err_str(rc));
	return rc;
}

static int exit_code_of(int rc)
{
	switch (rc) {
	case 0:
		return EXIT_DONE;
	case ERR_INVALID:
		return EXIT_USAGE;
	case ERR_DAMAGED:
		return EXIT_DAMAGED;
	default:
		return EXIT_FAILED;
	}
}

_Noreturn void process_reader(const struct process_context *p)
{
	struct capture *capture = NULL;
	_Atomic uint32_t *state = &p->control->worker[CONTROL_READER].state;
	prctl(PR_SET_NAME, "garitad-reader");
	int rc = start(p, &capture);
	if (rc == 0) {
		atomic_store(state, CONTROL_READY);
		const struct capture_feeding feeding = {
			.files = capture, .feed = p->feed, .control = p->control, .workers = p->workers, .share = share};
		rc = capture_feed_run(&feeding);
		if (rc == ERR_END)   /* nobody wants more */
			rc = 0;
		atomic_store(state, rc == 0 ? CONTROL_DONE : CONTROL_FAILED);
	}
	/* _exit: nothing of libraries may run in the sandbox at the end. */
	_exit(exit_code_of(rc));
}
