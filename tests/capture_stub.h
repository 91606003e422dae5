/* capture_stub.h - what a capture that lies in memory says of itself: it is no
 * live one and loses nothing. For programs that bring a struct capture of
 * their own; included once, where the rest of it stands. */
#ifndef TESTS_CAPTURE_STUB_H
#define TESTS_CAPTURE_STUB_H
#include "sense/capture.h"

bool capture_lost(const struct capture *c)
{
	(void)c;
	return false;
}

uint32_t capture_down(const struct capture *c)
{
	(void)c;
	return 0;
}

void capture_stats(struct capture *c, struct capture_stats *ret)
{
	(void)c;
	*ret = (struct capture_stats){0};
}

bool capture_is_live(const struct capture *c)
{
	(void)c;
	return false;
}

#endif
