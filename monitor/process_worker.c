#include "process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "sense/capture.h"
#include "sense/capture_feed.h"
#include "sense/worker.h"

#define TEXT_MAX 400

static int open_capture(const struct process_context *p, unsigned index, struct capture **ret, char *err, size_t n)
{
	const struct garitad_options *o = p->options;
	if (!p->live)
		return capture_open_feed(p->feed, p->control, ret);
	const struct capture_live live = {
		.interfaces = o->interfaces,
		.interface_count = o->interface_count,
		.snaplen = o->config->capture.snaplen,
		.buffer_mb = o->config->capture.buffer_mb,
		.worker = index,
		.workers = p->workers,
		.fanout_group = p->fanout_group,
		.filter = o->filter,
	};
	return capture_open_live(&live, ret, err, n);
}

/* What parses hostile bytes shares nothing with its siblings. */
static int part_from_siblings(const struct process_context *p, unsigned index)
{
	for (unsigned i = 0; i < p->workers; i++) {
		if (i == index)
			continue;
		ring_free(p->rings[i]);
		ring_free(p->orders[i]);
		ring_free(p->packets[i]);
	}
	int rc = control_confine(p->control, index);
	if (rc == 0)
		rc = signature_page_confine(p->rules);
	return rc == 0 && p->feed != NULL ? feed_be_reader(p->feed, index, true) : rc;
}

/* Open, allocate, give up every right, and only then look at a packet. */
static int start(const struct process_context *p, unsigned index, struct capture **ret_capture, struct worker **ret)
{
	char err[TEXT_MAX] = "";
	int rc = part_from_siblings(p, index);
	if (rc == 0)
		rc = open_capture(p, index, ret_capture, err, sizeof err);
	if (rc == 0 && p->root && !p->live)
		rc = sandbox_drop_user(&p->user, 0, err, sizeof err);
	if (rc == 0) {
		const struct worker_options options = {
			.config = p->options->config,
			.capture = *ret_capture,
			.interfaces = p->live ? p->options->interfaces : NULL,
			.interface_count = p->options->interface_count,
			.ring = p->rings[index],
			.orders = p->orders[index],
			.packets = p->packets[index],
			.control = p->control,
			.rules = p->rules,
			.judge_eventfd = p->eventfd,
			.index = index,
			.workers = p->workers,
		};
		rc = worker_new(&options, ret, err, sizeof err);
	}
	/* After the change of user, which forgets it. */
	if (rc == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		rc = ERR_IO;
	if (rc == 0 && getppid() != p->supervisor)
		_exit(EXIT_FAILED);   /* it died before it was asked to tell */
	if (rc == 0)
		rc = sandbox_enter(p->live ? SANDBOX_WORKER : SANDBOX_WORKER_FEED, p->eventfd, err, sizeof err);
	if (rc != 0 && !p->quiet[index])
		log_error("worker", "%s", err[0] != '\0' ? err : err_str(rc));
	return rc;
}

_Noreturn void process_worker(const struct process_context *p, unsigned index)
{
	struct capture *capture = NULL;
	struct worker *worker = NULL;
	struct control_worker *me = &p->control->worker[index];
	atomic_store(&me->state, CONTROL_STARTING);
	prctl(PR_SET_NAME, "garitad-worker");
	int code = EXIT_FAILED;
	const int rc = start(p, index, &capture, &worker);
	if (rc == 0)
		code = worker_run(worker);
	else if (rc == ERR_INVALID)
		code = EXIT_USAGE;
	atomic_store(&me->exit_code, (uint32_t)code);
	/* _exit: nothing of libraries may run in the sandbox at the end. */
	_exit(code);
}
