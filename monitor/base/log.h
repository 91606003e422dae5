/* log.h - messages to stderr (and so to the journal), subsystem first.
 * Only main, supervisor, worker, judge and sandbox log; nothing per packet;
 * never payload bytes. Bytes that came from the network are made harmless
 * (control characters become \xNN) on the way out. */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H
#include "base/err.h"

enum log_level { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

/* Messages above this level are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);

/* Write one line: "garitad: <subsystem>: <message>\n", in one write(2).
 * When $JOURNAL_STREAM is set the line starts with the <N> priority prefix
 * of sd-daemon(3). Lines are cut at 1,000 bytes. */
void log_msg(enum log_level level, const char *subsystem, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(sub, ...) log_msg(LOG_ERROR, sub, __VA_ARGS__)
#define log_warn(sub, ...) log_msg(LOG_WARN, sub, __VA_ARGS__)
#define log_info(sub, ...) log_msg(LOG_INFO, sub, __VA_ARGS__)
#define log_debug(sub, ...) log_msg(LOG_DEBUG, sub, __VA_ARGS__)

#endif
