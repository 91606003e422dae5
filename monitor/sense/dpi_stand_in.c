/* The headers show the module to those who are the library. */
#define NDPI_LIB_COMPILATION
#include "sense/dpi_stand_in.h"

#if DPI_STANDS_IN

#include <dlfcn.h>
#include <string.h>

#include "sense/dpi_ndpi.h"

#define LEAST_BYTES 3u   /* of a payload that nDPI looks for lines in */

typedef void line_info(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *flow);

static line_info *library_lines;
static bool same_layout;   /* of the module in the library and in its header */

bool dpi_stand_in_begin(void)
{
	void *found = dlsym(RTLD_NEXT, "ndpi_parse_packet_line_info");
	memcpy(&library_lines, &found, sizeof library_lines);   /* ISO C has no cast from data to function */
	same_layout = ndpi_get_ndpi_detection_module_size() == sizeof(struct ndpi_detection_module_struct);
	return library_lines != NULL;
}

static bool has_line(const uint8_t *p, size_t n)
{
	const uint8_t *const end = p + n - 1;
	while (p < end && (p = memchr(p, '\r', (size_t)(end - p))) != NULL) {
		if (p[1] == '\n')
			return true;
		p++;
	}
	return false;
}

/* The library goes through the payload a byte at a time for the ends of lines,
 * and does nothing with the rest. Where there is none, its beginning tells it
 * as much as the whole. */
void ndpi_parse_packet_line_info(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *flow)
{
	struct ndpi_packet_struct *p = &m->packet;
	if (!same_layout) {
		library_lines(m, flow);
		return;
	}
	const uint16_t bytes = p->payload_packet_len;
	if (bytes < LEAST_BYTES || p->payload == NULL || p->packet_lines_parsed_complete)
		return;
	if (!has_line(p->payload, bytes))
		p->payload_packet_len = LEAST_BYTES;
	library_lines(m, flow);
	p->payload_packet_len = bytes;
}

/* Have they a bit in common? Asked twice for each dissector and packet. In the
 * width in which the caller has just put them on the stack: wider, each load
 * would wait for two stores. */
int NDPI_BITMASK_COMPARE(NDPI_PROTOCOL_BITMASK a, NDPI_PROTOCOL_BITMASK b)
{
	_Static_assert(sizeof a % sizeof(uint64_t) == 0, "whole words");
	for (size_t i = 0; i < sizeof a / sizeof(uint64_t); i++) {
		uint64_t x, y;
		memcpy(&x, (const uint8_t *)&a + i * sizeof x, sizeof x);
		memcpy(&y, (const uint8_t *)&b + i * sizeof y, sizeof y);
		if (x & y)
			return 1;
	}
	return 0;
}

#else

bool dpi_stand_in_begin(void)
{
	return true;
}

#endif
