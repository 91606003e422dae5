/* Tree + table → struct config. Every error is reported, none stops the rest. */
#include <stdio.h>
#include <string.h>

#include "base/config_parts.h"

#define KEYS_MAX 32u /* of one table; asserted by test_config */

static void *at(void *base, size_t offset)
{
	return (unsigned char *)base + offset;
}

/* "name, sensor, timezone or language" */
static const char *key_list(struct config_ctx *x, const struct config_key *keys)
{
	char buf[400];
	size_t used = 0;
	for (const struct config_key *k = keys; k->name != NULL && used < sizeof buf; k++) {
		const char *sep = k == keys ? "" : k[1].name == NULL ? " or " : ", ";
		const int n = snprintf(buf + used, sizeof buf - used, "%s%s", sep, k->name);
		used += n > 0 ? (size_t)n : 0;
	}
	const char *kept = arena_text(x->scratch, buf, used < sizeof buf ? used : sizeof buf - 1);
	return kept != NULL ? kept : "";
}

static bool is_null(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->plain &&
	       (n->length == 0 || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

/* The map below these keys in which a key of that name is at home. */
static const char *home_of(const struct config_key *keys, const char *above, const char *name)
{
	const char *found = NULL;
	for (const struct config_key *k = keys; k->name != NULL && found == NULL; k++) {
		if (above != NULL && strcmp(k->name, name) == 0)
			found = above;
		else if (k->sub != NULL)
			found = home_of(k->sub, k->name, name);
	}
	return found;
}

static void report_unknown(struct config_ctx *x, const struct node *key, const struct config_key *keys)
{
	if (report_full(x))
		return;
	if (strcmp(key->text, "<<") == 0) {
		report(x, key,
		       "merge keys ('<<') are not supported; repeat the keys, or use an alias for a whole value");
		return;
	}
	struct nearest n;
	nearest_init(&n, key->text);
	for (const struct config_key *k = keys; k->name != NULL; k++)
		nearest_offer(&n, k->name);
	/* A typing mistake of a key of this map is likelier than a key in the
	 * wrong place, unless the word is exactly another map's key. */
	const char *home = home_of(keys, NULL, key->text);
	if (home == NULL)
		home = home_of(config_keys, NULL, key->text);
	if (home != NULL && n.distance > 1)
		report(x, key, "%s does not stand here; it is a key of '%s'", shown(x, key->text), home);
	else if (n.best != NULL)
		report(x, key, "unknown key %s%s", shown(x, key->text), nearest_said(x, &n));
	else
		report(x, key, "unknown key %s; here go %s", shown(x, key->text), key_list(x, keys));
}

static void read_map(struct config_ctx *x, const struct node *n, const struct config_key *table, void *base,
                     const char *what);

static void read_maps(struct config_ctx *x, const struct node *n, const struct config_key *key, void *base)
{
	unsigned char *items = arena_take(x->keep, n->count * key->size);
	if (items == NULL) {
		x->no_memory = true;
		return;
	}
	memcpy(at(base, key->offset), &items, sizeof items);
	memcpy(at(base, key->count_offset), &n->count, sizeof n->count);
	for (size_t i = 0; i < n->count; i++) {
		struct node *item = n->item[i];
		void *out = items + i * key->size;
		struct node name = {.kind = NODE_SCALAR,
		                    .text = (char *)(uintptr_t)key->sub[0].name,
		                    .line = item->line,
		                    .column = item->column};
		struct node *pair[2] = {&name, item};
		const struct node map = {
		    .kind = NODE_MAP, .line = item->line, .column = item->column, .item = pair, .count = 1};
		const bool brief = (key->flags & KEY_SHORT) != 0 && item->kind == NODE_SCALAR;
		read_map(x, brief ? &map : item, key->sub, out, key->name);
	}
}

static void read_values(struct config_ctx *x, const struct node *n, const struct config_key *key, void *base)
{
	const size_t count = n->kind == NODE_LIST ? n->count : 1;
	unsigned char *items = arena_take(x->keep, count * key->size);
	if (items == NULL) {
		x->no_memory = true;
		return;
	}
	memcpy(at(base, key->offset), &items, sizeof items);
	memcpy(at(base, key->count_offset), &count, sizeof count);
	for (size_t i = 0; i < count; i++) {
		const struct node *item = n->kind == NODE_LIST ? n->item[i] : n;
		mark_put(x, items + i * key->size, item);
		key->type->parse(x, item, key, items + i * key->size);
	}
}

static void read_list(struct config_ctx *x, const struct node *n, const struct config_key *key, void *base)
{
	const bool scalar_will_do = key->sub == NULL || (key->flags & KEY_SHORT) != 0;
	if (n->kind == NODE_MAP || (n->kind == NODE_SCALAR && !scalar_will_do)) {
		report(x, n, "'%s' must be a list; begin each item with '- '", key->name);
		return;
	}
	struct node *only[1] = {(struct node *)(uintptr_t)n};
	const struct node list = {
	    .kind = NODE_LIST, .line = n->line, .column = n->column, .item = only, .count = 1};
	if (n->kind == NODE_SCALAR && key->sub != NULL)
		n = &list;
	if (n->kind == NODE_LIST && n->count == 0) {
		if ((key->flags & KEY_NOT_EMPTY) != 0)
			report(x, n, "'%s' is an empty list; it needs at least one item", key->name);
		return;
	}
	if (n->kind == NODE_LIST && n->count > (size_t)key->max) {
		report(x, n, "'%s' has %zu items; the limit is %lld", key->name, n->count, (long long)key->max);
		return;
	}
	if (key->sub != NULL)
		read_maps(x, n, key, base);
	else
		read_values(x, n, key, base);
}

static void read_value(struct config_ctx *x, const struct node *n, const struct config_key *key, void *base)
{
	/* "hosts:" with all its items commented out would otherwise be one
	 * condition less, in silence. */
	if (is_null(n)) {
		report(x, n, "'%s' has no value; give it one, or take the key out", key->name);
		return;
	}
	if ((key->flags & KEY_LIST) != 0) {
		read_list(x, n, key, base);
	} else if (key->sub != NULL) {
		read_map(x, n, key->sub, at(base, key->offset), key->name);
	} else {
		if ((key->flags & KEY_WHOLE) == 0)
			mark_put(x, at(base, key->offset), n);
		key->type->parse(x, n, key, at(base, key->offset));
	}
}

static void set_defaults(struct config_ctx *x, const struct config_key *table, void *base)
{
	for (const struct config_key *k = table; k->name != NULL; k++) {
		if (k->standard != NULL) {
			char *text = arena_text(x->scratch, k->standard, strlen(k->standard));
			const struct node n = {.kind = NODE_SCALAR,
			                       .text = text,
			                       .length = strlen(k->standard),
			                       .line = 1,
			                       .column = 1};
			if (text == NULL)
				x->no_memory = true;
			else
				k->type->parse(x, &n, k, at(base, k->offset));
		} else if (k->sub != NULL && (k->flags & KEY_LIST) == 0) {
			set_defaults(x, k->sub, at(base, k->offset));
		}
	}
}

/* "the approval 'APR-1'", so that a message about something missing says where. */
static const char *name_of(struct config_ctx *x, const struct node *n, const char *what)
{
	for (size_t i = 0; n->kind == NODE_MAP && i < n->count; i++) {
		const struct node *key = n->item[2 * i], *value = n->item[2 * i + 1];
		if (key->kind != NODE_SCALAR || value->kind != NODE_SCALAR)
			continue;
		if (strcmp(key->text, "id") == 0 || (strcmp(key->text, "name") == 0 && strcmp(what, "site") != 0)) {
			char buf[120];
			const int used = snprintf(buf, sizeof buf, "'%s' %s", what, shown(x, value->text));
			const char *kept = arena_text(x->scratch, buf, used > 0 ? (size_t)used : 0);
			return kept != NULL ? kept : what;
		}
	}
	char buf[80];
	const int used = snprintf(buf, sizeof buf, "'%s'", what);
	const char *kept = arena_text(x->scratch, buf, used > 0 ? (size_t)used : 0);
	return kept != NULL ? kept : what;
}

static void read_map(struct config_ctx *x, const struct node *n, const struct config_key *table, void *base,
                     const char *what)
{
	const struct node *seen[KEYS_MAX] = {NULL};
	set_defaults(x, table, base);
	const size_t reports_before = x->report_count;
	if (table == config_approval_keys)
		((struct config_approval *)base)->line = n->line;
	if (n->kind != NODE_MAP) {
		report(x, n, "'%s' must hold keys: %s", what, key_list(x, table));
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		const struct node *key = n->item[2 * i], *value = n->item[2 * i + 1];
		if (key->kind != NODE_SCALAR) {
			report(x, key, "a key must be a word");
			continue;
		}
		size_t k = 0;
		while (table[k].name != NULL && strcmp(table[k].name, key->text) != 0)
			k++;
		if (table[k].name == NULL) {
			report_unknown(x, key, table);
		} else if (seen[k] != NULL) {
			report(x, key, "'%s' is said twice; first in line %u", table[k].name, seen[k]->line);
		} else {
			seen[k] = key;
			read_value(x, value, &table[k], base);
		}
	}
	for (size_t k = 0; table[k].name != NULL; k++)
		if (seen[k] == NULL && (table[k].flags & KEY_MANDATORY) != 0)
			report(x, n, "%s lacks '%s'", name_of(x, n, what), table[k].name);
	/* Tells config_check that this approval was read whole. */
	if (table == config_approval_keys && x->report_count == reports_before)
		mark_put(x, &((struct config_approval *)base)->line, n);
}

void config_read(struct config_ctx *x, const struct node *root)
{
	config_read_table(x, root, config_keys, x->cfg, "site.yaml");
}

void config_read_table(struct config_ctx *x, const struct node *root, const struct config_key *table, void *base,
                       const char *what)
{
	if (root->kind != NODE_MAP)
		report(x, root, "a %s holds keys: %s", what, key_list(x, table));
	else
		read_map(x, root, table, base, what);
}
