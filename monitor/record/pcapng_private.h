/* pcapng_private.h - the layout of the blocks, for writer and reader.
 *
 * Block: 0 type  4 total length  8 body … total length again; all of 4 bytes, the body padded to 4.
 * Options: 0 code  2 length  4 value, padded to 4; opt_endofopt 0, 0 after the last. */
#ifndef MONITOR_PCAPNG_PRIVATE_H
#define MONITOR_PCAPNG_PRIVATE_H
#include "record/pcapng.h"

enum {
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a
};
enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_HARDWARE = 2, OPTION_OS = 3, OPTION_APPLICATION = 4,                             /* section */
	OPTION_NAME = 2, OPTION_TSRESOL = 9, OPTION_FILTER = 11, OPTION_TSOFFSET = 14,          /* interface */
	OPTION_FLAGS = 2, OPTION_DROPCOUNT = 4,                                                 /* packet */
	OPTION_START = 2, OPTION_STOP = 3, OPTION_IFRECV = 4, OPTION_IFDROP = 5, OPTION_OSDROP = 7, OPTION_USRDELIV = 8
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_FRAME_BYTES 12u           /* type and the two lengths */
#define PACKET_HEAD_BYTES 20u           /* interface, time high and low, caplen, wirelen */
/* A packet with all its options, or a section with four texts. */
#define BLOCK_MAX (BLOCK_FRAME_BYTES + PACKET_HEAD_BYTES + PCAPNG_DATA_MAX + 4u * (PCAPNG_TEXT_MAX + 8u) + 64u)
#define BUFFER_BYTES (2u * BLOCK_MAX)

#endif
