/* json.h - write JSON (RFC 8259) into a growing buffer, canonical enough to
 * compare: no white space, keys in the order of the calls. Strings that came
 * from the network are made valid UTF-8: bad bytes become U+FFFD, control
 * characters \u00NN. Allocation failure is sticky: look at json_text. */
#ifndef MONITOR_JSON_H
#define MONITOR_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *text;
	size_t used, room;
	bool failed, comma;
};

void json_init(struct json *j);
void json_done(struct json *j);
void json_reset(struct json *j);   /* empty it, keep the memory */

/* key: NULL inside an array, and for the outermost value. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_str(struct json *j, const char *key, const char *value);   /* NULL value: nothing is written */
/* The same as RFC 8785 has it: only what must be is escaped, in the shortest way. */
void json_str_canonical(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* RFC 3339, UTC, microseconds: "2026-11-22T03:00:00.000000Z". */
void json_time(struct json *j, const char *key, int64_t time_us);
void json_raw(struct json *j, const char *key, const char *json_text);   /* already JSON */

/* The text so far, NUL-terminated; NULL when memory ran out. */
const char *json_text(struct json *j);

#define TIME_TEXT_MAX 40
const char *time_text_utc(int64_t time_us, char buf[TIME_TEXT_MAX]);   /* as json_time, without quotes */

#endif
