#include "judge/detect_first.h"

#include <stdlib.h>
#include <string.h>

#include "judge/detect_table.h"

#define DAY_US (86400 * INT64_C(1000000))
#define FORGET_US (90 * DAY_US)
#define WHAT_MAX 256u

struct met {
	struct detect_entry entry;
	int64_t last_us;
};

struct detect_first {
	const struct config_detect *cfg;
	struct detect_table *met;
};

int detect_first_new(const struct config_detect *cfg, uint64_t seed, struct detect_first **ret)
{
	struct detect_first *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	const int e = detect_table_new(DETECT_FIRSTS, sizeof(struct met), FORGET_US, seed, &d->met);
	if (e < 0) {
		detect_first_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_first_free(struct detect_first *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->met);
	free(d);
}

uint64_t detect_first_evicted(const struct detect_first *d)
{
	return detect_table_evicted(d->met);
}

void detect_first_configure(struct detect_first *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

bool detect_first_met(struct detect_first *d, const struct detect_met *m)
{
	struct {
		uint32_t machine, kind;
		uint8_t what[WHAT_MAX];
	} key;
	const size_t bytes = m->bytes < WHAT_MAX ? m->bytes : WHAT_MAX;
	key.machine = m->machine_number;
	key.kind = m->kind;
	memcpy(key.what, m->what, bytes);
	struct met *e = detect_table_get(d->met, &key, offsetof(__typeof__(key), what) + bytes, m->time_us);
	const bool again = e->entry.worth > 0 && m->time_us - e->last_us <= FORGET_US;
	e->entry.worth = e->entry.worth < UINT32_MAX ? e->entry.worth + 1 : UINT32_MAX;
	e->last_us = m->time_us;
	return !again && m->time_us - m->machine_first_us >= (int64_t)d->cfg->learn_days * DAY_US;
}
