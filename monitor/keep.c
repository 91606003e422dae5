#include "keep.h"

#include <string.h>

#include "fact.h"

static int check_frame(const struct kept_frame *f, size_t size, uint32_t *ret_count)
{
	const size_t count = size - sizeof *f;
	if (f->caplen > KEPT_DATA_MAX || f->caplen > f->wirelen || f->offset > f->caplen || count > f->caplen - f->offset)
		return ERR_DAMAGED;
	/* An empty part would never end a frame. */
	if (count == 0 && f->caplen != 0)
		return ERR_DAMAGED;
	if (f->time_us < 0 || f->time_us > FACT_TIME_MAX_US || f->snapped > 1)
		return ERR_DAMAGED;
	*ret_count = (uint32_t)count;
	return 0;
}

int kept_check(const void *record, size_t size, union kept_any *ret, const uint8_t **ret_bytes, uint32_t *ret_count)
{
	uint32_t type;
	if (size < sizeof type)
		return ERR_DAMAGED;
	memcpy(&type, record, sizeof type);
	if (type == KEPT_END && size == sizeof ret->end) {
		memcpy(&ret->end, record, sizeof ret->end);
		return ret->end.flow != 0 ? 0 : ERR_DAMAGED;
	}
	if (type != KEPT_FRAME || size < sizeof ret->frame)
		return ERR_DAMAGED;
	memcpy(&ret->frame, record, sizeof ret->frame);
	*ret_bytes = (const uint8_t *)record + sizeof ret->frame;
	return ret->frame.flow != 0 ? check_frame(&ret->frame, size, ret_count) : ERR_DAMAGED;
}

int keep_order_check(const void *record, size_t size, struct keep_order *ret)
{
	if (size != sizeof *ret)
		return ERR_DAMAGED;
	memcpy(ret, record, sizeof *ret);
	return ret->what == 0 || ret->what >= KEEP_WHATS || ret->flow == 0 ? ERR_DAMAGED : 0;
}
