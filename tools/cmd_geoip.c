/* cmd_geoip.c - garita geoip build: the country database from Debian's
 * tor-geoipdb. The work is done by a Perl program beside this one, because
 * Debian has a writer of the format for Perl and none for C. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

#define SCRIPT "build-country.pl"

enum { OPT_V4 = TOOL_OPT_OWN, OPT_V6 };

struct geoip_options {
	struct tool_options tool;
	const char *output, *v4, *v6;
};

static void usage(FILE *to)
{
	fputs("usage: garita geoip build [-o FILE] [-c site.yaml | --db DIR] [--v4 FILE] [--v6 FILE]\n"
	      "Make the country database from the package tor-geoipdb. Without -o it is written to\n"
	      "geoip/country.mmdb in the data directory; a running garitad takes it up by itself.\n",
	      to);
}

/* The installed program, else that of the source tree the binary lies in. */
static int find_script(char *buf, size_t size)
{
	char exe[PATH_MAX];
	if (snprintf(buf, size, "%s/share/garita/geoip/%s", GARITA_PREFIX, SCRIPT) < (int)size && access(buf, R_OK) == 0)
		return 0;
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n <= 0)
		return ERR_NOTFOUND;
	exe[n] = '\0';
	const int w = snprintf(buf, size, "%s/../tools/geoip/%s", dirname(exe), SCRIPT);
	return w > 0 && (size_t)w < size && access(buf, R_OK) == 0 ? 0 : ERR_NOTFOUND;
}

static int find_output(const struct geoip_options *o, char *buf, size_t size)
{
	char db[PATH_MAX];
	if (o->output != NULL) {
		const int n = snprintf(buf, size, "%s", o->output);
		return n > 0 && (size_t)n < size ? 0 : ERR_INVALID;
	}
	const int e = tool_db_path(&o->tool, db, sizeof db);
	if (e < 0)
		return e;
	const int n = snprintf(buf, size, "%s/geoip/country.mmdb", dirname(db));
	return n > 0 && (size_t)n < size ? 0 : ERR_INVALID;
}

static int run_script(const struct geoip_options *o, const char *script, const char *output)
{
	const char *argv[9] = {"perl", script, "--output", output};
	size_t n = 4;
	if (o->v4 != NULL) {
		argv[n++] = "--v4";
		argv[n++] = o->v4;
	}
	if (o->v6 != NULL) {
		argv[n++] = "--v6";
		argv[n++] = o->v6;
	}
	const pid_t pid = fork();
	if (pid == 0) {
		execvp("perl", (char *const *)(uintptr_t)argv);
		tool_error("geoip", "perl: %s (apt install perl)", strerror(errno));
		_exit(EXIT_FAILED);
	}
	int status = 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	if (pid < 0) {
		tool_error("geoip", "cannot start perl: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_geoip(int argc, char **argv)
{
	static const struct option options[] = {
	    TOOL_LONG, {"output", required_argument, NULL, 'o'}, {"v4", required_argument, NULL, OPT_V4},
	    {"v6", required_argument, NULL, OPT_V6}, {0}};
	struct geoip_options o = {.tool.verb = "geoip"};
	for (int c; (c = getopt_long(argc, argv, TOOL_SHORT "o:", options, NULL)) != -1;) {
		const int e = tool_option(&o.tool, c, optarg);
		if (e == 0)
			continue;
		if (c == 'o')
			o.output = optarg;
		else if (c == OPT_V4)
			o.v4 = optarg;
		else if (c == OPT_V6)
			o.v6 = optarg;
		else
			return EXIT_USAGE;
	}
	if (o.tool.help) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (optind + 1 != argc || strcmp(argv[optind], "build") != 0) {
		usage(stderr);
		return EXIT_USAGE;
	}
	char script[PATH_MAX + 64], output[PATH_MAX];
	if (find_script(script, sizeof script) < 0) {
		tool_error("geoip", "%s is neither in %s/share/garita/geoip nor beside this program", SCRIPT, GARITA_PREFIX);
		return EXIT_FAILED;
	}
	if (find_output(&o, output, sizeof output) < 0)
		return EXIT_USAGE;
	return run_script(&o, script, output);
}
