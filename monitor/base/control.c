#include "base/control.h"

#include <string.h>
#include <sys/mman.h>

int control_new(struct control **ret)
{
	void *map = mmap(NULL, sizeof **ret, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return ERR_NOMEM;
	*ret = map;   /* zero pages: every state is CONTROL_DOWN, generation 0 */
	return 0;
}

void control_free(struct control *c)
{
	if (c != NULL)
		munmap(c, sizeof *c);
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
