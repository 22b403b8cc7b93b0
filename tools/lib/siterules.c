/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of a domain, or of all: a list of lines, and what happens to the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

struct rule_list {
	struct vc_rule_set head;
	struct vc_rule rule[VC_RULES_MAX];
};

static void add_rule(struct site *s, yaml_node_t *n, void *ctx)
{
	struct rule_list *l = ctx;
	const char *text = node_text(s, n, "a rule");
	char why[200];
	size_t at;

	if (l->head.count == VC_RULES_MAX)
		node_error(s, n, "%d rules at most", VC_RULES_MAX);
	else if (vfrc_parse_rule(text, &l->rule[l->head.count], why, sizeof(why), &at))
		site_error(s, node_line(n), node_col(n) + (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? at : at + 1), "%s", why);
	else
		l->head.count++;
}

static void rest_value(struct site *s, yaml_node_t *n, uint8_t *out)
{
	const char *t = node_text(s, n, "allow, deny or reject");

	for (unsigned int i = VC_RULE_ALLOW; i <= VC_RULE_REJECT; i++) {
		if (strcmp(t, vfrc_action_name(i)))
			continue;
		*out = i;
		return;
	}
	node_error(s, n, "'%s' is not allow, deny or reject", t);
}

static void rest_in(struct site *s, yaml_node_t *n, void *ctx)
{
	rest_value(s, n, &((struct rule_list *)ctx)->head.def_in);
}

static void rest_out(struct site *s, yaml_node_t *n, void *ctx)
{
	rest_value(s, n, &((struct rule_list *)ctx)->head.def_out);
}

static const struct key rest_keys[] = {{"in", rest_in}, {"out", rest_out}};

void read_rules(struct site *s, const char *dom, yaml_node_t *rules, yaml_node_t *rest)
{
	struct rule_list *l = calloc(1, sizeof(*l));
	yaml_node_t *at = rules ? rules : rest;

	if (!l)
		exit(1);
	set_name(l->head.dom, sizeof(l->head.dom), dom);
	if (rules)
		read_list(s, rules, add_rule, "rules", l);
	if (rest)
		read_mapping(s, rest, rest_keys, 2, "default", l);
	objects_add(&s->objects, VC_RULE_SET, l, sizeof(l->head) + l->head.count * sizeof(l->rule[0]), node_line(at), node_col(at));
	free(l);
}
