/* config.h - site.yaml: one checked, immutable struct.
 * Each key's name, type, range and default stand in one table, config_schema.c;
 * the manual page garita-site.yaml(5) lists them for people.
 * The only file that includes the YAML library is config_yaml.c. */
#ifndef MONITOR_CONFIG_H
#define MONITOR_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/netset.h"

struct config_interface {
	char *name;
	bool vlan_in_key;      /* default true; false where the switch tags one direction only */
};

enum config_duplicates { DUPLICATES_COUNT_ONCE = 0, DUPLICATES_COUNT_ALL };

struct config_capture {
	struct config_interface *interfaces;
	size_t interface_count;
	unsigned workers;      /* 1 to 32, default 1 */
	unsigned snaplen;      /* bytes, 128 to 262144, default 65535 */
	unsigned buffer_mb;    /* ring of each worker and interface, 2 to 4096, default 64 */
	char *filter;          /* BPF expression, NULL: everything */
	unsigned silence_s;    /* without a packet for that long the sensor is taken to be blind, default 300 */
	enum config_duplicates duplicates;   /* of a mirror that delivers frames twice; default: once */
};

struct config_flows {
	unsigned max;          /* live flows of one worker, default 262144 */
	unsigned tcp_s, tcp_closing_s, udp_s, icmp_s, other_s;   /* idle timeouts, seconds: 1800, 10, 180, 60, 180 */
	unsigned checkpoint_s; /* default 60 */
	unsigned content_kib;  /* first bytes of each direction that are inspected, default 4 */
};

struct config_gateway {    /* one of them */
	struct mac mac;        /* zero: by its address */
	struct addr address;   /* zero: by its MAC */
};

struct config_network {
	char *name;
	uint16_t vlan[2];
	uint8_t vlan_count;    /* 0: any, and untagged */
	struct prefix *prefixes;
	size_t prefix_count;
	struct config_gateway *gateways;   /* routers: no equipment, and not unknown either */
	size_t gateway_count;
};

struct config_equipment {
	char *id;
	char *vendor, *model, *place, *group;   /* NULL: not given */
	struct mac *macs;
	size_t mac_count;      /* "mac:" takes one or a list */
	struct addr *addresses;
	size_t address_count;
};

enum config_period { PERIOD_NONE = 0, PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_KINDS };
enum config_initiator { APPROVE_ANY = 0, APPROVE_EQUIPMENT, APPROVE_PEER };

struct config_ports {      /* "tcp/443", "udp/1000-2000", "icmp"; "tcp" alone: every port */
	uint8_t proto;
	uint16_t low, high;    /* 0 and 65535: any */
};

struct config_hours {      /* local minutes of the day on the days of the mask */
	uint8_t days;          /* bit 0 Monday … bit 6 Sunday */
	uint16_t from_min, to_min;   /* 0 to 1440; from > to: over midnight, the day is that of from */
};

struct config_date {       /* a civil date in the site's time zone */
	int16_t year;
	uint8_t month, day;
};

/* One approval. Each list that is given must hold, and holds something; a
 * list left out is no condition. to and at least one list in it are mandatory, so are equipment,
 * valid, approved_by and ticket. */
struct config_approval {
	char *id;
	unsigned line;         /* in the file, for the rule trace */
	char **equipment;      /* selectors as written: id, group, vendor, network */
	size_t equipment_count;
	char **hosts;          /* lower case; "*.example.com" covers the names below, not the apex */
	size_t host_count;
	struct prefix *prefixes;
	size_t prefix_count;
	char (*countries)[3];  /* ISO 3166-1 alpha-2, upper case */
	size_t country_count;
	uint32_t *asns;
	size_t asn_count;
	struct config_ports *ports;
	size_t port_count;
	char **apps;
	size_t app_count;
	enum config_initiator initiator;
	uint64_t limit_out, limit_in, limit_total;   /* bytes (IP) of the whole approval per period, 0: none */
	enum config_period limit_per;
	struct config_hours *hours;
	size_t hours_count;
	struct config_date valid_from, valid_to;     /* both days included */
	bool regular;          /* heartbeats, log lines, checks: that they come like a clock is no sign */
	char *approved_by, *ticket, *note;           /* note may be NULL */
};

struct config_geo {        /* NULL: the defaults of geo.h are tried */
	char *country, *city, *asn;
	unsigned max_age_days;   /* an older database is warned of, default 60 */
};

/* Values of records (container numbers, names of patients) that are recognised. */
enum config_keep { KEEP_NONE = 0, KEEP_HASH, KEEP_CLEAR };

struct config_signatures {
	char **content;        /* rules of the site beside the installed ones; each may have wildcards */
	size_t content_count;
	enum config_keep keep_values;   /* default hash */
	char *hash_key;        /* secret of KEEP_HASH, NULL: none */
	char **channels;       /* files of the site beside the installed channel lists: config_channels.h */
	size_t channel_count;
};

struct config_retention {  /* of the database; 0 days: never */
	uint64_t database_bytes;        /* past that, the oldest rows become sums; default 20 GB */
	unsigned approved_detail_days;  /* then approved transfers become hourly sums, default 90 */
	unsigned hourly_sums_days;      /* then hourly sums become monthly ones, default 400 */
};

struct config_review {
	unsigned severe;       /* a finding of that severity has a deadline, default 70 */
	unsigned deadline_s;   /* for its review, since it was recorded to be severe, default a day */
};

struct config_report {     /* of the weekly report */
	unsigned coverage_ppm; /* parts per million; below that it is inconclusive, default 990000 */
	char **frameworks;     /* files of the site beside the installed ones: config_frameworks.h */
	size_t framework_count;
	char *directory;       /* where garita report deliver puts it; NULL: nowhere */
	const char **formats;  /* "html", "pdf", "json"; none: html */
	size_t format_count;
	char *command;         /* of the shell, with the file as $1; NULL: none */
};

struct config_self_test {  /* exfiltration test */
	struct addr target;    /* outside, and approved by nobody; zero: none */
};

/* Packets of unapproved transfers. */
enum config_packets { PACKETS_OFF = 0, PACKETS_HEADERS, PACKETS_FULL };

struct config_evidence {
	enum config_packets packets;    /* default full; headers: nothing behind the transport header is kept */
	unsigned hold_mb;               /* of all workers, for packets that nobody has judged yet: one a worker to 4096,
	                                 * default 32; each has its part of it */
	uint64_t per_transfer_bytes;    /* default 10 MB */
	uint64_t file_bytes;            /* a file is closed past that, or after an hour; default 64 MB */
	uint64_t total_bytes;           /* of all files; then the least needed go; default 20 GB */
	uint64_t reserve_bytes;         /* that the disk keeps for the record; a twentieth of it at most; default 1 GB */
};

struct config_detect {     /* thresholds of the detect_* modules, which say more of each */
	uint64_t dns_tunnel_hour, dns_tunnel_day;   /* bytes of different names: 0.7 bytes a second of each */
	unsigned dns_subdomains;        /* different names of one domain a day, default 100 */
	unsigned dns_records;           /* TXT records of one domain an hour, default 50; a NULL counts as ten */
	char **dns_ignore;              /* domains whose names say nothing */
	size_t dns_ignore_count;
	unsigned beacon_score;          /* RITA's, per cent, default 50 */
	unsigned beacon_connections;    /* at least, default 4 */
	unsigned long_connection_s;     /* default 3600; then 4, 8 and 12 times of it */
	unsigned icmp_echo_bytes;       /* default 256 */
	unsigned ssh_opened;            /* through one SSH connection from its far end, default 1 */
	uint64_t icmp_hour, ntp_hour;   /* bytes: 4 kB, 64 kB */
	unsigned learn_days;            /* default 14 */
	unsigned volume_mad;            /* default 6 */
	uint64_t volume_least;          /* bytes, default 10 MB */
	unsigned ports;                 /* of one peer in a day, default 10 */
	unsigned addresses;             /* of one MAC in a day, default 5 */
	uint64_t burst_bytes, piece_bytes;   /* that make a burst, a piece: 1 MB, 16 kB */
};

struct config_emit {       /* where signed heads of the ledger go off the machine */
	char *file;            /* appended to; NULL: none */
	bool syslog;
};

struct config_ledger {
	unsigned checkpoint_entries;    /* a head is signed after that many entries, default 1000 */
	unsigned checkpoint_minutes;    /* and when the last one is that old, default 60 */
	struct config_emit emit;
	char *stamp;           /* command of `garita ledger stamp`; NULL: none */
};

struct config {
	char *path;            /* as opened */
	char *text;            /* the whole file, for the record */
	size_t text_bytes;
	uint8_t hash[32];      /* BLAKE2b-256 of the text: the hash of the policy */
	char hash_text[65];    /* the same in hex */
	char *site_name, *sensor, *timezone, *language;   /* language: es or en */
	struct config_capture capture;
	struct config_flows flows;
	struct config_network *networks;
	size_t network_count;
	struct config_equipment *equipment;
	size_t equipment_count;
	struct config_approval *approvals;
	size_t approval_count;
	struct config_geo geo;
	struct config_retention retention;
	struct config_ledger ledger;
	struct config_review review;
	struct config_report report;
	struct config_self_test self_test;
	struct config_evidence evidence;
	struct config_detect detect;
	struct config_signatures signatures;
	unsigned names_max_age_s;   /* a DNS answer is believed that long past its TTL, default 86400 */
	struct prefix *resolvers;   /* names.resolvers: only their answers are believed; none: judge_name.c */
	size_t resolver_count;
	char *data_dir;        /* default /var/lib/garita */
	char *user;            /* default garita */
};

/* A list of everything wrong with a file. Each text is one line
 * "file:line:column: what is wrong; what to do". */
struct config_errors {
	char **text;
	size_t count;
};

/* Read and check a file. All errors of the file are found in one go.
 * Returns 0, ERR_IO (errors holds one line that says why), ERR_NOMEM, or
 * ERR_CONFIG with errors filled. The caller owns *ret and frees errors in any
 * case. */
MUST_CHECK int config_load(const char *path, struct config **ret, struct config_errors *errors);
/* The same from memory; name stands in the messages. */
MUST_CHECK int config_parse(const char *name, const char *text, size_t bytes, struct config **ret,
                            struct config_errors *errors);
void config_free(struct config *c);
/* All of a file, and a NUL behind it; more than a configuration may have is cut
 * off past that. 0, ERR_NOMEM, or ERR_IO and errno. The caller frees *ret_text. */
MUST_CHECK int config_read_file(const char *path, char **ret_text, size_t *ret_bytes);
void config_errors_done(struct config_errors *errors);

static inline bool config_gateway_has_mac(const struct config_gateway *g)
{
	return !mac_eq(&g->mac, &(const struct mac){{0}});
}

/* The networks and the MACs of gateways and equipment as a flat set. 0 or ERR_FULL. */
MUST_CHECK int config_netset(const struct config *c, struct netset *ret);

/* "tcp/443", "udp/1000-2000", "icmp", "ip/47", as in 'ports'. 0 or ERR_INVALID. */
MUST_CHECK int config_ports_parse(const char *text, struct config_ports *ret);
/* The word for a protocol there; NULL: it has none and is written ip/N. */
const char *config_proto_word(uint8_t proto);

#endif
