/* inspect_tunnel.h - how a tunnel and what it carries are told. Of inspect alone. */
#ifndef MONITOR_INSPECT_TUNNEL_H
#define MONITOR_INSPECT_TUNNEL_H
#include "sense/decode.h"

#define INSPECT_TUNNEL_DETAIL 160u

/* "tunnel-gre" …; never NULL. */
const char *inspect_tunnel_word(enum decode_tunnel kind);
/* "192.0.2.1 > 198.51.100.1 tcp/443" */
void inspect_tunnel_detail(const struct packet *inner, char ret[static INSPECT_TUNNEL_DETAIL]);

#endif
