/* The table of keys: name, type, range, default. garita-site.yaml(5) lists the
 * same, and tests/unit/test_config_file.c holds the two together. */
#include "base/config_parts.h"

/* clang-format off */
#define END {.name = NULL}
#define IN(s, f) .offset = offsetof(struct s, f)
#define LIST_OF(s, f, c) .offset = offsetof(struct s, f), .count_offset = offsetof(struct s, c), \
	.size = sizeof(*((struct s *)0)->f)
#define M KEY_MANDATORY
#define L KEY_LIST

static const struct config_key site_keys[] = {
	{"name",     &type_text, NULL, M, IN(config, site_name)},
	{"sensor",   &type_id,   NULL, M, IN(config, sensor)},
	{"timezone", &type_zone, NULL, 0, IN(config, timezone), .standard = "UTC"},
	{"language", &type_language, NULL, 0, IN(config, language), .standard = "en"},
	END
};

static const struct config_key interface_keys[] = {
	{"name",        &type_id,   NULL, M, IN(config_interface, name)},
	{"vlan_in_key", &type_flag, NULL, 0, IN(config_interface, vlan_in_key), .standard = "true"},
	END
};

static const struct config_key capture_keys[] = {
	{"interfaces", NULL, interface_keys, L | KEY_SHORT, LIST_OF(config_capture, interfaces, interface_count), .max = 64},
	{"workers",    &type_number, NULL, 0, IN(config_capture, workers),   .min = 1,   .max = 32,     .standard = "1"},
	{"snaplen",    &type_number, NULL, 0, IN(config_capture, snaplen),   .min = 128, .max = 262144, .standard = "65535"},
	{"buffer_mb",  &type_number, NULL, 0, IN(config_capture, buffer_mb), .min = 2,   .max = 4096,   .standard = "64"},
	{"filter",     &type_text,   NULL, 0, IN(config_capture, filter), .max = 4000},
	{"silence_s",  &type_number, NULL, 0, IN(config_capture, silence_s), .min = 5,   .max = 604800, .standard = "300"},
	{"duplicates", &type_duplicates, NULL, 0, IN(config_capture, duplicates), .standard = "count-once"},
	END
};

static const struct config_key flows_keys[] = {
	{"max",           &type_number, NULL, 0, IN(config_flows, max),           .min = 1024, .max = 16777216, .standard = "262144"},
	{"tcp_s",         &type_number, NULL, 0, IN(config_flows, tcp_s),         .min = 1, .max = 86400, .standard = "1800"},
	{"tcp_closing_s", &type_number, NULL, 0, IN(config_flows, tcp_closing_s), .min = 1, .max = 3600,  .standard = "10"},
	{"udp_s",         &type_number, NULL, 0, IN(config_flows, udp_s),         .min = 1, .max = 86400, .standard = "180"},
	{"icmp_s",        &type_number, NULL, 0, IN(config_flows, icmp_s),        .min = 1, .max = 86400, .standard = "60"},
	{"other_s",       &type_number, NULL, 0, IN(config_flows, other_s),       .min = 1, .max = 86400, .standard = "180"},
	{"checkpoint_s",  &type_number, NULL, 0, IN(config_flows, checkpoint_s),  .min = 1, .max = 3600,  .standard = "60"},
	{"content_kib",   &type_number, NULL, 0, IN(config_flows, content_kib),   .min = 1, .max = 64,    .standard = "4"},
	END
};

static const struct config_key network_keys[] = {
	{"name",     &type_network_name, NULL, M, IN(config_network, name)},
	{"vlan",     &type_vlan,   NULL, KEY_WHOLE, .offset = 0},
	{"prefixes", &type_prefix, NULL, M | L | KEY_NOT_EMPTY, LIST_OF(config_network, prefixes, prefix_count), .max = 1024},
	{"gateways", &type_gateway, NULL, L | KEY_NOT_EMPTY, LIST_OF(config_network, gateways, gateway_count), .max = 16},
	END
};

static const struct config_key equipment_keys[] = {
	{"id",        &type_id,   NULL, M, IN(config_equipment, id)},
	{"vendor",    &type_text, NULL, 0, IN(config_equipment, vendor)},
	{"model",     &type_text, NULL, 0, IN(config_equipment, model)},
	{"place",     &type_text, NULL, 0, IN(config_equipment, place)},
	{"group",     &type_text, NULL, 0, IN(config_equipment, group)},
	{"mac",       &type_mac,     NULL, L, LIST_OF(config_equipment, macs, mac_count), .max = 64},
	{"addresses", &type_address, NULL, L, LIST_OF(config_equipment, addresses, address_count), .max = 256},
	END
};

static const struct config_key to_keys[] = {
	{"hosts",     &type_host,    NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, hosts, host_count),         .max = 4096},
	{"prefixes",  &type_prefix,  NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, prefixes, prefix_count),    .max = 4096},
	{"countries", &type_country, NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, countries, country_count),  .max = 256},
	{"asns",      &type_asn,     NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, asns, asn_count),           .max = 4096},
	END
};

static const struct config_key limit_keys[] = {
	{"out",   &type_size,   NULL, 0, IN(config_approval, limit_out)},
	{"in",    &type_size,   NULL, 0, IN(config_approval, limit_in)},
	{"total", &type_size,   NULL, 0, IN(config_approval, limit_total)},
	{"per",   &type_period, NULL, M, IN(config_approval, limit_per)},
	END
};

const struct config_key config_approval_keys[] = {
	{"id",        &type_id,       NULL, M, IN(config_approval, id)},
	{"equipment", &type_selector, NULL, M | L | KEY_NOT_EMPTY, LIST_OF(config_approval, equipment, equipment_count), .max = 1024},
	{"to",        NULL, to_keys,        M, .offset = 0},
	{"ports",     &type_ports,    NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, ports, port_count), .max = 256},
	{"apps",      &type_app,      NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, apps, app_count),   .max = 256},
	{"initiator", &type_initiator, NULL, 0, IN(config_approval, initiator), .standard = "any"},
	{"limit",     NULL, limit_keys,     0, .offset = 0},
	{"hours",     &type_hours,    NULL, L | KEY_NOT_EMPTY, LIST_OF(config_approval, hours, hours_count), .max = 64},
	{"valid",     &type_valid,    NULL, M | KEY_WHOLE, .offset = 0},
	{"regular",   &type_flag,     NULL, 0, IN(config_approval, regular), .standard = "false"},
	{"approved_by", &type_text,   NULL, M, IN(config_approval, approved_by)},
	{"ticket",    &type_text,     NULL, M, IN(config_approval, ticket)},
	{"note",      &type_text,     NULL, 0, IN(config_approval, note), .max = 1000},
	END
};

static const struct config_key geo_keys[] = {
	{"country", &type_path, NULL, 0, IN(config_geo, country)},
	{"city",    &type_path, NULL, 0, IN(config_geo, city)},
	{"asn",     &type_path, NULL, 0, IN(config_geo, asn)},
	{"max_age", &type_days, NULL, 0, IN(config_geo, max_age_days), .min = 1, .max = 36500, .standard = "60d"},
	END
};

static const struct config_key names_keys[] = {
	{"max_age_s", &type_number, NULL, 0, IN(config, names_max_age_s), .min = 0, .max = 31536000, .standard = "86400"},
	{"resolvers", &type_prefix, NULL, L | KEY_NOT_EMPTY, LIST_OF(config, resolvers, resolver_count), .max = 256},
	END
};

static const struct config_key retention_keys[] = {
	{"database",        &type_size, NULL, 0, IN(config_retention, database_bytes),       .min = 64000000, .standard = "20GB"},
	{"approved_detail", &type_days, NULL, 0, IN(config_retention, approved_detail_days), .min = 1,  .max = 36500, .standard = "90d"},
	{"hourly_sums",     &type_days, NULL, 0, IN(config_retention, hourly_sums_days),     .min = 31, .max = 36500, .standard = "400d"},
	END
};

static const struct config_key emit_keys[] = {
	{"file",   &type_path, NULL, 0, IN(config_emit, file)},
	{"syslog", &type_flag, NULL, 0, IN(config_emit, syslog), .standard = "false"},
	END
};

static const struct config_key ledger_keys[] = {
	{"checkpoint_entries", &type_number, NULL, 0, IN(config_ledger, checkpoint_entries), .min = 1, .max = 1000000, .standard = "1000"},
	{"checkpoint_minutes", &type_number, NULL, 0, IN(config_ledger, checkpoint_minutes), .min = 1, .max = 1440, .standard = "60"},
	{"emit",  NULL,        emit_keys, 0, IN(config_ledger, emit)},
	{"stamp", &type_text,  NULL, 0, IN(config_ledger, stamp)},
	END
};

static const struct config_key review_keys[] = {
	{"severe",   &type_number, NULL, 0, IN(config_review, severe),     .min = 1,  .max = 100,      .standard = "70"},
	{"deadline", &type_span,   NULL, 0, IN(config_review, deadline_s), .min = 60, .max = 31536000, .standard = "24h"},
	END
};

static const struct config_key self_test_keys[] = {
	{"target", &type_address, NULL, M, IN(config_self_test, target)},
	END
};

static const struct config_key report_keys[] = {
	{"coverage",   &type_percent, NULL, 0, IN(config_report, coverage_ppm), .standard = "99"},
	{"frameworks", &type_path,    NULL, L, LIST_OF(config_report, frameworks, framework_count), .max = 64},
	{"directory",  &type_path,    NULL, 0, IN(config_report, directory)},
	{"formats",    &type_form,    NULL, L, LIST_OF(config_report, formats, format_count), .max = 3},
	{"command",    &type_text,    NULL, 0, IN(config_report, command), .max = 400},
	END
};

static const struct config_key evidence_keys[] = {
	{"packets",      &type_packets, NULL, 0, IN(config_evidence, packets), .standard = "full"},
	{"hold_mb",      &type_number,  NULL, 0, IN(config_evidence, hold_mb), .min = 1, .max = 4096, .standard = "32"},
	{"per_transfer", &type_size,    NULL, 0, IN(config_evidence, per_transfer_bytes), .min = 1000, .standard = "10MB"},
	{"file",         &type_size,    NULL, 0, IN(config_evidence, file_bytes), .min = 1000000, .standard = "64MB"},
	{"total",        &type_size,    NULL, 0, IN(config_evidence, total_bytes), .min = 1000000, .standard = "20GB"},
	{"reserve",      &type_size,    NULL, 0, IN(config_evidence, reserve_bytes), .standard = "1GB"},
	END
};

static const struct config_key detect_keys[] = {
	{"dns_tunnel_hour", &type_size,   NULL, 0, IN(config_detect, dns_tunnel_hour), .standard = "2520B"},
	{"dns_tunnel_day",  &type_size,   NULL, 0, IN(config_detect, dns_tunnel_day),  .standard = "60480B"},
	{"dns_subdomains",  &type_number, NULL, 0, IN(config_detect, dns_subdomains),  .min = 1, .max = 1000000, .standard = "100"},
	{"dns_records",     &type_number, NULL, 0, IN(config_detect, dns_records),     .min = 1, .max = 1000000, .standard = "50"},
	{"dns_ignore",      &type_host,   NULL, L | KEY_NOT_EMPTY, LIST_OF(config_detect, dns_ignore, dns_ignore_count), .max = 256},
	{"beacon_score",       &type_number, NULL, 0, IN(config_detect, beacon_score),       .min = 1, .max = 100,     .standard = "50"},
	{"beacon_connections", &type_number, NULL, 0, IN(config_detect, beacon_connections), .min = 4, .max = 1000000, .standard = "4"},
	{"long_connection_s",  &type_number, NULL, 0, IN(config_detect, long_connection_s),  .min = 60, .max = 604800, .standard = "3600"},
	{"ssh_opened", &type_number, NULL, 0, IN(config_detect, ssh_opened), .min = 1, .max = 1000000, .standard = "1"},
	{"icmp_echo_bytes", &type_number, NULL, 0, IN(config_detect, icmp_echo_bytes), .min = 1, .max = 65535, .standard = "256"},
	{"icmp_hour", &type_size, NULL, 0, IN(config_detect, icmp_hour), .standard = "4kB"},
	{"ntp_hour",  &type_size, NULL, 0, IN(config_detect, ntp_hour),  .standard = "64kB"},
	{"learn",        &type_days,   NULL, 0, IN(config_detect, learn_days), .min = 1, .max = 3650, .standard = "14d"},
	{"volume_mad",   &type_number, NULL, 0, IN(config_detect, volume_mad), .min = 1, .max = 1000, .standard = "6"},
	{"volume_least", &type_size,   NULL, 0, IN(config_detect, volume_least), .standard = "10MB"},
	{"ports",     &type_number, NULL, 0, IN(config_detect, ports),     .min = 2, .max = 200, .standard = "10"},
	{"addresses", &type_number, NULL, 0, IN(config_detect, addresses), .min = 2, .max = 200, .standard = "5"},
	{"burst",  &type_size, NULL, 0, IN(config_detect, burst_bytes), .standard = "1MB"},
	{"piece",  &type_size, NULL, 0, IN(config_detect, piece_bytes), .standard = "16kB"},
	END
};

static const struct config_key signatures_keys[] = {
	{"content",  &type_path, NULL, L, LIST_OF(config_signatures, content, content_count), .max = 64},
	{"keep_values", &type_keep, NULL, 0, IN(config_signatures, keep_values), .standard = "hash"},
	{"hash_key", &type_text, NULL, 0, IN(config_signatures, hash_key)},
	{"channels", &type_path, NULL, L, LIST_OF(config_signatures, channels, channel_count), .max = 64},
	END
};

const struct config_key config_keys[] = {
	{"site",      NULL, site_keys,    M, .offset = 0},
	{"capture",   NULL, capture_keys, 0, IN(config, capture)},
	{"flows",     NULL, flows_keys,   0, IN(config, flows)},
	{"networks",  NULL, network_keys,   M | L | KEY_NOT_EMPTY, LIST_OF(config, networks, network_count), .max = 256},
	{"equipment", NULL, equipment_keys, L, LIST_OF(config, equipment, equipment_count), .max = 8192},
	{"approvals", NULL, config_approval_keys, L, LIST_OF(config, approvals, approval_count),  .max = 4096},
	{"geo",       NULL, geo_keys,     0, IN(config, geo)},
	{"names",     NULL, names_keys,   0, .offset = 0},
	{"retention", NULL, retention_keys, 0, IN(config, retention)},
	{"ledger",    NULL, ledger_keys,    0, IN(config, ledger)},
	{"review",    NULL, review_keys,    0, IN(config, review)},
	{"report",    NULL, report_keys,    0, IN(config, report)},
	{"self_test", NULL, self_test_keys, 0, IN(config, self_test)},
	{"evidence",  NULL, evidence_keys, 0, IN(config, evidence)},
	{"detect",    NULL, detect_keys,  0, IN(config, detect)},
	{"signatures", NULL, signatures_keys, 0, IN(config, signatures)},
	{"data_dir",  &type_path, NULL, 0, IN(config, data_dir), .standard = "/var/lib/garita"},
	{"user",      &type_id,   NULL, 0, IN(config, user),     .standard = "garita"},
	END
};
/* clang-format on */
