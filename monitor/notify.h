/* notify.h - sd_notify(3) without a library: the socket is connected before
 * the sandbox is entered, later messages are plain writes. */
#ifndef MONITOR_NOTIFY_H
#define MONITOR_NOTIFY_H

/* Connect to $NOTIFY_SOCKET. The descriptor, or -1 when nobody listens. */
int notify_open(void);
/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"; fd -1: nothing. */
void notify_send(int fd, const char *state);

#endif
