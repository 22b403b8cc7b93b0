/* SPDX-License-Identifier: BSD-2-Clause */
/* The sub-classes of a domain in a site file: numbers, each with a weight and the DSCPs that lead there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

static void s_weight(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sub_set *m = ctx;
	uint64_t v = 0;

	if (vfrc_parse_count(node_text(s, n, "a weight"), 255, &v) || !v)
		node_error(s, n, "the weight of a sub-class is a number from 1 to 255");
	m->weight = v;
}

static void one_dscp(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sub_set *m = ctx;
	const char *t = node_text(s, n, "a DSCP");
	uint64_t set;

	if (vfrc_parse_dscps(t, &set))
		node_error(s, n, "'%s' is no DSCP: write ef, af41, cs5, a number below 64 or a range", t);
	else
		m->dscps |= set;
}

static void s_dscp(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, one_dscp, "dscp", ctx);
}

static const struct key sub_keys[] = {{"weight", s_weight}, {"dscp", s_dscp}};

static void read_one(struct site *s, const char *dom, yaml_node_t *key, yaml_node_t *value, uint64_t *taken)
{
	struct vc_sub_set m = {.weight = 1};
	uint64_t index = 0;

	if (vfrc_parse_count(node_text(s, key, "a number"), VC_SUBS - 1, &index))
		node_error(s, key, "sub-classes are 1 to %d, and 0 for the rest", VC_SUBS - 1);
	set_name(m.dom, sizeof(m.dom), dom);
	m.index = index;
	read_mapping(s, value, sub_keys, sizeof(sub_keys) / sizeof(*sub_keys), "a sub-class", &m);
	if (!m.index && m.dscps)
		node_error(s, value, "sub-class 0 is what no other one takes: it has no DSCPs");
	if (m.dscps & *taken)
		node_error(s, value, "DSCP %d leads to another sub-class of %s already", __builtin_ctzll(m.dscps & *taken), dom);
	*taken |= m.dscps;
	objects_add(&s->objects, VC_SUB_SET, &m, sizeof(m), node_line(key), node_col(key));
}

void read_subs(struct site *s, const char *dom, yaml_node_t *subs)
{
	uint64_t taken = 0;

	if (subs->type != YAML_MAPPING_NODE) {
		node_error(s, subs, "sub-classes is a mapping (1: {...})");
		return;
	}
	for (yaml_node_pair_t *p = subs->data.mapping.pairs.start; p < subs->data.mapping.pairs.top; p++)
		read_one(s, dom, node_at(s, p->key), node_at(s, p->value), &taken);
}
