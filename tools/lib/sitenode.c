/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML nodes as the readers of the site file's parts want them: texts, names, lists and mappings, each complaint with its place. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

void site_error(struct site *s, int line, int col, const char *fmt, ...)
{
	struct site_error *more = realloc(s->error, (s->errors + 1) * sizeof(*more));
	va_list ap;

	if (!more)
		exit(1);
	s->error = more;
	more[s->errors] = (struct site_error){.line = line, .col = col};
	va_start(ap, fmt);
	if (vasprintf(&more[s->errors].text, fmt, ap) < 0)
		exit(1);
	va_end(ap);
	if (!s->quiet && line)
		fprintf(stderr, "%s:%d:%d: %s\n", s->file, line, col, more[s->errors].text);
	else if (!s->quiet)
		fprintf(stderr, "%s: %s\n", s->file, more[s->errors].text);
	s->errors++;
}

int node_line(const yaml_node_t *n)
{
	return n->start_mark.line + 1;
}

int node_col(const yaml_node_t *n)
{
	return n->start_mark.column + 1;
}

void node_error(struct site *s, yaml_node_t *n, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One complaint a place: what follows from it would only confuse. */
	if (s->told != n)
		site_error(s, node_line(n), node_col(n), "%s", text);
	s->told = n;
}

yaml_node_t *node_at(struct site *s, int index)
{
	return yaml_document_get_node(s->yaml, index);
}

const char *node_text(struct site *s, yaml_node_t *n, const char *what)
{
	if (n->type == YAML_SCALAR_NODE) {
		if (memchr(n->data.scalar.value, 0, n->data.scalar.length))
			node_error(s, n, "a text with a zero byte cannot be used");
		return (const char *)n->data.scalar.value;
	}
	node_error(s, n, "%s is wanted here, not a %s", what, n->type == YAML_MAPPING_NODE ? "mapping" : "list");
	return "";
}

static void unknown_key(struct site *s, yaml_node_t *key, const char *name, const char *const *names, size_t n, const char *what)
{
	char all[300] = "";
	const char *near = vfrc_suggest(name, names, n);

	for (size_t i = 0; i < n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", names[i]);
	if (!strcmp(name, "<<"))
		node_error(s, key, "merge keys are not known here: write the keys out, or use an alias for a single value");
	else if (near)
		node_error(s, key, "unknown key '%s' in %s: did you mean '%s'?", name, what, near);
	else
		node_error(s, key, "unknown key '%s' in %s: known are %s", name, what, all);
}

static size_t find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return n;
}

void read_names(struct site *s, yaml_node_t *n, const char *const *names, size_t count, const char *what,
		void (*fn)(struct site *s, size_t which, yaml_node_t *value, void *ctx), void *ctx)
{
	unsigned long long seen = 0;

	if (n->type != YAML_MAPPING_NODE) {
		node_error(s, n, "%s is a mapping (key: value)", what);
		return;
	}
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_at(s, p->key);
		const char *name = node_text(s, key, "a key");
		size_t i = find_name(names, count, name);

		if (i == count) {
			unknown_key(s, key, name, names, count, what);
			continue;
		}
		if (seen & 1ull << i)
			node_error(s, key, "the key '%s' stands twice in %s", name, what);
		seen |= 1ull << i;
		fn(s, i, node_at(s, p->value), ctx);
	}
}

struct by_table {
	const struct key *keys;
	void *ctx;
};

static void call_reader(struct site *s, size_t which, yaml_node_t *value, void *ctx)
{
	const struct by_table *t = ctx;

	t->keys[which].fn(s, value, t->ctx);
}

void read_mapping(struct site *s, yaml_node_t *n, const struct key *keys, size_t nkeys, const char *what, void *ctx)
{
	const char *names[40];

	for (size_t i = 0; i < nkeys; i++)
		names[i] = keys[i].name;
	read_names(s, n, names, nkeys, what, call_reader, &(struct by_table){keys, ctx});
}

void read_list(struct site *s, yaml_node_t *n, void (*fn)(struct site *s, yaml_node_t *item, void *ctx), const char *what, void *ctx)
{
	if (n->type == YAML_SCALAR_NODE) {
		fn(s, n, ctx);
		return;
	}
	if (n->type != YAML_SEQUENCE_NODE) {
		node_error(s, n, "%s is a list", what);
		return;
	}
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
		fn(s, node_at(s, *i), ctx);
}

bool read_bool(struct site *s, yaml_node_t *n, const char *what)
{
	const char *t = node_text(s, n, what);

	if (!strcmp(t, "true") || !strcmp(t, "yes") || !strcmp(t, "on"))
		return true;
	if (strcmp(t, "false") && strcmp(t, "no") && strcmp(t, "off"))
		node_error(s, n, "%s is true or false, not '%s'", what, t);
	return false;
}

void set_name(char *out, size_t size, const char *name)
{
	size_t n = strnlen(name, size - 1);

	memset(out, 0, size);
	memcpy(out, name, n);
}

void read_name(struct site *s, yaml_node_t *n, const char *what, char *out, size_t size)
{
	const char *t = node_text(s, n, what);

	if (n->type == YAML_SCALAR_NODE && !vfrc_name_ok(t, size))
		node_error(s, n, "'%s' is no name for %s: 1 to %zu letters, digits, dots, dashes or underscores", t, what, size - 1);
	set_name(out, size, t);
}

bool mapping_only(struct site *s, yaml_node_t *n, const char *what)
{
	if (n->type == YAML_MAPPING_NODE)
		return true;
	node_error(s, n, "%s is a mapping (name: {...})", what);
	return false;
}
