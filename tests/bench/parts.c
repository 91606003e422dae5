/* parts.c - linked into garitad in front of what was built, for bench-parts
 * alone: GARITA_WITHOUT names what is left out, of "detections", "contents" and
 * "channels". The calls to it are turned round by the linker (--wrap), so that
 * all else is the same code. */
#include <stdlib.h>
#include <string.h>

#include "judge/judge_internal.h"
#include "sense/carrier.h"
#include "sense/echo.h"
#include "sense/recognise_channel.h"

static bool detections = true, contents = true, channels = true;

__attribute__((constructor)) static void read_what(void)
{
	const char *without = getenv("GARITA_WITHOUT");
	if (without == NULL)
		return;
	detections = strstr(without, "detections") == NULL;
	contents = strstr(without, "contents") == NULL;
	channels = strstr(without, "channels") == NULL;
}

/* A function without a value: its name, its parameters, its arguments. */
#define LEFT_OUT(part, name, parameters, arguments)   \
	void __real_##name parameters;                \
	void __wrap_##name parameters;                \
	void __wrap_##name parameters                 \
	{                                             \
		if (part)                             \
			__real_##name arguments;      \
	}

LEFT_OUT(detections, echo_see, (struct echo_table *t, struct flow *f, const struct packet *p, unsigned end), (t, f, p, end))
LEFT_OUT(detections, judge_question, (struct judge *j, const struct fact_question *f), (j, f))
LEFT_OUT(detections, judge_icmp, (struct judge *j, const struct fact_icmp *f), (j, f))
LEFT_OUT(detections, judge_detect_station, (struct judge *j, const struct fact_station *f), (j, f))
LEFT_OUT(detections, judge_detect_begun, (struct judge *j, uint32_t index), (j, index))
LEFT_OUT(detections, judge_detect_look, (struct judge *j, uint32_t index), (j, index))
LEFT_OUT(detections, judge_detect_ended, (struct judge *j, const struct transfer *t), (j, t))
LEFT_OUT(detections, judge_detect_counted,
         (struct judge *j, const struct transfer *t, const struct flow_counts *delta, int64_t before_us),
         (j, t, delta, before_us))

LEFT_OUT(contents, carrier_overhear, (struct carriers *cs, const struct packet *p), (cs, p))
LEFT_OUT(contents, judge_sign_content, (struct judge *j, uint32_t index, const struct fact_content *f), (j, index, f))

LEFT_OUT(channels, judge_channel, (struct judge *j, uint32_t index), (j, index))
LEFT_OUT(channels, judge_channel_judged, (struct judge *j, uint32_t index), (j, index))
LEFT_OUT(channels, judge_channel_over, (struct judge *j, uint32_t index), (j, index))
LEFT_OUT(channels, judge_channel_counted, (struct judge *j, uint32_t index, const struct flow_counts *delta),
         (j, index, delta))

/* A flow without a carrier is looked at no more. */
struct carrier *__real_carrier_new(struct carriers *cs, void *owner, const struct carrier_ends *ends);
struct carrier *__wrap_carrier_new(struct carriers *cs, void *owner, const struct carrier_ends *ends);
struct carrier *__wrap_carrier_new(struct carriers *cs, void *owner, const struct carrier_ends *ends)
{
	return contents ? __real_carrier_new(cs, owner, ends) : NULL;
}

enum recognise __real_recognise_frp(const uint8_t *p, size_t n);
enum recognise __wrap_recognise_frp(const uint8_t *p, size_t n);
enum recognise __wrap_recognise_frp(const uint8_t *p, size_t n)
{
	return channels ? __real_recognise_frp(p, n) : RECOGNISE_NO;
}

enum recognise __real_recognise_socks(const uint8_t *p, size_t n, char target[static RECOGNISE_TARGET_MAX]);
enum recognise __wrap_recognise_socks(const uint8_t *p, size_t n, char target[static RECOGNISE_TARGET_MAX]);
enum recognise __wrap_recognise_socks(const uint8_t *p, size_t n, char target[static RECOGNISE_TARGET_MAX])
{
	return channels ? __real_recognise_socks(p, n, target) : RECOGNISE_NO;
}

enum recognise __real_recognise_http_head(const uint8_t *p, size_t n, bool last, struct recognise_head *ret);
enum recognise __wrap_recognise_http_head(const uint8_t *p, size_t n, bool last, struct recognise_head *ret);
enum recognise __wrap_recognise_http_head(const uint8_t *p, size_t n, bool last, struct recognise_head *ret)
{
	return channels ? __real_recognise_http_head(p, n, last, ret) : RECOGNISE_NO;
}
