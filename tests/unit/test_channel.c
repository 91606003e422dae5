/* The channel lists: what they may say, and what of a transfer they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/channel.h"

static char first_error[400];

/* The lists of site and installed; NULL, and the first error is kept. */
static struct channels *make(const char *site, const char *installed)
{
	struct config_channels lists = {0};
	struct config_errors errors = {0};
	struct channels *c = NULL;
	int err = site != NULL ? config_channels_parse(&lists, "site.yaml", site, true, &errors) : 0;
	if (err == 0 && installed != NULL)
		err = config_channels_parse(&lists, "shipped.yaml", installed, false, &errors);
	if (err == 0)
		err = channels_new(&lists, &c, &errors);
	config_channels_done(&lists);
	assert_true((err == ERR_CONFIG) == (errors.count > 0));
	snprintf(first_error, sizeof first_error, "%s", errors.count > 0 ? errors.text[0] : "");
	config_errors_done(&errors);
	return err == 0 ? c : NULL;
}

#define ENTRY "  - {name: A, kind: vpn, source: RFC 1, "

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *list, *error;
	} bad[] = {
	    {"channels:\n" ENTRY "hosts: [com]}\n", "shipped.yaml:2:49: 'com' covers too much"},
	    {"channels:\n" ENTRY "hosts: [\"*.com\"]}\n", "covers too much"},
	    {"channels:\n" ENTRY "hosts: [\"{region}.com\"]}\n", "covers too much"},
	    {"channels:\n" ENTRY "hosts: [\"a.{bucket}.b.com\"]}\n", "wrong place"},
	    {"channels:\n" ENTRY "hosts: [\"{region}-{region}.b.com\"]}\n", "no pattern"},
	    {"channels:\n" ENTRY "hosts: [\"x{bucket}.b.com\"]}\n", "no pattern"},
	    {"channels:\n" ENTRY "hosts: [\"a..b.com\"]}\n", "no pattern"},
	    {"channels:\n" ENTRY "hosts: [\"a b.com\"]}\n", "no pattern"},
	    {"channels:\n" ENTRY "host: [a.com]}\n", "unknown key 'host'; did you mean 'hosts'?"},
	    {"channels:\n" ENTRY "ports: [443]}\n", "has no protocol; write tcp/443"},
	    {"channels:\n" ENTRY "addresses: [192.0.2.0/24]}\n", "192.0.2.0/24"},
	    {"channels:\n" ENTRY "labels: []}\n", "empty list"},
	    {"channels:\n" ENTRY "note: nothing}\n", "nothing to know it by"},
	    {"channels:\n  - {name: A, kind: vpns, source: RFC 1, hosts: [a.com]}\n", "did you mean 'vpn'?"},
	    {"channels:\n  - {name: A, kind: vpn, hosts: [a.com]}\n", "lacks 'source'"},
	    {"channels:\n  - {name: A, kind: vpn, source: I know, hosts: [a.com]}\n", "must say where this is written"},
	    {"channels:\n" ENTRY "provider: Nobody, hosts: [a.com]}\n", "shipped.yaml:2:12: 'Nobody' is no provider"},
	    {"providers:\n  - {name: P, jurisdiction: mx, source: RFC 1}\n", "upper case"},
	    {"providers:\n  - {name: P, source: RFC 1}\n", "lacks 'jurisdiction'"},
	    {"[]\n", "holds keys: providers or channels"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct channels *c = make(NULL, bad[i].list);
		if (c != NULL || strstr(first_error, bad[i].error) == NULL)
			fail_msg("%s: wanted '%s', got '%s'", bad[i].list, bad[i].error, first_error);
		channels_free(c);
	}
}

static void twice(void **state)
{
	(void)state;
	static const char *const same[] = {
	    "hosts: [a.com]", "hosts: [\"{bucket}.a.com\"]", "labels: [L]", "content: [w]", "addresses: [192.0.2.1]",
	    "ports: [tcp/10-20]",
	};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		char list[300], other[300];
		snprintf(list, sizeof list, "channels:\n" ENTRY "%s}\n  - {name: B, kind: mail, source: RFC 2, %s}\n", same[i],
		         same[i]);
		assert_null(make(NULL, list));
		assert_non_null(strstr(first_error, "shipped.yaml:3:12: '"));
		assert_non_null(strstr(first_error, "stands in shipped.yaml:2 already"));
		/* a site's own entry goes before */
		snprintf(list, sizeof list, "channels:\n" ENTRY "%s}\n", same[i]);
		snprintf(other, sizeof other, "channels:\n  - {name: B, kind: mail, source: RFC 2, %s}\n", same[i]);
		struct channels *c = make(list, other);
		assert_non_null(c);
		const struct channel_query q = {.host = "x.a.com", .app = "L", .content = "[{\"word\":\"w\"}]", .proto = 6,
		                                .port = {15, 443}, .by_port = true};
		struct channel_result r;
		assert_true(channels_find(c, &q, &r) || i >= 4);
		for (unsigned k = 0; k < r.count; k++)
			assert_string_equal(r.hit[k].channel->name, "A");
		channels_free(c);
	}
	assert_null(make(NULL, "channels:\n" ENTRY "ports: [tcp/10-20]}\n  - {name: B, kind: mail, source: RFC 2, ports: [tcp/20]}\n"));
	assert_null(make(NULL, "providers:\n  - {name: P, jurisdiction: MX, source: RFC 1}\n"
	                       "  - {name: P, jurisdiction: ES, source: RFC 1}\n"));
	assert_non_null(strstr(first_error, "is a provider twice"));
	assert_null(make(NULL, "providers:\n  - {name: P, jurisdiction: MX, asns: [64500], source: RFC 1}\n"
	                       "  - {name: Q, jurisdiction: ES, asns: [AS64500], source: RFC 1}\n"));
	assert_non_null(strstr(first_error, "'AS64500' belongs to two providers"));
}

static const char lists[] =
    "providers:\n"
    "  - {name: Cloud, jurisdiction: MX, hosts: [cloud.example], asns: [64500], source: RFC 1}\n"
    "  - {name: Other, jurisdiction: ES, asns: [64501], source: RFC 1}\n"
    "channels:\n"
    "  - name: Store\n"
    "    kind: cloud-storage\n"
    "    provider: Cloud\n"
    "    hosts: [\"{bucket}.oss-{region}-internal.cloud.example\", \"{bucket}.oss-{region}.cloud.example\",\n"
    "            \"oss-{region}.cloud.example\", \"{bucket}.s3.cloud.example\", \"rs-*.cloud.example\"]\n"
    "    source: RFC 1\n"
    "  - {name: Tool, kind: remote-maintenance, hosts: [tool.example, relay.tool.example], ports: [tcp/5938],\n"
    "     labels: [Tool], source: RFC 1}\n"
    "  - {name: Resolver, kind: encrypted-dns, addresses: [192.0.2.53, \"2001:db8::53\"], source: RFC 1}\n"
    "  - {name: DoT, kind: encrypted-dns, ports: [tcp/853], labels: [DoH_DoT], source: RFC 1}\n"
    "  - {name: Relay, kind: vpn, content: [relay-word], ports: [udp/9993, esp], source: RFC 1}\n";

struct expected {
	const char *host, *channel, *bucket, *region, *provider;
};

static void host_names(void **state)
{
	(void)state;
	static const struct expected all[] = {
	    {"b1.oss-cn-north.cloud.example", "Store", "b1", "cn-north", "Cloud"},
	    {"b1.oss-cn-north.cloud.example.", "Store", "b1", "cn-north", "Cloud"},
	    {"a.dotted.bucket.oss-x.cloud.example", "Store", "a.dotted.bucket", "x", "Cloud"},
	    {"b1.oss-cn-internal.cloud.example", "Store", "b1", "cn", "Cloud"},
	    {"oss-cn.cloud.example", "Store", "", "cn", "Cloud"},
	    {"b.s3.cloud.example", "Store", "b", "", "Cloud"},
	    {"rs-ny.cloud.example", "Store", "", "", "Cloud"},
	    {"under.rs-ny.cloud.example", "Store", "", "", "Cloud"},
	    /* nothing stands for the region */
	    {"b1.oss-.cloud.example", NULL, "", "", "Cloud"},
	    {"b1.oss-a_b.cloud.example", NULL, "", "", "Cloud"},
	    {"s3.cloud.example", NULL, "", "", "Cloud"},
	    {"cloud.example", NULL, "", "", "Cloud"},
	    {"tool.example", "Tool", "", "", NULL},
	    {"a.b.c.tool.example", "Tool", "", "", NULL},
	    /* whole labels only */
	    {"nottool.example", NULL, "", "", NULL},
	    {"tool.example.org", NULL, "", "", NULL},
	    {"example", NULL, "", "", NULL},
	    {"", NULL, "", "", NULL},
	    {".", NULL, "", "", NULL},
	    {"..tool.example", "Tool", "", "", NULL},
	    {"tool..example", NULL, "", "", NULL},
	    /* a bucket that is no name is not repeated */
	    {"b\"1\x01.s3.cloud.example", "Store", "", "", "Cloud"},
	    {"\xff\xfe.s3.cloud.example", "Store", "", "", "Cloud"},
	};
	struct channels *c = make(NULL, lists);
	assert_non_null(c);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct channel_result r;
		const struct channel_query q = {.host = all[i].host};
		(void)channels_find(c, &q, &r);
		const char *channel = r.count > 0 ? r.hit[0].channel->name : NULL;
		const char *provider = r.provider != NULL ? r.provider->name : NULL;
		if ((channel == NULL) != (all[i].channel == NULL) || (channel != NULL && strcmp(channel, all[i].channel) != 0) ||
		    (provider == NULL) != (all[i].provider == NULL))
			fail_msg("%s: %s of %s", all[i].host, channel != NULL ? channel : "nothing",
			         provider != NULL ? provider : "nobody");
		if (channel != NULL) {
			assert_string_equal(r.hit[0].bucket, all[i].bucket);
			assert_string_equal(r.hit[0].region, all[i].region);
			assert_int_equal(r.hit[0].by, CHANNEL_BY_HOST);
		}
	}
	channels_free(c);
}

static void other_ways(void **state)
{
	(void)state;
	struct channels *c = make(NULL, lists);
	struct channel_result r;
	struct channel_query q = {.app = "TLS.Tool", .proto = 6, .port = {443, 0}};
	assert_non_null(c);
	assert_true(channels_find(c, &q, &r));
	assert_string_equal(r.hit[0].channel->name, "Tool");
	assert_int_equal(r.hit[0].by, CHANNEL_BY_LABEL);
	assert_null(r.provider);
	/* who asks for a tool's name does not use the tool yet */
	q.app = "DNS.Tool";
	assert_false(channels_find(c, &q, &r));
	/* two kinds stand side by side */
	q = (struct channel_query){.app = "TLS.Tool", .host = "b.s3.cloud.example", .content = "[{\"word\":\"relay-word\",\"detail\":\"x\"}]"};
	assert_true(channels_find(c, &q, &r));
	assert_int_equal(r.count, 3);
	/* a port is the last resort: when nothing else is known, and payload went */
	q = (struct channel_query){.app = "Unknown", .proto = 6, .port = {5938, 0}};
	assert_false(channels_find(c, &q, &r));
	q.by_port = true;
	assert_true(channels_find(c, &q, &r));
	assert_int_equal(r.hit[0].by, CHANNEL_BY_PORT);
	q.proto = 17;
	assert_false(channels_find(c, &q, &r));
	q.proto = 6;
	q.app = "HTTP";
	assert_false(channels_find(c, &q, &r));
	q = (struct channel_query){.app = "TLS", .proto = 6, .port = {51000, 853}, .by_port = true};
	assert_true(channels_find(c, &q, &r));
	assert_string_equal(r.hit[0].channel->name, "DoT");
	/* an address counts on 443, not on 53 */
	q = (struct channel_query){.app = "TLS", .proto = 6, .port = {443, 0}};
	assert_int_equal(addr_parse("192.0.2.53", &q.peer), 0);
	assert_true(channels_find(c, &q, &r));
	assert_string_equal(r.hit[0].channel->name, "Resolver");
	q.port[0] = 53;
	assert_false(channels_find(c, &q, &r));
	/* the network says who, not what */
	q = (struct channel_query){.asn = 64501, .app = "TLS", .proto = 6, .port = {443, 0}};
	assert_true(channels_find(c, &q, &r));
	assert_int_equal(r.count, 0);
	assert_string_equal(r.provider->jurisdiction, "ES");
	assert_int_equal(r.provider_by, CHANNEL_BY_ASN);
	/* the name goes before the network */
	q.host = "x.cloud.example";
	assert_true(channels_find(c, &q, &r));
	assert_string_equal(r.provider->jurisdiction, "MX");
	channels_free(c);
}

/* Any bytes at all, around names that are listed. */
static void hostile_names(void **state)
{
	(void)state;
	static const char pieces[][24] = {".", "..", "oss-", "s3", "cloud", "example", "tool", "-", "{bucket}", "{region}",
	                                  "*", "\xc3\xb1", "\x01", "%s", "a", "oss-cn", "-internal"};
	struct channels *c = make(NULL, lists);
	uint32_t seed = 7;
	assert_non_null(c);
	for (int round = 0; round < 20000; round++) {
		char host[600];
		size_t n = 0;
		for (unsigned i = 0; i < 3 + seed % 40 && n < sizeof host - 30; i++) {
			seed = seed * 1664525u + 1013904223u;
			n += (size_t)snprintf(host + n, sizeof host - n, "%s", pieces[(seed >> 8) % (sizeof pieces / sizeof pieces[0])]);
		}
		if (seed % 3 == 0)
			snprintf(host + n, sizeof host - n, ".cloud.example");
		struct channel_result r;
		const struct channel_query q = {.host = host};
		(void)channels_find(c, &q, &r);
		for (unsigned i = 0; i < r.count; i++) {
			for (const char *p = r.hit[i].bucket; *p != '\0'; p++)
				assert_true(*p > ' ' && *p < 0x7f);
			assert_true(strlen(r.hit[i].region) < CHANNEL_REGION_MAX);
		}
	}
	char labels[300];
	for (size_t i = 0; i < sizeof labels - 1; i++)
		labels[i] = i % 2 == 0 ? 'a' : '.';
	labels[sizeof labels - 1] = '\0';
	struct channel_result r;
	const struct channel_query q = {.host = labels};
	assert_false(channels_find(c, &q, &r));
	channels_free(c);
}

/* What is installed is whole, and names a source for each entry. */
static void shipped(void **state)
{
	(void)state;
	struct config_channels all = {0};
	struct config_errors errors = {0};
	struct channels *c = NULL;
	assert_int_equal(config_channels_load(NULL, 0, "signatures/channels", &all, &errors), 0);
	assert_true(all.file_count >= 8);
	size_t entries = 0, kinds[8] = {0};
	for (size_t f = 0; f < all.file_count; f++) {
		for (size_t i = 0; i < all.files[f]->channel_count; i++, entries++) {
			const struct config_channel *k = &all.files[f]->channels[i];
			assert_true(k->source_count > 0);
			for (size_t s = 0; s < k->source_count; s++)
				assert_null(strstr(k->sources[s], "site: "));
			for (size_t n = 0; config_channel_kinds[n] != NULL; n++)
				kinds[n] += strcmp(k->kind, config_channel_kinds[n]) == 0;
		}
	}
	for (size_t n = 0; config_channel_kinds[n] != NULL; n++) {
		const int d = detect_find(config_channel_kinds[n]);
		assert_true(d >= 0 && detect_word((enum detection)d)->group == DETECT_CHANNEL);
		assert_true(kinds[n] > 0);
	}
	const int err = channels_new(&all, &c, &errors);
	if (err != 0)
		fail_msg("%s", errors.count > 0 ? errors.text[0] : err_str(err));
	assert_int_equal(channels_count(c), entries);
	static const struct expected names[] = {
	    {"images.oss-cn-hangzhou.aliyuncs.com", "Alibaba Cloud OSS", "images", "cn-hangzhou", "CN"},
	    {"images.oss-cn-hangzhou-internal.aliyuncs.com", "Alibaba Cloud OSS", "images", "cn-hangzhou", "CN"},
	    {"images.oss-accelerate.aliyuncs.com", "Alibaba Cloud OSS", "images", "", "CN"},
	    {"b-1250000000.cos.ap-beijing.myqcloud.com", "Tencent Cloud COS", "b-1250000000", "ap-beijing", "CN"},
	    {"b-1250000000.cos.accelerate.myqcloud.com", "Tencent Cloud COS", "b-1250000000", "", "CN"},
	    {"b.obs.la-north-2.myhuaweicloud.com", "Huawei Cloud OBS", "b", "la-north-2", NULL},
	    {"b.bj.bcebos.com", "Baidu BOS", "b", "bj", NULL},
	    {"my.dotted.bucket.s3.us-west-2.amazonaws.com", "Amazon S3", "my.dotted.bucket", "us-west-2", NULL},
	    {"b.s3.amazonaws.com", "Amazon S3", "b", "", NULL},
	    {"b.s3.dualstack.eu-west-1.amazonaws.com", "Amazon S3", "b", "eu-west-1", NULL},
	    {"b.s3.cn-north-1.amazonaws.com.cn", "Amazon S3 (China)", "b", "cn-north-1", NULL},
	    {"account.blob.core.windows.net", "Azure Storage", "account", "", NULL},
	    {"b.storage.googleapis.com", "Google Cloud Storage", "b", "", NULL},
	    {"b.s3.us-west-004.backblazeb2.com", "Backblaze B2", "b", "us-west-004", NULL},
	    {"content.dropboxapi.com", "Dropbox", "", "", NULL},
	    {"router12.teamviewer.com", "TeamViewer", "", "", "DE"},
	    {"relay-1a2b.net.anydesk.com", "AnyDesk", "", "", NULL},
	    {"rs-sg.rustdesk.com", "RustDesk", "", "", NULL},
	    {"dns.quad9.net", "Quad9", "", "", "CH"},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct channel_result r;
		const struct channel_query q = {.host = names[i].host};
		assert_true(channels_find(c, &q, &r));
		assert_string_equal(r.hit[0].channel->name, names[i].channel);
		assert_string_equal(r.hit[0].bucket, names[i].bucket);
		assert_string_equal(r.hit[0].region, names[i].region);
		if (names[i].provider != NULL)
			assert_string_equal(r.provider->jurisdiction, names[i].provider);
	}
	/* ordinary names are none of these */
	static const char *const plain[] = {"www.example.com", "deb.debian.org", "ec2.us-east-1.amazonaws.com", "login.microsoftonline.com",
	                                    "windows.net", "www.google.com"};
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		struct channel_result r;
		const struct channel_query q = {.host = plain[i]};
		assert_false(channels_find(c, &q, &r));
	}
	channels_free(c);
}

static void found(void **state)
{
	(void)state;
	char path[4096];
	assert_int_equal(setenv("GARITA_SIGNATURES", "signatures", 1), 0);
	assert_int_equal(config_signatures_find("channels", path, sizeof path), 0);
	assert_string_equal(path, "signatures/channels");
	assert_int_equal(config_signatures_find("nothing", path, sizeof path), ERR_NOTFOUND);
	assert_int_equal(setenv("GARITA_SIGNATURES", "/nonexistent", 1), 0);
	assert_int_equal(config_signatures_find("channels", path, sizeof path), ERR_NOTFOUND);
	unsetenv("GARITA_SIGNATURES");
	/* a file of the site that is not there is said */
	struct config_channels all = {0};
	struct config_errors errors = {0};
	char *const files[] = {(char *)(uintptr_t)"/nonexistent/list.yaml"};
	assert_int_equal(config_channels_load(files, 1, NULL, &all, &errors), ERR_IO);
	assert_non_null(strstr(errors.text[0], "/nonexistent/list.yaml: cannot be read"));
	config_errors_done(&errors);
	config_channels_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refused),    cmocka_unit_test(twice),   cmocka_unit_test(host_names),
	    cmocka_unit_test(other_ways), cmocka_unit_test(hostile_names), cmocka_unit_test(shipped),
	    cmocka_unit_test(found),
	};
	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
