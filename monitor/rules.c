#include "rules.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_channels.h"
#include "base/log.h"

int rules_compile(const struct config *cfg, uint8_t **ret, size_t *ret_bytes, struct signature_report *report)
{
	char folder[PATH_MAX], installed[PATH_MAX + 8];
	const size_t site = cfg != NULL ? cfg->signatures.content_count : 0;
	const char **patterns = calloc(site + 1, sizeof *patterns);
	size_t count = 0;
	if (patterns == NULL)
		return ERR_NOMEM;
	if (config_signatures_find("content", folder, sizeof folder) == 0) {
		snprintf(installed, sizeof installed, "%s/*.yar", folder);
		patterns[count++] = installed;
	}
	for (size_t i = 0; i < site; i++)
		patterns[count++] = cfg->signatures.content[i];
	const int rc = signatures_compile(patterns, count, ret, ret_bytes, report);
	free(patterns);
	return rc;
}

static void say_lines(const char *text)
{
	while (text != NULL && *text != '\0') {
		const size_t n = strcspn(text, "\n");
		log_error("rules", "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

int rules_put(struct signature_page *page, const struct config *cfg)
{
	struct signature_report report = {.text = NULL};
	uint8_t *bytes = NULL;
	size_t n = 0;
	int rc = rules_compile(cfg, &bytes, &n, &report);
	say_lines(report.text);
	if (rc == 0 && report.rules > 0)
		rc = signature_page_put(page, bytes, n);
	if (rc == ERR_FULL)
		log_error("rules", "the rules for contents take %zu bytes, and %u are the limit", n, SIGNATURE_PAGE_BYTES);
	signature_report_done(&report);
	free(bytes);
	return rc;
}

void rules_reload(struct signature_page *page, const char *config_path)
{
	struct config *cfg = NULL;
	struct config_errors errors;
	/* what is wrong with it the judge says, and goes on with the old one */
	int rc = config_load(config_path, &cfg, &errors);
	config_errors_done(&errors);
	if (rc != 0)
		return;
	rc = rules_put(page, cfg);
	if (rc != 0)
		log_error("rules", "%s; the rules for contents that were in force stay", err_str(rc));
	else
		log_info("rules", "rules for contents read again");
	config_free(cfg);
}
