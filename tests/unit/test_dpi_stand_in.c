/* The two functions that stand in for nDPI's own, beside the library's. */
#define NDPI_LIB_COMPILATION   /* its headers show the module then */
#include "sense/dpi_stand_in.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if DPI_STANDS_IN

#define ROUNDS 200000
#define PAYLOAD_MAX 300u

typedef struct ndpi_detection_module_struct module;
typedef void line_info(module *m, struct ndpi_flow_struct *f);
typedef int compare(NDPI_PROTOCOL_BITMASK a, NDPI_PROTOCOL_BITMASK b);

static uint64_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void *of_library(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);   /* behind the program's own */
	assert_non_null(found);
	return found;
}

/* Bytes, ends of lines and the words that headers begin with. */
static uint16_t payload_make(uint8_t *to)
{
	static const char *const pieces[] = {"\r\n", "\r", "\n", "\r\n\r\n", "Host: a.example", "User-Agent: Valve/Steam HTTP Client",
	                                     "HTTP/1.1 200 OK", "GET / HTTP/1.0", "Content-Length: 5", "Server: x", "\r\r\n"};
	const uint32_t want = any(PAYLOAD_MAX), lines = any(3);
	uint32_t n = 0;
	while (n < want) {
		if (lines > 0 && any(8) < lines * 3) {
			const char *piece = pieces[any(sizeof pieces / sizeof pieces[0])];
			const size_t len = strlen(piece);
			if (n + len > PAYLOAD_MAX)
				break;
			memcpy(to + n, piece, len);
			n += (uint32_t)len;
		} else {
			to[n++] = any(4) == 0 ? '\r' : (uint8_t)any(256);
		}
	}
	return (uint16_t)n;
}

static void test_lines(void **state)
{
	(void)state;
	assert_true(dpi_stand_in_begin());
	line_info *library;
	void *found = of_library("ndpi_parse_packet_line_info");
	memcpy(&library, &found, sizeof library);
	assert_true(library != ndpi_parse_packet_line_info);
	assert_int_equal(ndpi_get_ndpi_detection_module_size(), sizeof(module));
	module *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct ndpi_flow_struct *fa = calloc(1, sizeof *fa), *fb = calloc(1, sizeof *fb);
	unsigned with = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t payload[PAYLOAD_MAX];
		a->packet.payload = payload;
		a->packet.payload_packet_len = payload_make(payload);
		a->packet.packet_lines_parsed_complete = any(16) == 0;
		memset(fa, 0, sizeof *fa);
		b->packet = a->packet;   /* with what the last packet left */
		*fb = *fa;
		library(a, fa);
		ndpi_parse_packet_line_info(b, fb);
		assert_memory_equal(&a->packet, &b->packet, sizeof a->packet);
		assert_memory_equal(fa, fb, sizeof *fa);
		with += a->packet.parsed_lines > 0;
	}
	assert_true(with > ROUNDS / 20 && with < ROUNDS);   /* both ways were gone */
	free(a);
	free(b);
	free(fa);
	free(fb);
}

static void test_bitmasks(void **state)
{
	(void)state;
	compare *library;
	void *found = of_library("NDPI_BITMASK_COMPARE");
	memcpy(&library, &found, sizeof library);
	assert_true(library != NDPI_BITMASK_COMPARE);
	const unsigned bits = sizeof(NDPI_PROTOCOL_BITMASK) * 8;
	unsigned met = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		NDPI_PROTOCOL_BITMASK a = {{0}}, b = {{0}};
		for (unsigned n = any(40); n > 0; n--)
			NDPI_BITMASK_ADD(a, any(bits));
		for (unsigned n = any(10); n > 0; n--)
			NDPI_BITMASK_ADD(b, any(bits));
		const int want = library(a, b);
		met += want != 0;
		assert_int_equal(NDPI_BITMASK_COMPARE(a, b), want);
	}
	assert_true(met > ROUNDS / 20 && met < ROUNDS);
}

#else

static void test_lines(void **state)
{
	(void)state;
	assert_true(dpi_stand_in_begin());
}

static void test_bitmasks(void **state)
{
	(void)state;
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bitmasks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
