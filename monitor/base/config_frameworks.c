#include "base/config_frameworks.h"

#include <stdlib.h>

#include "base/config_list.h"

const char *const config_evidence[] = {
	"bytes-by-verdict", "encrypted-share", "external-systems", "unapproved", "approvals", "agreements", "maintenance",
	"exfiltration-test", "coverage", "findings", "detections", "review", "machines", "listening", "clock", "records",
	"retention", "ledger", "checkpoints", "new-destinations", NULL};

static void parse_evidence(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	value_word(x, n, key, config_evidence, "a measure of garita-frameworks(5)", out);
}

static const struct config_type type_evidence = {"measure", sizeof(char *), parse_evidence};

/* clang-format off */
#define END {.name = NULL}
#define IN(s, f) .offset = offsetof(struct s, f)
#define LIST_OF(s, f, c) .offset = offsetof(struct s, f), .count_offset = offsetof(struct s, c), \
	.size = sizeof(*((struct s *)0)->f)
#define M KEY_MANDATORY
#define L (KEY_LIST | KEY_NOT_EMPTY)

static const struct config_key control_keys[] = {
	{"id",       &type_text,     NULL, M, IN(config_control, id), .max = CONFIG_ID_MAX},
	{"title",    &type_text,     NULL, M, IN(config_control, title), .max = 400},
	{"title_es", &type_text,     NULL, 0, IN(config_control, title_es), .max = 400},
	{"evidence", &type_evidence, NULL, M | L, LIST_OF(config_control, evidence, evidence_count), .max = 16},
	{"note",     &type_text,     NULL, 0, IN(config_control, note), .max = 400},
	END
};

static const struct config_key framework_keys[] = {
	{"framework", &type_text,   NULL, M, IN(config_framework, name), .max = CONFIG_ID_MAX},
	{"edition",   &type_text,   NULL, 0, IN(config_framework, edition), .max = CONFIG_ID_MAX},
	{"source",    &type_text,   NULL, M | L, LIST_OF(config_framework, sources, source_count), .max = 400},
	{"controls",  NULL, control_keys, M | L, LIST_OF(config_framework, controls, control_count), .max = 1000},
	END
};
/* clang-format on */

int config_frameworks_parse(struct config_frameworks *f, const char *name, const char *text, struct config_errors *errors)
{
	static const struct config_list_kind kind = {framework_keys, "list of controls", sizeof(struct config_framework), NULL};
	void *filled = NULL;
	const char *kept = NULL;
	const int err = config_list_parse(&kind, name, text, &filled, &kept, errors);
	if (err != 0)
		return err;
	struct config_framework **grown = realloc(f->all, (f->count + 1) * sizeof(struct config_framework *));
	if (grown == NULL) {
		config_list_free(filled);
		return ERR_NOMEM;
	}
	f->all = grown;
	f->all[f->count++] = filled;
	return 0;
}

static int take(void *ctx, const char *name, const char *text, bool site, struct config_errors *errors)
{
	(void)site;
	return config_frameworks_parse(ctx, name, text, errors);
}

int config_frameworks_load(char *const *site_files, size_t site_count, const char *folder, struct config_frameworks *ret,
                           struct config_errors *errors)
{
	const struct config_list_taker to = {take, ret};
	*ret = (struct config_frameworks){0};
	*errors = (struct config_errors){0};
	return config_list_load(site_files, site_count, folder, &to, errors);
}

void config_frameworks_done(struct config_frameworks *f)
{
	for (size_t i = 0; i < f->count; i++)
		config_list_free(f->all[i]);
	free(f->all);
	*f = (struct config_frameworks){0};
}

int config_frameworks_find(char *buf, size_t size)
{
	return config_list_find("GARITA_FRAMEWORKS", "tools/report", "frameworks", buf, size);
}
