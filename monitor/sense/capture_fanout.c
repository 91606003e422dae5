#include "sense/capture_fanout.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

/* Which worker gets a frame is decided in the kernel by a classic BPF program:
 * the same number for both directions of an address pair and for every
 * fragment. The kernel's own hash modes take ports in (fragments part from
 * their flow) or look at the tag.
 *
 * What the program sees (net/packet/af_packet.c): a frame from the wire from
 * its network header on, the outermost 802.1Q or 802.1ad tag taken off; a frame
 * that this host sends from its MAC header on. M[0] is the offset of the next
 * header, M[1] its ethertype, 0 where an IP header must be guessed. A load past
 * the end of the frame ends the program with 0: the first worker. */
#define OFFSET 0
#define TYPE 1
#define KEEP 2
#define SOURCE 3

#define LOAD_M(i) BPF_STMT(BPF_LD | BPF_MEM, (i))
#define STORE(i) BPF_STMT(BPF_ST, (i))
#define LOAD_IMM(v) BPF_STMT(BPF_LD | BPF_IMM, (v))
#define LOAD_X(i) BPF_STMT(BPF_LDX | BPF_MEM, (i))
#define AT_X(size, at) BPF_STMT(BPF_LD | (size) | BPF_IND, (at))
#define IF_EQ(v, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (v), (yes), (no))
#define MATH(op, v) BPF_STMT(BPF_ALU | (op) | BPF_K, (v))
#define MATH_X(op) BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, (v))
#define ADVANCE(n) LOAD_M(OFFSET), MATH(BPF_ADD, (n)), STORE(OFFSET)

/* One more tag: 2 bytes TCI, 2 bytes the next ethertype. 10 instructions. */
#define SKIP_TAG                                                              \
	LOAD_M(TYPE), IF_EQ(0x8100, 2, 0), IF_EQ(0x88a8, 1, 0), IF_EQ(0x9100, 0, 6), \
	LOAD_X(OFFSET), AT_X(BPF_H, 2), STORE(TYPE), ADVANCE(4)

/* PPPoE session (RFC 2516): 6 bytes, then 2 bytes of PPP protocol; what
 * follows is IP or of no interest. 7 instructions. */
#define SKIP_PPPOE LOAD_M(TYPE), IF_EQ(0x8864, 0, 5), ADVANCE(8), LOAD_IMM(0), STORE(TYPE)

/* One MPLS label (RFC 3032); the bottom of the stack is bit 0 of its third
 * byte, and nothing says what follows. 13 instructions. */
#define SKIP_LABEL                                                            \
	LOAD_M(TYPE), IF_EQ(0x8847, 1, 0), IF_EQ(0x8848, 0, 10), LOAD_X(OFFSET), AT_X(BPF_B, 2), STORE(KEEP), \
	ADVANCE(4), LOAD_M(KEEP), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 2), LOAD_IMM(0), STORE(TYPE)

/* Mix the next 32 bits of an address into A. 6 instructions. */
#define FOLD(at) STORE(KEEP), AT_X(BPF_W, (at)), BPF_STMT(BPF_MISC | BPF_TAX, 0), LOAD_M(KEEP), \
	MATH(BPF_MUL, 0x01000193), MATH_X(BPF_XOR)
/* FOLD takes X; put the offset back. */
#define FOLD_AGAIN(at) LOAD_X(OFFSET), FOLD(at)
/* 22 instructions */
#define FOLD_V6(at) LOAD_X(OFFSET), AT_X(BPF_W, (at)), FOLD((at) + 4), FOLD_AGAIN((at) + 8), FOLD_AGAIN((at) + 12)

static const struct sock_filter spread[] = {
	/* Where does it begin? */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	IF_EQ(PACKET_OUTGOING, 0, 2),
	LOAD_IMM(14),
	BPF_STMT(BPF_JMP | BPF_JA, 1),
	LOAD_IMM(0),
	STORE(OFFSET),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
	STORE(TYPE),

	SKIP_TAG, SKIP_TAG, SKIP_TAG,
	SKIP_PPPOE,
	SKIP_LABEL, SKIP_LABEL, SKIP_LABEL, SKIP_LABEL,

	/* IPv4, IPv6, or either where the type is not known. */
	LOAD_M(TYPE),
	IF_EQ(0x0800, 3, 0),
	IF_EQ(0x86dd, 2, 0),
	IF_EQ(0, 1, 0),
	RETURN(0),
	LOAD_X(OFFSET),
	AT_X(BPF_B, 0),
	MATH(BPF_RSH, 4),
	IF_EQ(4, 2, 0),
	IF_EQ(6, 5, 0),
	RETURN(0),
	/* IPv4: the two addresses to SOURCE and A, and over IPv6's part */
	AT_X(BPF_W, 12),
	STORE(SOURCE),
	AT_X(BPF_W, 16),
	BPF_STMT(BPF_JMP | BPF_JA, 22 + 1 + 22),
	FOLD_V6(8), STORE(SOURCE),
	FOLD_V6(24),

	/* (a ^ b) and (a + b), mixed: symmetric, and not the same for every
	 * pair that differs alike. The top bits are the best of a product. */
	LOAD_X(SOURCE),
	STORE(KEEP),
	MATH_X(BPF_XOR),
	MATH(BPF_MUL, 0x9e3779b1),
	STORE(TYPE),
	LOAD_M(KEEP),
	MATH_X(BPF_ADD),
	LOAD_X(TYPE),
	MATH_X(BPF_XOR),
	MATH(BPF_MUL, 0x85ebca6b),
	MATH(BPF_RSH, 11),
	BPF_STMT(BPF_RET | BPF_A, 0),
};

/* The program belongs to the group; a group that has it gets it again, the
 * same one. So it stands also when every earlier member is gone. */
int capture_fanout_join(int fd, uint16_t group)
{
	const struct sock_fprog program = {.len = sizeof spread / sizeof spread[0],
					   .filter = (struct sock_filter *)(uintptr_t)spread};
	const uint32_t join = group | (uint32_t)PACKET_FANOUT_CBPF << 16;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &join, sizeof join) != 0)
		return ERR_IO;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) != 0)
		return ERR_IO;
	return 0;
}
