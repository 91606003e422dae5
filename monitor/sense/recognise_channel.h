/* recognise_channel.h - by what means does it leave? Tunnels that nDPI 4.2
 * calls Unknown, proxies, and what the head of an HTTP request says of cloud
 * storage or DNS. Pure functions over bytes, as in recognise.h; layouts stand
 * above each parser. */
#ifndef MONITOR_RECOGNISE_CHANNEL_H
#define MONITOR_RECOGNISE_CHANNEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sense/recognise.h"

/* Is this datagram a discovery message of Tailscale, or a HELLO of ZeroTier? */
bool recognise_tailscale(const uint8_t *p, size_t n);
bool recognise_zerotier(const uint8_t *p, size_t n);

/* The login of frp's client in the clear, with which the first direction
 * begins, also within its multiplexer. */
enum recognise recognise_frp(const uint8_t *p, size_t n);

/* What the client of a SOCKS proxy begins with, as far as its request; of version
 * 4 alone on what is all so far. target gets whom the proxy is asked for. */
#define RECOGNISE_TARGET_MAX 128
enum recognise recognise_socks(const uint8_t *p, size_t n, char target[RECOGNISE_TARGET_MAX]);

/* What the head of an HTTP/1 request that begins here says beside itself. */
struct recognise_head {
	const char *word;        /* static: "http-proxy", "dns-message", "oss-request", "cos-request", "s3-request",
	                          * "azure-blob-request", "gcs-request" */
	char detail[128];        /* printable ASCII: whom a proxy is asked for */
};

/* YES: *ret is set. NO: no request, or nothing in it. MORE: the head goes on; last: no more will come. */
enum recognise recognise_http_head(const uint8_t *p, size_t n, bool last, struct recognise_head *ret);

#endif
