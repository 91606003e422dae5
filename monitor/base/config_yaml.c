/* Bytes → tree of nodes. libyaml's events carry the marks that messages need;
 * what could make a small file costly (nesting, aliases of aliases, anchors)
 * is bounded here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/config_parts.h"

struct anchor {
	const char *name;
	struct node *node; /* NULL while the node is still open: an alias inside would be a circle */
};

struct builder {
	struct config_ctx *x;
	yaml_parser_t parser;
	struct anchor anchors[CONFIG_ANCHORS_MAX];
	size_t anchor_count;
	bool failed; /* the reason is reported */
};

static void fail(struct builder *b, const yaml_mark_t *m, const char *what)
{
	if (!b->failed)
		report_at(b->x, (unsigned)m->line + 1, (unsigned)m->column + 1, "%s", what);
	b->failed = true;
}

static void fail_no_memory(struct builder *b)
{
	b->x->no_memory = true;
	b->failed = true;
}

/* libyaml's own words, and for the two mistakes that everybody makes, ours. */
static void fail_syntax(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	if (p->error == YAML_MEMORY_ERROR) {
		fail_no_memory(b);
		return;
	}
	const char *problem = p->problem != NULL ? p->problem : "unreadable";
	const char *hint = "";
	if (strstr(problem, "cannot start any token") != NULL)
		hint = "; YAML is indented with spaces, never tabs, and a text that begins with @, ` or % needs "
		       "quotes";
	else if (strstr(problem, "mapping values are not allowed") != NULL)
		hint = "; check the indentation of this line and the one above, and put quotes around a text that "
		       "holds ': '";
	else if (strstr(problem, "did not find expected") != NULL)
		hint = "; a bracket or quote above is not closed, or the indentation does not fit";
	char text[400];
	snprintf(text, sizeof text, "not valid YAML: %s%s%s%s", p->context != NULL ? p->context : "",
	         p->context != NULL ? ", " : "", problem, hint);
	fail(b, &p->problem_mark, text);
}

static bool next_event(struct builder *b, yaml_event_t *e)
{
	if (b->failed)
		return false;
	if (yaml_parser_parse(&b->parser, e))
		return true;
	fail_syntax(b);
	return false;
}

static struct node *new_node(struct builder *b, enum node_kind kind, const yaml_mark_t *m)
{
	struct node *n = arena_take(b->x->scratch, sizeof *n);
	if (n == NULL) {
		fail_no_memory(b);
		return NULL;
	}
	n->kind = kind;
	n->line = (unsigned)m->line + 1;
	n->column = (unsigned)m->column + 1;
	n->weight = 1;
	return n;
}

/* Returns the slot of the anchor, or -1. An anchor said again replaces the
 * earlier one, as YAML has it. */
static int open_anchor(struct builder *b, const yaml_char_t *name, const yaml_mark_t *m)
{
	if (name == NULL || b->failed)
		return -1;
	const char *text = (const char *)name;
	for (size_t i = 0; i < b->anchor_count; i++)
		if (strcmp(b->anchors[i].name, text) == 0) {
			b->anchors[i].node = NULL;
			return (int)i;
		}
	if (b->anchor_count == CONFIG_ANCHORS_MAX) {
		fail(b, m, "too many anchors");
		return -1;
	}
	const char *kept = arena_text(b->x->scratch, text, strlen(text));
	if (kept == NULL) {
		fail_no_memory(b);
		return -1;
	}
	b->anchors[b->anchor_count] = (struct anchor){.name = kept};
	return (int)b->anchor_count++;
}

static struct node *follow_alias(struct builder *b, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	for (size_t i = 0; i < b->anchor_count; i++) {
		if (strcmp(b->anchors[i].name, name) != 0)
			continue;
		if (b->anchors[i].node == NULL)
			fail(b, &e->start_mark, "an alias to the very value it stands in");
		return b->anchors[i].node;
	}
	fail(b, &e->start_mark, "an alias without its anchor: '&name' must come before '*name'");
	return NULL;
}

static struct node *scalar_node(struct builder *b, const yaml_event_t *e)
{
	struct node *n = new_node(b, NODE_SCALAR, &e->start_mark);
	if (n == NULL)
		return NULL;
	const char *text = (const char *)e->data.scalar.value;
	if (memchr(text, '\0', e->data.scalar.length) != NULL) {
		fail(b, &e->start_mark, "a NUL character in a text");
		return NULL;
	}
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_text(b->x->scratch, text, e->data.scalar.length);
	n->length = e->data.scalar.length;
	if (n->text == NULL)
		fail_no_memory(b);
	return n;
}

static void append(struct builder *b, struct node *list, size_t *room, struct node *child)
{
	if (list->count == *room) {
		const size_t grown = *room == 0 ? 8 : 2 * *room;
		struct node **item = arena_take(b->x->scratch, grown * sizeof(struct node *));
		if (item == NULL) {
			fail_no_memory(b);
			return;
		}
		if (list->count > 0)
			memcpy(item, list->item, list->count * sizeof(struct node *));
		list->item = item;
		*room = grown;
	}
	list->item[list->count++] = child;
	if (list->weight > CONFIG_VALUES_MAX - child->weight)
		fail(b, &b->parser.mark, "too many values (aliases that hold aliases?); the limit is 1000000");
	else
		list->weight += child->weight;
}

static struct node *build(struct builder *b, const yaml_event_t *e, unsigned depth);

/* Everything up to the end of the list or map that has just begun. */
static void build_inside(struct builder *b, struct node *n, yaml_event_type_t end, unsigned depth)
{
	size_t room = 0;
	for (;;) {
		yaml_event_t e;
		if (!next_event(b, &e))
			return;
		if (e.type == end) {
			yaml_event_delete(&e);
			break;
		}
		struct node *child = build(b, &e, depth);
		yaml_event_delete(&e);
		if (child == NULL || b->failed)
			return;
		append(b, n, &room, child);
	}
	if (n->kind == NODE_MAP)
		n->count /= 2; /* the parser never gives a key without its value */
}

static struct node *build(struct builder *b, const yaml_event_t *e, unsigned depth)
{
	const bool map = e->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *name;
	struct node *n;
	if (e->type == YAML_ALIAS_EVENT)
		return follow_alias(b, e);
	if (depth > CONFIG_DEPTH_MAX) {
		fail(b, &e->start_mark, "nested too deeply; the limit is 32");
		return NULL;
	}
	if (e->type == YAML_SCALAR_EVENT)
		name = e->data.scalar.anchor;
	else
		name = map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
	const int slot = open_anchor(b, name, &e->start_mark);
	if (e->type == YAML_SCALAR_EVENT) {
		n = scalar_node(b, e);
	} else {
		n = new_node(b, map ? NODE_MAP : NODE_LIST, &e->start_mark);
		if (n != NULL)
			build_inside(b, n, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth + 1);
	}
	if (slot >= 0)
		b->anchors[slot].node = n;
	return b->failed ? NULL : n;
}

static struct node *build_document(struct builder *b)
{
	struct node *root = NULL;
	for (;;) {
		yaml_event_t e;
		if (!next_event(b, &e))
			return NULL;
		const yaml_event_type_t type = e.type;
		if (type == YAML_DOCUMENT_START_EVENT && root != NULL)
			fail(b, &e.start_mark, "a second document ('---'); a file holds one");
		else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
		         type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT)
			root = build(b, &e, 1);
		yaml_event_delete(&e);
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	if (root == NULL && !b->failed)
		report_at(b->x, 1, 1, "empty; at least 'site' and 'networks' must be there");
	return b->failed ? NULL : root;
}

/* RFC 3629: length by the first byte; no overlong forms, no surrogates, nothing
 * past U+10FFFF. 0: not UTF-8. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	const size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* The encoding is checked first: libyaml would say only "invalid leading
 * octet", and would read UTF-16, which no other tool here does. */
static bool check_encoding(struct config_ctx *x, const char *text, size_t bytes)
{
	const unsigned char *p = (const unsigned char *)text;
	if (bytes >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
		report_at(x, 1, 1, "the file is UTF-16; save it as UTF-8");
		return false;
	}
	unsigned line = 1, column = 1;
	for (size_t i = 0; i < bytes;) {
		const size_t n = utf8_length(p + i, bytes - i);
		if (n == 0) {
			report_at(x, line, column,
			          "byte 0x%02x is not UTF-8 (Latin-1 or Windows-1252?); save the file as UTF-8",
			          p[i]);
			return false;
		}
		if (p[i] == '\0' || (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 0x7f) {
			report_at(x, line, column, "a control character (0x%02x); the file is no text, or damaged",
			          p[i]);
			return false;
		}
		column = p[i] == '\n' ? 1 : column + 1;
		line += p[i] == '\n';
		i += n;
	}
	return true;
}

struct node *yaml_tree(struct config_ctx *x, const char *text, size_t bytes)
{
	if (bytes > CONFIG_FILE_MAX) {
		report_at(x, 1, 1, "larger than 4 MiB, the limit");
		return NULL;
	}
	if (!check_encoding(x, text, bytes))
		return NULL;
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark says nothing here */
		text += 3;
		bytes -= 3;
	}
	struct builder *b = calloc(1, sizeof *b);
	if (b == NULL || !yaml_parser_initialize(&b->parser)) {
		free(b);
		x->no_memory = true;
		return NULL;
	}
	b->x = x;
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, bytes);
	struct node *root = build_document(b);
	yaml_parser_delete(&b->parser);
	free(b);
	return root;
}
