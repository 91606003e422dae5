#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sense/capture_fanout.h"
#include "sense/capture_parts.h"
#include "sense/capture_ring.h"

#define INTERFACES_MAX 16
#define PROBE_BYTES (1 << 20)  /* of the ring with which libpcap is asked what an interface is */
#define BLOCK_TIMEOUT_MS 10    /* TPACKET_V3 hands a block over after that, full or not */
#define WAIT_MS 20
#define DRY_FRAMES 64u         /* frames handed out before an empty ring is looked at again */
#define SNAPLEN_KERNEL 65535   /* below this the kernel cuts, to keep the ring for more frames */

enum link_state { LINK_UP = 0, LINK_DOWN, LINK_NO_CARRIER, LINK_GONE };

struct interface {
	char name[IFNAMSIZ];
	struct capture_ring *ring;   /* Ethernet; NULL: through pcap, one frame at a time */
	pcap_t *pcap;
	struct capture_filter filter;
	int fd, dlt;
	int64_t since_us;      /* frames from before this were another worker's */
	/* frames read ahead, next to be handed out at ahead_at */
	struct capture_frame ahead[CAPTURE_BATCH_MAX];
	unsigned ahead_at, ahead_count;
	unsigned dry;          /* pcap: not asked for that many frames: an empty ring costs a system call */
	enum link_state state;
	/* sysfs, open since the beginning, -1: not there */
	int flags_fd, carrier_fd, missed_fd, fifo_fd;
	uint64_t missed, fifo; /* as last read */
	uint64_t kernel_drops, interface_drops;
};

struct capture_live_set {
	struct interface interfaces[INTERFACES_MAX];
	struct pollfd poll[INTERFACES_MAX];
	size_t count;
	bool count_interface_drops;
};

/* --- sysfs --- */

static int open_sysfs(const char *interface, const char *file)
{
	char path[128];
	snprintf(path, sizeof path, "/sys/class/net/%s/%s", interface, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The number in a sysfs file. 0, or -errno: ENODEV once the device is gone. */
static int read_sysfs(int fd, uint64_t *ret)
{
	char text[32];
	if (fd < 0)
		return -ENOENT;
	const ssize_t n = pread(fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	text[n] = '\0';
	*ret = strtoull(text, NULL, 0);
	return 0;
}

/* sysfs may be that of another network namespace: the index must agree. */
static void open_counters(struct interface *i)
{
	uint64_t index = 0;
	i->flags_fd = i->carrier_fd = i->missed_fd = i->fifo_fd = -1;
	const int fd = open_sysfs(i->name, "ifindex");
	const bool same = read_sysfs(fd, &index) == 0 && index == if_nametoindex(i->name);
	if (fd >= 0)
		close(fd);
	if (!same)
		return;
	i->flags_fd = open_sysfs(i->name, "flags");
	i->carrier_fd = open_sysfs(i->name, "carrier");
	i->missed_fd = open_sysfs(i->name, "statistics/rx_missed_errors");
	i->fifo_fd = open_sysfs(i->name, "statistics/rx_fifo_errors");
	(void)read_sysfs(i->missed_fd, &i->missed);
	(void)read_sysfs(i->fifo_fd, &i->fifo);
}

static enum link_state link_state(const struct interface *i)
{
	uint64_t flags = 0, carrier = 0;
	const int rc = read_sysfs(i->flags_fd, &flags);
	if (rc == -ENODEV)
		return LINK_GONE;
	if (rc != 0)
		return i->state;   /* nobody can say */
	if ((flags & IFF_UP) == 0)
		return LINK_DOWN;
	if (read_sysfs(i->carrier_fd, &carrier) == 0 && carrier == 0)
		return LINK_NO_CARRIER;
	return LINK_UP;
}

/* --- opening --- */

static int fail(char *err, size_t err_size, const char *name, const char *what, int code)
{
	snprintf(err, err_size, "%s: %s", name, what);
	return code;
}

static int activation_error(const struct interface *i, int rc, char *err, size_t err_size)
{
	char text[PCAP_ERRBUF_SIZE + 64];
	switch (rc) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return fail(err, err_size, i->name, "no such interface; `ip link` lists them", ERR_NOTFOUND);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return fail(err, err_size, i->name, "not permitted to capture; run as root or with CAP_NET_RAW", ERR_PERM);
	case PCAP_ERROR_IFACE_NOT_UP:
		snprintf(text, sizeof text, "the interface is down; `ip link set %s up`", i->name);
		return fail(err, err_size, i->name, text, ERR_IO);
	default:
		snprintf(text, sizeof text, "%s: %s", pcap_statustostr(rc), pcap_geterr(i->pcap));
		return fail(err, err_size, i->name, text, ERR_IO);
	}
}

static int activate(struct interface *i, const struct capture_live *o, int bytes, char *err, size_t err_size)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	i->pcap = pcap_create(i->name, why);
	if (i->pcap == NULL)
		return fail(err, err_size, i->name, why, ERR_IO);
	pcap_set_snaplen(i->pcap, (int)o->snaplen);
	pcap_set_promisc(i->pcap, 1);
	pcap_set_timeout(i->pcap, BLOCK_TIMEOUT_MS);
	pcap_set_buffer_size(i->pcap, bytes);
	const int rc = pcap_activate(i->pcap);
	if (rc < 0)
		return activation_error(i, rc, err, err_size);
	if (pcap_setnonblock(i->pcap, 1, why) != 0)
		return fail(err, err_size, i->name, why, ERR_IO);
	i->fd = pcap_get_selectable_fd(i->pcap);
	i->dlt = pcap_datalink(i->pcap);
	return i->fd >= 0 ? 0 : fail(err, err_size, i->name, "cannot be polled", ERR_UNSUPPORTED);
}

/* A filter that lets everything pass makes the kernel cut to the snaplen. */
static int cut_in_kernel(struct interface *i, char *err, size_t err_size)
{
	struct bpf_program all;
	if (pcap_compile(i->pcap, &all, "", 0, PCAP_NETMASK_UNKNOWN) != 0)
		return fail(err, err_size, i->name, pcap_geterr(i->pcap), ERR_IO);
	const int rc = pcap_setfilter(i->pcap, &all);
	pcap_freecode(&all);
	return rc == 0 ? 0 : fail(err, err_size, i->name, pcap_geterr(i->pcap), ERR_IO);
}

static int open_ring(struct interface *i, const struct capture_live *o, uint64_t bytes, char *err, size_t err_size)
{
	const struct capture_ring_options ring = {
		.interface = i->name, .buffer_bytes = bytes, .snaplen = o->snaplen, .hand_over_ms = BLOCK_TIMEOUT_MS};
	char text[160];
	const char *what;
	const int rc = capture_ring_open(&ring, &i->ring, &what);
	if (rc != 0) {
		snprintf(text, sizeof text, "cannot open the capture ring: %s: %s", what, strerror(errno));
		return fail(err, err_size, i->name, text, rc);
	}
	i->fd = capture_ring_fd(i->ring);
	return 0;
}

/* libpcap knows what an interface is and what is wrong with it; Ethernet is
 * then read without it. */
static int open_source(struct interface *i, const struct capture_live *o, char *err, size_t err_size)
{
	const uint64_t bytes = (uint64_t)o->buffer_mb << 20;
	int rc = activate(i, o, PROBE_BYTES, err, err_size);
	if (rc != 0)
		return rc;
	pcap_close(i->pcap);
	i->pcap = NULL;
	if (i->dlt == DLT_EN10MB)
		return open_ring(i, o, bytes, err, err_size);
	/* Never more than INT_MAX: config allows 4096 MB. */
	rc = activate(i, o, bytes < INT32_MAX ? (int)bytes : INT32_MAX, err, err_size);
	if (rc == 0 && o->snaplen < SNAPLEN_KERNEL)
		rc = cut_in_kernel(i, err, err_size);
	return rc;
}

static int64_t wall_clock_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Between activation and joining, this socket gets what the others get too:
 * those frames are left out by their time stamp. */
static int join(struct interface *i, uint16_t group, char *err, size_t err_size)
{
	char text[160];
	i->since_us = wall_clock_us();
	if (capture_fanout_join(i->fd, group) == 0)
		return 0;
	snprintf(text, sizeof text, "cannot join packet fanout group %u: %s%s", group, strerror(errno),
	         errno == EINVAL || errno == EPERM ? " (does another program use the group?)" : "");
	return fail(err, err_size, i->name, text, ERR_IO);
}

static int open_interface(struct interface *i, const struct capture_live *o, uint16_t group, char *err,
                          size_t err_size)
{
	open_counters(i);
	int rc = open_source(i, o, err, err_size);
	if (rc == 0)
		rc = capture_filter_compile(o->filter, i->dlt, &i->filter, err, err_size);
	if (rc == 0 && o->workers > 1)
		rc = join(i, group, err, err_size);
	return rc;
}

int capture_live_open(const struct capture_live *o, struct capture_live_set **ret, char *err, size_t err_size)
{
	if (o->interface_count == 0 || o->interface_count > INTERFACES_MAX) {
		snprintf(err, err_size, "%zu interfaces: at least one and at most %d", o->interface_count, INTERFACES_MAX);
		return ERR_INVALID;
	}
	struct capture_live_set *s = calloc(1, sizeof *s);
	if (s == NULL) {
		snprintf(err, err_size, "out of memory");
		return ERR_NOMEM;
	}
	s->count_interface_drops = o->worker == 0;
	int rc = 0;
	for (size_t n = 0; rc == 0 && n < o->interface_count; n++) {
		struct interface *i = &s->interfaces[n];
		const size_t length = strlen(o->interfaces[n]);
		if (length >= sizeof i->name) {
			rc = fail(err, err_size, o->interfaces[n], "no such interface; `ip link` lists them", ERR_NOTFOUND);
			break;
		}
		memcpy(i->name, o->interfaces[n], length + 1);
		s->count = n + 1;
		rc = open_interface(i, o, (uint16_t)(o->fanout_group + n), err, err_size);
		s->poll[n] = (struct pollfd){.fd = i->fd, .events = POLLIN};
	}
	if (rc != 0) {
		capture_live_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void capture_live_close(struct capture_live_set *s)
{
	if (s == NULL)
		return;
	for (size_t n = 0; n < s->count; n++) {
		struct interface *i = &s->interfaces[n];
		capture_filter_done(&i->filter);
		if (i->pcap != NULL)
			pcap_close(i->pcap);
		capture_ring_close(i->ring);
		close_fd(i->flags_fd);
		close_fd(i->carrier_fd);
		close_fd(i->missed_fd);
		close_fd(i->fifo_fd);
	}
	free(s);
}

/* --- reading --- */

static const char *state_text(enum link_state state)
{
	switch (state) {
	case LINK_DOWN:
		return "the interface is down";
	case LINK_NO_CARRIER:
		return "no carrier: the cable or the mirror's port";
	case LINK_GONE:
		return "the interface is gone";
	case LINK_UP:
		break;
	}
	return "the interface is up";
}

/* Take over what became of the link. ERR_IO when it was lost, once, and again
 * when the interface is gone for good. */
static int see_state(struct capture *c, struct interface *i, enum link_state now)
{
	const enum link_state before = i->state;
	if (before == LINK_GONE || now == before)
		return 0;
	i->state = now;
	if (now == LINK_UP || (before != LINK_UP && now != LINK_GONE))
		return 0;
	if (now == LINK_GONE)
		c->live->poll[i - c->live->interfaces].fd = -1;
	snprintf(c->error, sizeof c->error, "%s: %s", i->name, state_text(now));
	return ERR_IO;
}

/* libpcap said no. It does so each time while an interface that went down is
 * looked at from the sandbox; what counts is what the system says. */
static int see_error(struct capture *c, struct interface *i, const char *what)
{
	const enum link_state now = link_state(i);
	if (now != i->state)
		return see_state(c, i, now);
	if (i->flags_fd >= 0)
		return 0;
	/* No way to find out: it is lost, and is opened anew. */
	see_state(c, i, LINK_GONE);
	snprintf(c->error, sizeof c->error, "%s: %s", i->name, what);
	return ERR_IO;
}

/* One frame through libpcap. */
static int read_pcap(struct capture *c, struct interface *i)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	if (i->dry > 0) {
		i->dry--;
		return 0;
	}
	const int rc = pcap_next_ex(i->pcap, &header, &data);
	if (rc != 1) {
		i->dry = DRY_FRAMES;
		return rc < 0 ? see_error(c, i, pcap_geterr(i->pcap)) : 0;
	}
	capture_fill(header, data, i->dlt, &i->ahead[0]);
	i->ahead_count = 1;
	return 0;
}

/* Leave out what came before this worker had its part of the frames. */
static void leave_out(struct interface *i)
{
	while (i->ahead_at < i->ahead_count && i->ahead[i->ahead_at].time_us < i->since_us)
		i->ahead_at++;
	if (i->ahead_at < i->ahead_count)
		i->since_us = 0;   /* a clock set back must not silence a worker */
}

/* Read frames of an interface ahead, if there are any. 0 or ERR_IO. */
static int read_ahead(struct capture *c, struct interface *i)
{
	int rc = 0;
	while (rc == 0 && i->ahead_at == i->ahead_count && i->state != LINK_GONE) {
		i->ahead_at = i->ahead_count = 0;
		if (i->ring != NULL)
			i->ahead_count = capture_ring_read(i->ring, i->ahead, CAPTURE_BATCH_MAX);
		else
			rc = read_pcap(c, i);
		if (i->ahead_count == 0)
			break;
		if (i->since_us != 0)
			leave_out(i);
	}
	return rc;
}

/* The interface whose next frame is the earliest, NULL: none has one. */
static struct interface *earliest(struct capture_live_set *s)
{
	struct interface *first = NULL;
	for (size_t n = 0; n < s->count; n++) {
		struct interface *i = &s->interfaces[n];
		if (i->ahead_at < i->ahead_count &&
		    (first == NULL || i->ahead[i->ahead_at].time_us < first->ahead[first->ahead_at].time_us))
			first = i;
	}
	return first;
}

static void finish_frame(struct capture *c, const struct interface *i, struct capture_frame *ret)
{
	ret->number = ++c->number;
	ret->interface = (uint8_t)(i - c->live->interfaces);
	ret->share = 0;
	ret->filtered = !capture_filter_pass(&i->filter, ret, c->scratch);
}

/* One Ethernet interface, as nearly everywhere: straight from its ring. */
static int read_only(struct capture *c, struct interface *i, struct capture_frame *ret, unsigned max,
                     unsigned *ret_count)
{
	const unsigned count = i->state != LINK_GONE ? capture_ring_read(i->ring, ret, max) : 0;
	for (unsigned k = 0; k < count; k++)
		finish_frame(c, i, &ret[k]);
	*ret_count = count;
	return count > 0 ? 0 : ERR_AGAIN;
}

/* The frames of all interfaces in order: a tap gives each direction of a line
 * on an interface of its own, and an answer must not come before its question.
 * So it ends when an interface has none left at hand. 0, ERR_AGAIN or ERR_IO. */
static int read_earliest(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	struct capture_live_set *s = c->live;
	struct interface *i = &s->interfaces[0];
	if (s->count == 1 && i->ring != NULL && i->since_us == 0 && i->ahead_at == i->ahead_count)
		return read_only(c, i, ret, max, ret_count);
	for (size_t n = 0; n < s->count; n++) {
		const int rc = read_ahead(c, &s->interfaces[n]);
		if (rc != 0)
			return rc;
	}
	unsigned count = 0;
	do {
		i = earliest(s);
		if (i == NULL)
			break;
		ret[count] = i->ahead[i->ahead_at++];
		finish_frame(c, i, &ret[count++]);
	} while (count < max && i->ahead_at < i->ahead_count);
	*ret_count = count;
	return count > 0 ? 0 : ERR_AGAIN;
}

/* Nothing came: is it that nothing could? */
static int look_at_links(struct capture *c)
{
	for (size_t n = 0; n < c->live->count; n++) {
		struct interface *i = &c->live->interfaces[n];
		const int rc = see_state(c, i, link_state(i));
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Every ring is looked at again after a wait. 0 or ERR_IO. */
static int after_wait(struct capture *c)
{
	struct capture_live_set *s = c->live;
	int rc = 0;
	for (size_t n = 0; n < s->count; n++) {
		int pending = 0;
		socklen_t size = sizeof pending;
		s->interfaces[n].dry = 0;
		/* ENETDOWN; asked for here, so that poll does not spin on it */
		if ((s->poll[n].revents & POLLERR) == 0)
			continue;
		(void)getsockopt(s->poll[n].fd, SOL_SOCKET, SO_ERROR, &pending, &size);
		if (rc == 0)
			rc = see_error(c, &s->interfaces[n], strerror(pending));
	}
	return rc;
}

int capture_live_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	struct capture_live_set *s = c->live;
	int rc = read_earliest(c, ret, max, ret_count);
	if (rc != ERR_AGAIN)
		return rc;
	const int ready = poll(s->poll, s->count, WAIT_MS);
	rc = after_wait(c);
	/* While frames come over links that are up, nobody need ask. */
	if (rc == 0 && (ready <= 0 || capture_live_down(s) != 0))
		rc = look_at_links(c);
	if (rc != 0)
		return rc;
	return ready > 0 ? read_earliest(c, ret, max, ret_count) : ERR_AGAIN;
}

bool capture_live_lost(const struct capture_live_set *s)
{
	for (size_t n = 0; n < s->count; n++) {
		if (s->interfaces[n].state == LINK_GONE)
			return true;
	}
	return false;
}

uint32_t capture_live_down(const struct capture_live_set *s)
{
	uint32_t down = 0;
	for (size_t n = 0; n < s->count && n < INTERFACES_MAX; n++)
		down |= (uint32_t)(s->interfaces[n].state != LINK_UP) << n;
	return down;
}

/* What a counter of the interface grew by; a driver may begin it again. */
static uint64_t grown(int fd, uint64_t *last)
{
	uint64_t now = 0;
	if (read_sysfs(fd, &now) != 0)
		return 0;
	const uint64_t by = now >= *last ? now - *last : now;
	*last = now;
	return by;
}

/* Reading PACKET_STATISTICS sets the kernel's 32-bit counters to zero: each
 * reading is a difference, and nothing wraps. libpcap's own pcap_stats opens
 * files, which a worker may not. */
static void read_drops(struct interface *i)
{
	struct tpacket_stats_v3 stats = {.tp_drops = 0};
	socklen_t size = sizeof stats;
	if (getsockopt(i->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		i->kernel_drops += stats.tp_drops;
	i->interface_drops += grown(i->missed_fd, &i->missed) + grown(i->fifo_fd, &i->fifo);
}

void capture_live_stats(struct capture_live_set *s, struct capture_stats *ret)
{
	for (size_t n = 0; n < s->count; n++) {
		struct interface *i = &s->interfaces[n];
		read_drops(i);
		ret->kernel_drops += i->kernel_drops;
		if (s->count_interface_drops)
			ret->interface_drops += i->interface_drops;
	}
}
