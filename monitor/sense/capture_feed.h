/* capture_feed.h - part of capture: files that one process reads for several.
 *
 * The reader's process opens them, unpacks, parses and filters, and says whose
 * share each frame is; the workers get the frames where they were read to, in
 * memory that they cannot write (base/feed.h). What is wrong with a file comes
 * between two frames, where it stands in the file.
 *
 * Memory: 2 MiB of frames and at most 2.1 MiB that tell of them, shared by all. */
#ifndef MONITOR_CAPTURE_FEED_H
#define MONITOR_CAPTURE_FEED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/control.h"
#include "base/err.h"
#include "base/feed.h"
#include "sense/capture.h"

/* The shared memory, before the processes. 0 or ERR_NOMEM. */
MUST_CHECK int capture_feed_new(unsigned workers, struct feed **ret);

/* --- the reader's process --- */

struct capture_feeding {
	struct capture *files;         /* of capture_open_files, nothing read yet */
	struct feed *feed;
	const struct control *control; /* workers that have ended are not waited for; stop */
	unsigned workers;
	/* The worker that a frame belongs to. */
	unsigned (*share)(const struct capture_frame *f, unsigned workers);
};

/* Read all and hand it out. 0; ERR_END: told to stop, or no worker is left;
 * ERR_NOMEM. */
MUST_CHECK int capture_feed_run(const struct capture_feeding *o);

/* --- a worker --- */

/* As capture_open_files, of what the reader's process opened. control: whether
 * the reader lives. Neither is closed with it. 0 or ERR_NOMEM. */
MUST_CHECK int capture_open_feed(struct feed *f, const struct control *control, struct capture **ret);

#endif
