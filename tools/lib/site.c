/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The site file: YAML to objects. Every complaint has line and column and says what to do; reading goes on after one, so that all
 * are seen at once. vfr-site(5) describes the file; sitenode.c reads its YAML, siteaddr.c,
 * sitedom.c, siterules.c and sitesub.c its parts, sitecheck.c compares what was read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "site.h"

static void read_domains(struct site *s, yaml_node_t *n, void *ctx)
{
	if (!mapping_only(s, n, "domains"))
		return;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_at(s, p->key);

		read_domain(s, node_text(s, key, "a domain's name"), key, node_at(s, p->value));
	}
}

static void read_global_rules(struct site *s, yaml_node_t *n, void *ctx)
{
	read_rules(s, "", n, NULL);
}

/* Ports refer to addresses, so those are read first wherever they stand. */
static void later(struct site *s, yaml_node_t *n, void *ctx)
{
}

static const struct key first_pass[] = {
	{"addresses", read_addresses}, {"uplinks", read_uplinks}, {"cpu-scheduler", read_cpu_sched}, {"rules", read_global_rules},
	{"domains", later},
};
static const struct key second_pass[] = {
	{"addresses", later}, {"uplinks", later}, {"cpu-scheduler", later}, {"rules", later}, {"domains", read_domains},
};

static void read_root(struct site *s)
{
	yaml_node_t *root = yaml_document_get_root_node(s->yaml);

	if (!root) {
		site_error(s, 1, 1, "the file is empty: it needs addresses and domains");
		return;
	}
	read_mapping(s, root, first_pass, sizeof(first_pass) / sizeof(*first_pass), "a site file", NULL);
	if (root->type == YAML_MAPPING_NODE && !s->errors)
		read_mapping(s, root, second_pass, sizeof(second_pass) / sizeof(*second_pass), "a site file", NULL);
}

static void not_yaml(struct site *s, const yaml_parser_t *p)
{
	const char *why = p->problem ? p->problem : "unreadable";

	/* libyaml's own words for it do not name the tab. */
	if (strstr(why, "cannot start any token"))
		site_error(s, p->problem_mark.line + 1, p->problem_mark.column + 1,
			   "not YAML: no word begins with this character (a tab? YAML indents by spaces)");
	else
		site_error(s, p->problem_mark.line + 1, p->problem_mark.column + 1, "not YAML: %s%s%s", why, p->context ? ", " : "",
			   p->context ? p->context : "");
}

static void read_document(struct site *s, yaml_parser_t *parser)
{
	yaml_document_t doc, more;
	yaml_node_t *second;

	if (!yaml_parser_load(parser, &doc)) {
		not_yaml(s, parser);
		return;
	}
	s->yaml = &doc;
	read_root(s);
	if (!yaml_parser_load(parser, &more)) {
		not_yaml(s, parser);
	} else {
		second = yaml_document_get_root_node(&more);
		if (second)
			site_error(s, node_line(second), node_col(second), "a second document begins here: a site file is one");
		yaml_document_delete(&more);
	}
	objects_sort(&s->objects);
	if (!s->errors)
		site_check(s);
	s->yaml = NULL;
	yaml_document_delete(&doc);
}

int site_read(const char *file, struct site *s)
{
	FILE *f = fopen(file, "r");
	yaml_parser_t parser;
	struct stat st;

	s->file = file;
	if (f && !fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
		fclose(f);
		f = NULL;
		errno = EISDIR;
	}
	if (!f) {
		site_error(s, 0, 0, "%s", strerror(errno));
		return s->errors;
	}
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_file(&parser, f);
	read_document(s, &parser);
	yaml_parser_delete(&parser);
	fclose(f);
	return s->errors;
}

void site_free(struct site *s)
{
	objects_free(&s->objects);
	for (size_t i = 0; i < s->nmodules; i++) {
		free(s->modules[i]->path);
		free(s->modules[i]->bytes);
		free(s->modules[i]);
	}
	free(s->modules);
	for (int i = 0; i < s->errors; i++)
		free(s->error[i].text);
	free(s->error);
	memset(s, 0, sizeof(*s));
}
