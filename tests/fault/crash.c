/* crash.c - an nDPI that dies over some packets: one whose payload holds
 * GARITA-CRASH ends in a segmentation fault, GARITA-HANG in no end. Linked into
 * garitad-crash in front of the library's function; the rest of it is garitad. */
#include <stdint.h>
#include <string.h>

#include <ndpi_api.h>

#if NDPI_MAJOR > 4 || (NDPI_MAJOR == 4 && NDPI_MINOR >= 6)
#define MORE , struct ndpi_flow_input_info *info
#define MORE_ARGS , info
#else
#define MORE
#define MORE_ARGS
#endif

__typeof__(ndpi_detection_process_packet) __real_ndpi_detection_process_packet;

ndpi_protocol __wrap_ndpi_detection_process_packet(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f,
                                                   const unsigned char *packet, const unsigned short n,
                                                   const u_int64_t ms MORE)
{
	volatile uint8_t *volatile nowhere = NULL;
	if (memmem(packet, n, "GARITA-CRASH", 12) != NULL)
		*nowhere = 1;
	while (memmem(packet, n, "GARITA-HANG", 11) != NULL)
		__asm__ volatile("");
	return __real_ndpi_detection_process_packet(m, f, packet, n, ms MORE_ARGS);
}
