/* garita signatures - rules and recognisers for contents: are they right, what
 * do they say of these bytes, which are there? */
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "cmd.h"
#include "cmd_signatures.h"
#include "format.h"
#include "rules.h"
#include "text.h"
#include "translate.h"

#define DEFAULT_CONFIG "/etc/garita/site.yaml"

const char *signatures_said(const struct asked_signatures *a, const char *msgid)
{
	return tr(tool_lang(&a->o), msgid);
}

static int usage(const struct asked_signatures *a, FILE *to)
{
	fputs(signatures_said(a,
	      "usage: garita signatures check [FILE...]   are the rules right? without FILE: those in force\n"
	      "       garita signatures test FILE...      what is recognised in a file, or in a capture's flows\n"
	      "       garita signatures list              each word, and each rule, with its source\n"
	      "           [-c FILE] [--format table|json|csv] [--lang en|es]\n"),
	      to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* --- rows: word or rule, where, detail, source --- */

int signatures_begin(struct asked_signatures *a, const char *const columns[static 3])
{
	json_init(&a->json);
	memcpy(a->columns, columns, sizeof a->columns);
	if (a->o.format == FORMAT_TABLE) {
		a->heads[0] = (struct column){columns[0], 0, 0, false};
		a->heads[1] = (struct column){columns[1], 16, 0, false};
		a->heads[2] = (struct column){columns[2], 20, 0, false};
		a->table = table_new(stdout, a->heads, 3, 0);
		return a->table != NULL ? 0 : ERR_NOMEM;
	}
	for (int i = 0; a->o.format == FORMAT_CSV && i < 3; i++)
		format_csv(stdout, columns[i], i == 0);
	if (a->o.format == FORMAT_CSV)
		fputs("\r\n", stdout);
	return 0;
}

void signatures_row(struct asked_signatures *a, const char *const values[static 3])
{
	static const enum format_colour colours[3] = {COLOUR_NONE, COLOUR_NONE, COLOUR_DIM};
	if (a->o.format == FORMAT_TABLE) {
		(void)!table_row(a->table, values, colours);
		return;
	}
	if (a->o.format == FORMAT_CSV) {
		for (int i = 0; i < 3; i++)
			format_csv(stdout, values[i], i == 0);
		fputs("\r\n", stdout);
		return;
	}
	json_reset(&a->json);
	json_object(&a->json, NULL);
	for (int i = 0; i < 3; i++)
		if (values[i][0] != '\0')
			json_str(&a->json, a->columns[i], values[i]);
	json_object_end(&a->json);
	if (json_text(&a->json) != NULL)
		puts(json_text(&a->json));
}

static int end(struct asked_signatures *a, int code)
{
	table_end(a->table);
	json_done(&a->json);
	return fflush(stdout) != 0 && code == EXIT_DONE ? EXIT_FAILED : code;
}

/* --- check --- */

/* The configuration, where there is one; *ret stays NULL without. */
static int load_config(const struct asked_signatures *a, struct config **ret)
{
	struct config_errors errors = {0};
	const char *path = a->o.config != NULL ? a->o.config : DEFAULT_CONFIG;
	if (a->o.config == NULL && access(path, R_OK) != 0)
		return 0;
	const int code = config_load(path, ret, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	return code;
}

/* Files, or what is in force. Returns an enum exit_code. */
static int compile(const struct asked_signatures *a, char **files, int count, struct signatures **ret,
                   struct signature_report *report)
{
	struct config *cfg = NULL;
	uint8_t *bytes = NULL;
	size_t n = 0;
	int rc = count > 0 ? 0 : load_config(a, &cfg);
	if (rc != 0)
		return EXIT_USAGE;
	rc = count > 0 ? signatures_compile((const char *const *)files, (size_t)count, &bytes, &n, report)
	               : rules_compile(cfg, &bytes, &n, report);
	config_free(cfg);
	if (report->text != NULL)
		fputs(report->text, stderr);
	if (rc == 0 && ret != NULL)
		rc = signatures_load(bytes, n, ret);
	free(bytes);
	if (rc != 0 && report->text == NULL)
		tool_error("signatures", "%s", err_str(rc));
	return rc == 0 ? EXIT_DONE : rc == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int check(struct asked_signatures *a, char **files, int count)
{
	struct signature_report report = {.text = NULL};
	const char *lang = tool_lang(&a->o);
	char rules[TEXT_COUNT_MAX], in[TEXT_COUNT_MAX];
	const int code = compile(a, files, count, NULL, &report);
	if (code == EXIT_DONE)
		printf(signatures_said(a, "%s in %s: good\n"), text_count(lang, "{0} rule", "{0} rules", report.rules, rules),
		       text_count(lang, "{0} file", "{0} files", report.files, in));
	signature_report_done(&report);
	return code;
}

/* --- list --- */

struct builtin {
	const char *word, *means, *source;
};

static const struct builtin builtins[] = {
    {"dicom", N_("DICOM association"), "DICOM PS3.8, section 9.3"},
    {"dicos", N_("DICOS association"), "DICOM PS3.6: root 1.2.840.10008.5.1.4.1.1.501"},
    {"dicom-store", N_("an image is stored"), "DICOM PS3.7, section 9.3.1"},
    {"dicom-record", N_("its modality, its patient"), "DICOM PS3.5, section 7.1; PS3.6"},
    {"dicom-file", N_("DICOM file"), "DICOM PS3.10, section 7.1"},
    {"tiff", N_("TIFF or BigTIFF"), "libmagic"},
    {"hdf5", N_("HDF5"), "libmagic"},
    {"jpeg2000", N_("JPEG 2000"), "libmagic"},
    {"png", N_("PNG of 16 bits, or very large"), "ISO 15948, section 11.2.2"},
    {"jpeg", N_("JPEG of more than 8 bits, or very large"), "ITU-T T.81, annex B"},
    {"scan-record", N_("record of a cargo scan"), "IvanBrasilico/avatar, virasana"},
    {"container-number", N_("container number, check digit right"), "ISO 6346"},
    {"archive", N_("archive"), "APPNOTE 6.3; 7zFormat.txt; RAR technotes; RFC 1952, 8878; POSIX.1"},
    {"encrypted-archive", N_("encrypted archive"), "the same; age-encryption.org/v1; RFC 4880; openssl-enc(1)"},
    {"sql-dump", N_("a database written out"), "what mysqldump, pg_dump, sqlite3 write first"},
    {"database-file", N_("a database's file"), "sqlite.org/fileformat.html; libmagic"},
    {"database-replication", N_("a replica takes changes"), "MySQL client/server protocol; PostgreSQL protocol 3.0"},
};

static void list_rule(void *ctx, const struct signature_hit *hit)
{
	struct asked_signatures *a = ctx;
	char word[128];
	snprintf(word, sizeof word, "%s %s", object_word(hit->word), hit->rule);
	signatures_row(a, (const char *const[]){word, hit->description, hit->source});
}

static int list(struct asked_signatures *a)
{
	static const char *const keys[] = {"word", "means", "source"};
	const char *const heads[] = {signatures_said(a, "WORD"), signatures_said(a, "MEANS"), signatures_said(a, "SOURCE")};
	struct signature_report report = {.text = NULL};
	struct signatures *rules = NULL;
	const int code = compile(a, NULL, 0, &rules, &report);
	signature_report_done(&report);
	if (signatures_begin(a, a->o.format != FORMAT_TABLE ? keys : heads) != 0)
		return end(a, EXIT_FAILED);
	for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
		signatures_row(a, (const char *const[]){builtins[i].word, signatures_said(a, builtins[i].means),
		                                        builtins[i].source});
	if (rules != NULL)
		signatures_each(rules, list_rule, a);
	signatures_free(rules);
	return end(a, code);
}

/* --- test --- */

static int test(struct asked_signatures *a, char **files, int count)
{
	static const char *const keys[] = {"file", "word", "detail"};
	const char *const heads[] = {signatures_said(a, "FILE"), signatures_said(a, "WORD"), signatures_said(a, "DETAIL")};
	struct signature_report report = {.text = NULL};
	struct signatures *rules = NULL;
	int code = compile(a, NULL, 0, &rules, &report);
	signature_report_done(&report);
	if (code != EXIT_DONE)
		return code;
	if (signatures_begin(a, a->o.format != FORMAT_TABLE ? keys : heads) != 0)
		code = EXIT_FAILED;
	for (int i = 0; i < count && code != EXIT_FAILED; i++) {
		const int one = signatures_test_file(a, rules, files[i]);
		code = one != EXIT_DONE ? one : code;
	}
	signatures_free(rules);
	return end(a, code);
}

int cmd_signatures(int argc, char **argv)
{
	static const struct option longs[] = {TOOL_LONG, {NULL, 0, NULL, 0}};
	struct asked_signatures a = {.o = {.verb = "signatures"}};
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1)
		if (tool_option(&a.o, opt, optarg) != 0)
			return usage(&a, stderr);
	if (a.o.help)
		return usage(&a, stdout);
	const char *what = optind < argc ? argv[optind] : "";
	char **files = argv + optind + 1;
	const int count = argc - optind - 1;
	if (sodium_init() < 0)
		return EXIT_FAILED;
	if (strcmp(what, "check") == 0)
		return check(&a, files, count);
	if (strcmp(what, "list") == 0 && count == 0)
		return list(&a);
	if (strcmp(what, "test") == 0 && count > 0)
		return test(&a, files, count);
	return usage(&a, stderr);
}
