/* main.c - garitad: options, configuration, run. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "judge/channel.h"
#include "sense/capture.h"
#include "sense/dpi.h"
#include "supervisor.h"

#define SITE_YAML "/etc/garita/site.yaml"
#define NAMES_MAX_GIVEN 1000

struct options {
	const char *config_path, *filter, *data_dir;
	const char *interfaces[NAMES_MAX_GIVEN], *files[NAMES_MAX_GIVEN];
	size_t interface_count, file_count;
	bool test_only, json;
	unsigned workers;   /* 0: of the configuration */
};

static const char usage[] =
	"usage: garitad [-c site.yaml] [-i IFACE]... [-r FILE]... [-f BPF] [-D DATADIR] [-w WORKERS]\n"
	"               [--format table|json] [-T] [-v] [-V] [-h]\n"
	"  -c FILE   the configuration (default " SITE_YAML ")\n"
	"  -i IFACE  capture here, instead of capture.interfaces of the configuration\n"
	"  -r FILE   replay this capture file, - for standard input, and exit\n"
	"  -f BPF    look only at frames that match, VLAN tagged or not\n"
	"  -D DIR    where garita.db lies, instead of data_dir of the configuration\n"
	"  -w N      number of workers, instead of capture.workers\n"
	"  --format  of the accounting that a replay prints\n"
	"  -T        test the configuration and exit\n"
	"  -v        say more;  -V  print the version;  -h  this help\n"
	"See garitad(8) and garita-site.yaml(5).\n";

static int bad_usage(const char *what, const char *arg)
{
	fprintf(stderr, "garitad: %s%s%s\n%s", what, arg != NULL ? ": " : "", arg != NULL ? arg : "", usage);
	return EXIT_USAGE;
}

static bool add_name(const char **names, size_t *count, const char *name)
{
	if (*count == NAMES_MAX_GIVEN)
		return false;
	names[(*count)++] = name;
	return true;
}

/* One option. -1: go on, else the exit code. */
static int take_option(struct options *o, int opt)
{
	char *end;
	switch (opt) {
	case 'c':
		o->config_path = optarg;
		return -1;
	case 'i':
		return add_name(o->interfaces, &o->interface_count, optarg) ? -1 : bad_usage("too many -i", NULL);
	case 'r':
		return add_name(o->files, &o->file_count, optarg) ? -1 : bad_usage("too many -r", NULL);
	case 'f':
		o->filter = optarg;
		return -1;
	case 'D':
		o->data_dir = optarg;
		return -1;
	case 'w':
		o->workers = (unsigned)strtoul(optarg, &end, 10);
		if (*end != '\0' || o->workers < 1 || o->workers > 32)
			return bad_usage("-w takes a number from 1 to 32", optarg);
		return -1;
	case 'F':
		if (strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
			return bad_usage("--format takes table or json", optarg);
		o->json = strcmp(optarg, "json") == 0;
		return -1;
	case 'T':
		o->test_only = true;
		return -1;
	case 'v':
		log_set_level(LOG_DEBUG);
		return -1;
	case 'V':
		printf("garitad %s, %s\n", GARITA_VERSION, dpi_version());
		return EXIT_DONE;
	case 'h':
		fputs(usage, stdout);
		return EXIT_DONE;
	default:
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"format", required_argument, NULL, 'F'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;
	while ((opt = getopt_long(argc, argv, "c:i:r:f:D:w:TvVh", longs, NULL)) != -1) {
		const int rc = take_option(o, opt);
		if (rc >= 0)
			return rc;
	}
	if (optind < argc)
		return bad_usage("unknown argument", argv[optind]);
	if (o->interface_count > 0 && o->file_count > 0)
		return bad_usage("-i and -r exclude each other", NULL);
	return -1;
}

static int load(const struct options *o, struct config **ret)
{
	struct config_errors errors = {0};
	const int rc = config_load(o->config_path, ret, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	if (rc != 0 && errors.count == 0)
		fprintf(stderr, "garitad: %s: %s\n", o->config_path, err_str(rc));
	config_errors_done(&errors);
	return rc;
}

static int check_filter(const char *filter)
{
	char err[400];
	if (filter == NULL || capture_check_filter(filter, err, sizeof err) == 0)
		return 0;
	fprintf(stderr, "garitad: filter \"%s\": %s (see pcap-filter(7))\n", filter, err);
	return ERR_INVALID;
}

/* The judge reads them again; here everything that is wrong with them is said,
 * before anything is watched. */
static int check_channels(const struct config *config)
{
	struct config_errors errors = {0};
	struct channels *channels = NULL;
	bool found;
	const int rc = channels_load(config, &channels, &found, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	channels_free(channels);
	return rc;
}

int main(int argc, char **argv)
{
	static struct options o = {.config_path = SITE_YAML};
	int code = parse_options(argc, argv, &o);
	if (code >= 0)
		return code;
	struct config *config;
	int rc = load(&o, &config);
	if (rc == 0)
		rc = check_channels(config);
	if (rc != 0)
		return rc == ERR_NOMEM ? EXIT_FAILED : EXIT_USAGE;
	if (o.workers != 0)
		config->capture.workers = o.workers;
	const char *filter = o.filter != NULL ? o.filter : config->capture.filter;
	if (check_filter(filter) != 0)
		return EXIT_USAGE;
	for (size_t i = 0; o.file_count == 0 && o.interface_count == 0 && i < config->capture.interface_count; i++) {
		if (i < NAMES_MAX_GIVEN)
			o.interfaces[i] = config->capture.interfaces[i].name;
	}
	if (o.file_count == 0 && o.interface_count == 0)
		o.interface_count = config->capture.interface_count;
	if (o.test_only) {
		printf("%s: good, policy %s\n", o.config_path, config->hash_text);
		config_free(config);
		return EXIT_DONE;
	}
	if (o.file_count == 0 && o.interface_count == 0)
		return bad_usage("nothing to watch: give -i, -r, or capture.interfaces in the configuration", NULL);
	const struct garitad_options options = {
		.config = config,
		.config_path = o.config_path,
		.interfaces = o.interfaces,
		.interface_count = o.interface_count,
		.files = o.files,
		.file_count = o.file_count,
		.filter = filter,
		.data_dir = o.data_dir != NULL ? o.data_dir : config->data_dir,
		.json = o.json,
	};
	code = supervisor_run(&options);
	config_free(config);
	return code;
}
