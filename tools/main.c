/* garita - everything a person does with what garitad recorded. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "text.h"

/* A verb whose file is not part of a build has no address. */
#pragma weak cmd_transfers
#pragma weak cmd_findings
#pragma weak cmd_show
#pragma weak cmd_status
#pragma weak cmd_equipment
#pragma weak cmd_policy
#pragma weak cmd_geoip
#pragma weak cmd_maintenance
#pragma weak cmd_signatures
#pragma weak cmd_verify
#pragma weak cmd_ledger
#pragma weak cmd_report
#pragma weak cmd_self_test
#pragma weak cmd_review
#pragma weak cmd_suppress

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	enum text help;
};

static const struct verb verbs[] = {
	{"transfers", cmd_transfers, TEXT_HELP_TRANSFERS},
	{"findings", cmd_findings, TEXT_HELP_FINDINGS},
	{"show", cmd_show, TEXT_HELP_SHOW},
	{"review", cmd_review, TEXT_HELP_REVIEW},
	{"suppress", cmd_suppress, TEXT_HELP_SUPPRESS},
	{"evidence", cmd_evidence, TEXT_HELP_EVIDENCE},
	{"status", cmd_status, TEXT_HELP_STATUS},
	{"equipment", cmd_equipment, TEXT_HELP_EQUIPMENT},
	{"maintenance", cmd_maintenance, TEXT_HELP_MAINTENANCE},
	{"report", cmd_report, TEXT_HELP_REPORT},
	{"self-test", cmd_self_test, TEXT_HELP_SELF_TEST},
	{"policy", cmd_policy, TEXT_HELP_POLICY},
	{"signatures", cmd_signatures, TEXT_HELP_SIGNATURES},
	{"verify", cmd_verify, TEXT_HELP_VERIFY},
	{"ledger", cmd_ledger, TEXT_HELP_LEDGER},
	{"geoip", cmd_geoip, TEXT_HELP_GEOIP},
};

static void usage(FILE *to, const char *lang)
{
	fprintf(to, "%s\n", text(lang, TEXT_USAGE));
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (verbs[i].run != NULL)
			fprintf(to, "  %-12s%s\n", verbs[i].name, text(lang, verbs[i].help));
	}
	fprintf(to, "%s\n", text(lang, TEXT_USAGE_END));
}

int main(int argc, char **argv)
{
	/* Only for the width of characters: numbers and dates are ours. */
	if (setlocale(LC_CTYPE, "") == NULL)
		setlocale(LC_CTYPE, "C.UTF-8");
	const struct tool_options none = {0};
	const char *lang = tool_lang(&none);
	if (argc < 2) {
		usage(stderr, lang);
		return EXIT_USAGE;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		usage(stdout, lang);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		printf("garita %s\n", GARITA_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (verbs[i].run != NULL && strcmp(verbs[i].name, name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	}
	tool_error(name, "%s", text(lang, TEXT_NO_SUCH_VERB));
	usage(stderr, lang);
	return EXIT_USAGE;
}
