/* fuzz_decode.c - any bytes as a frame of any link type, all layers down.
 * Input: link type (index), how many bytes the snaplen cut, the frame. */
#include <stddef.h>
#include <stdint.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = {1, 0, 9, 12, 14, 50, 51, 101, 108, 113, 228, 229, 276, 105};
	struct packet p;

	if (size < 2)
		return 0;
	const struct capture_frame f = {
	    .data = data + 2,
	    .caplen = (uint32_t)size - 2,
	    .wirelen = (uint32_t)size - 2 + data[1] * 16u,
	    .time_us = 1,
	    .number = 1,
	    .link_type = links[data[0] % (sizeof links / sizeof *links)],
	};
	check_all_layers(&f, &p);
	return 0;
}
