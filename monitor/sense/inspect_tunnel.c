#include "sense/inspect_tunnel.h"

#include <netinet/in.h>
#include <stdio.h>

static const char *const tunnel_words[TUNNEL_KINDS] = {
	[TUNNEL_NONE] = "tunnel",
	[TUNNEL_GRE] = "tunnel-gre",
	[TUNNEL_ERSPAN1] = "tunnel-erspan1",
	[TUNNEL_ERSPAN2] = "tunnel-erspan2",
	[TUNNEL_ERSPAN3] = "tunnel-erspan3",
	[TUNNEL_VXLAN] = "tunnel-vxlan",
	[TUNNEL_GENEVE] = "tunnel-geneve",
	[TUNNEL_IPIP] = "tunnel-ipip",
	[TUNNEL_6IN4] = "tunnel-6in4",
	[TUNNEL_4IN6] = "tunnel-4in6",
	[TUNNEL_6IN6] = "tunnel-6in6",
};

static const char *proto_text(const struct packet *p, char buf[static 24])
{
	switch (p->proto) {
	case IPPROTO_TCP:
		snprintf(buf, 24, "tcp/%u", p->dst_port);
		break;
	case IPPROTO_UDP:
		snprintf(buf, 24, "udp/%u", p->dst_port);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		snprintf(buf, 24, "icmp");
		break;
	default:
		snprintf(buf, 24, "proto/%u", p->proto);
	}
	return buf;
}

const char *inspect_tunnel_word(enum decode_tunnel kind)
{
	return tunnel_words[kind < TUNNEL_KINDS ? kind : TUNNEL_NONE];
}

void inspect_tunnel_detail(const struct packet *inner, char ret[static INSPECT_TUNNEL_DETAIL])
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], proto[24];
	snprintf(ret, INSPECT_TUNNEL_DETAIL, "%s > %s %s", addr_text(&inner->src, src), addr_text(&inner->dst, dst),
	         proto_text(inner, proto));
}
