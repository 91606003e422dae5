#include "base/control.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same memory through a second descriptor that was opened for reading: what
 * is mapped from it can never be made writable. */
static int open_readonly(int memory_fd)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory_fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int control_new(struct control **ret)
{
	const int fd = memfd_create("garita-control", MFD_CLOEXEC);
	const int readonly_fd = fd >= 0 ? open_readonly(fd) : -1;
	void *map = MAP_FAILED;
	if (readonly_fd >= 0 && ftruncate(fd, sizeof **ret) == 0)
		map = mmap(NULL, sizeof **ret, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		close_fd(readonly_fd);
		close_fd(fd);
		return ERR_NOMEM;
	}
	struct control *c = map;   /* zeros: every state is CONTROL_DOWN, generation 0 */
	c->memory_fd = fd;
	c->readonly_fd = readonly_fd;
	*ret = c;
	return 0;
}

void control_free(struct control *c)
{
	if (c == NULL)
		return;
	const int fd = c->memory_fd, readonly_fd = c->readonly_fd;
	munmap(c, sizeof *c);
	close_fd(readonly_fd);
	close_fd(fd);
}

/* Replace [from, to) of the mapping. */
static int map_readonly(struct control *c, int fd, size_t from, size_t to)
{
	if (from == to)
		return 0;
	const void *map = mmap((char *)c + from, to - from, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)from);
	return map != MAP_FAILED ? 0 : ERR_IO;
}

int control_confine(struct control *c, unsigned worker)
{
	const size_t mine = offsetof(struct control, worker) + worker * sizeof c->worker[0];
	const size_t shared = worker == CONTROL_READER ? mine : offsetof(struct control, judge_waits);
	const int fd = c->memory_fd, readonly_fd = c->readonly_fd;
	int rc = map_readonly(c, readonly_fd, 0, shared);
	if (rc == 0 && worker != CONTROL_READER)
		rc = map_readonly(c, readonly_fd, offsetof(struct control, worker), mine);
	if (rc == 0)
		rc = map_readonly(c, readonly_fd, mine + sizeof c->worker[0], sizeof *c);
	/* This process's own; those of the others stay. */
	close(fd);
	close(readonly_fd);
	return rc;
}

/* Two slots. Writing one never disturbs a reader of the other, and a writer
 * that dies half way has published nothing. A reader that is so slow that the
 * writer comes round to its slot sees that the generation has moved. */
void control_put_netset(struct control *c, const struct netset *ns)
{
	const uint32_t current = atomic_load(&c->netset_current) & 1;
	const uint32_t generation = atomic_load(&c->netset_generation);
	struct netset *slot = &c->netset[current ^ 1];
	atomic_thread_fence(memory_order_seq_cst);
	*slot = *ns;
	if (slot->generation == 0 || slot->generation == generation)
		slot->generation = generation + 1;
	atomic_store(&c->netset_current, current ^ 1);
	atomic_store(&c->netset_generation, slot->generation);
}

void control_put_death(struct control *c, const struct control_death *d)
{
	const uint32_t n = atomic_load_explicit(&c->deaths, memory_order_relaxed);
	c->death[n % CONTROL_DEATHS] = *d;
	atomic_store_explicit(&c->deaths, n + 1, memory_order_release);
}

int control_get_netset(struct control *c, struct netset *ret)
{
	uint32_t generation = atomic_load_explicit(&c->netset_generation, memory_order_acquire);
	if (generation == ret->generation)
		return 0;
	for (;;) {
		const struct netset *slot = &c->netset[atomic_load(&c->netset_current) & 1];
		*ret = *slot;
		atomic_thread_fence(memory_order_seq_cst);
		const uint32_t now = atomic_load(&c->netset_generation);
		if (now == generation)
			break;
		generation = now;
	}
	return 1;
}
