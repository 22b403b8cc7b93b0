/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules and rates of one domain: read, changed and written back as one object. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

struct rule_list {
	struct vc_rule_set head;
	struct vc_rule rule[VC_RULES_MAX];
};

struct hits {
	struct vc_rule_rec *v;
	size_t n;
};

static struct vc_count hits_of(const struct hits *h, const struct vc_rule_set *rs, unsigned int number)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].number == number && !strncmp(h->v[i].dom, rs->dom, VC_NAME))
			return h->v[i].hits;
	return (struct vc_count){0};
}

static void rule_line(const char *number, struct vc_count hits, const char *text)
{
	char bytes[32];

	vfrc_format_size(hits.bytes, bytes, sizeof(bytes));
	fit_line(stdout, 27, "%5s %10llu %8s  %s", number, (unsigned long long)hits.packets, bytes, text);
}

static void rules_text(const struct hits *h, const struct vc_rule_set *rs)
{
	const struct vc_rule *v = (const void *)(rs + 1);
	char text[400], number[12];

	printf("%s: in %s, out %s by default\n", rs->dom[0] ? rs->dom : "all", vfrc_action_name(rs->def_in), vfrc_action_name(rs->def_out));
	printf("%5s %10s %8s  %s\n", "#", "packets", "bytes", "rule");
	for (unsigned int i = 0; i < rs->count; i++) {
		snprintf(number, sizeof(number), "%u", i + 1);
		vfrc_format_rule(&v[i], text, sizeof(text));
		rule_line(number, hits_of(h, rs, i + 1), text);
	}
	if (rs->def_in || rs->def_out) {
		snprintf(text, sizeof(text), "in %s, out %s", vfrc_action_name(rs->def_in), vfrc_action_name(rs->def_out));
		rule_line("rest", hits_of(h, rs, rs->count + 1), text);
	}
}

static json_t *hits_json(struct vc_count c)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);
}

static json_t *rules_json(const struct hits *h, const struct vc_rule_set *rs)
{
	const struct vc_rule *v = (const void *)(rs + 1);
	json_t *rules = json_array(), *hits = json_array();
	char text[400];

	for (unsigned int i = 0; i < rs->count; i++) {
		vfrc_format_rule(&v[i], text, sizeof(text));
		json_array_append_new(rules, json_string(text));
		json_array_append_new(hits, hits_json(hits_of(h, rs, i + 1)));
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "domain", rs->dom, "default_in", vfrc_action_name(rs->def_in), "default_out",
			 vfrc_action_name(rs->def_out), "rules", rules, "hits", hits, "rest",
			 hits_json(hits_of(h, rs, rs->count + 1)));
}

static void rule_row(struct listing *l, const struct object *o)
{
	const struct vc_rule_set *rs = (const void *)o->body;

	if (l->json)
		json_array_append_new(l->json, rules_json(l->with, rs));
	else
		rules_text(l->with, rs);
}

int cmd_rule_ls(struct cli *cli)
{
	struct hits h = {0};
	const struct object_list rules = {VC_RULE_SET, .none = "no rules", .all = true, .row = rule_row, .with = &h};
	int rc = cli_records(cli, VC_RULE_LIST, sizeof(*h.v), &h.v, &h.n);

	if (!rc)
		rc = list_objects(cli, &rules);
	free(h.v);
	return rc;
}

/* The rules as they are; none yet is an empty set. */
static int read_set(struct cli *cli, const char *name, struct rule_list *l)
{
	struct objects all;
	struct vfrc_reply r;
	int rc;

	memset(l, 0, sizeof(*l));
	if (strcmp(name, "all")) {
		rc = cli_domain(cli, name, l->head.dom);
		if (rc)
			return rc;
	}
	rc = cli_result(cli, objects_read(cli->c, 0, VC_RULE_SET, &all, &r), &r);
	for (size_t i = 0; i < all.n && !rc; i++)
		if (!strcmp(object_domain(all.v[i]), l->head.dom))
			memcpy(l, all.v[i]->body, all.v[i]->length);
	objects_free(&all);
	return rc;
}

/* In one transaction from the generation that was read: nobody's change in between is lost. */
static int write_object(struct cli *cli, uint16_t type, const void *body, size_t n)
{
	struct vc_txn_begin b = {.base = vfrc_generation(cli->c)};
	struct vc_txn_commit m = {0};
	struct vfrc_reply r;
	int rc;

	snprintf(b.note, sizeof(b.note), "%s %.40s", cli->command->name, cli->argv[0]);
	rc = cli_call(cli, VC_TXN_BEGIN, &b, sizeof(b), &r);
	if (!rc)
		rc = cli_call(cli, type, body, n, &r);
	return rc ? rc : cli_call(cli, VC_TXN_COMMIT, &m, sizeof(m), &r);
}

static int rule_add(struct cli *cli, struct rule_list *l, uint64_t at)
{
	char text[1024] = "", why[200];
	struct vc_rule rule;
	size_t off;

	for (int i = 1; i < cli->argc; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 1 ? " " : "", cli->argv[i]);
	if (vfrc_parse_rule(text, &rule, why, sizeof(why), &off)) {
		fprintf(stderr, "vfrctl: %s\n  %s\n  %*s^\n", why, text, (int)off, "");
		return EXIT_USAGE;
	}
	if (l->head.count == VC_RULES_MAX)
		return cli_usage(cli, "there are %d rules already, no more fit", VC_RULES_MAX);
	if (at > l->head.count + 1u)
		return cli_usage(cli, "the last place is %u", l->head.count + 1);
	if (!at)
		at = l->head.count + 1;
	memmove(&l->rule[at], &l->rule[at - 1], (l->head.count + 1 - at) * sizeof(rule));
	l->rule[at - 1] = rule;
	l->head.count++;
	return 0;
}

static int rule_del(struct cli *cli, struct rule_list *l)
{
	uint64_t n;

	if (cli->argc != 2 || vfrc_parse_count(cli->argv[1], VC_RULES_MAX, &n) || !n)
		return cli_usage(cli, "which rule? Give its number in 'vfrctl rule ls %s'", cli->argv[0]);
	if (n > l->head.count)
		return cli_refuse(cli, "no-such-object", ENOENT, "%s has %u rules", cli->argv[0], l->head.count);
	memmove(&l->rule[n - 1], &l->rule[n], (l->head.count - n) * sizeof(l->rule[0]));
	l->head.count--;
	return 0;
}

int cmd_rule_edit(struct cli *cli)
{
	static struct rule_list l;
	const char *place = cli_value(cli, "--at");
	bool add = !strcmp(cli->command->name, "rule add");
	uint64_t at = 0;
	int rc = cli_words(cli, 2, 40);

	if (!rc && place && (vfrc_parse_count(place, VC_RULES_MAX, &at) || !at))
		rc = cli_usage(cli, "'%s' is not a place: the first is 1", place);
	if (!rc)
		rc = read_set(cli, cli->argv[0], &l);
	if (!rc)
		rc = add ? rule_add(cli, &l, at) : rule_del(cli, &l);
	return rc ? rc : write_object(cli, VC_RULE_SET, &l, sizeof(l.head) + l.head.count * sizeof(l.rule[0]));
}

/* --- rates ------------------------------------------------------------------------------------------------------------ */

static void rate_row(struct listing *l, const struct object *o)
{
	const struct vc_rate_set *v = (const void *)o->body;
	char text[600];

	object_describe(o, text, sizeof(text));
	if (l->json)
		json_array_append_new(l->json, json_pack("{s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:b, s:b}", "domain",
			v->dom, "out_bps", (json_int_t)v->out_bps, "in_bps", (json_int_t)v->in_bps, "guarantee_bps",
			(json_int_t)v->out_guarantee_bps,
			"in_guarantee_bps", (json_int_t)v->in_guarantee_bps, "weight", (int)v->weight, "out_pps",
			(json_int_t)v->out_pps, "in_pps", (json_int_t)v->in_pps, "new_flows_per_s", (json_int_t)v->new_flows, "connections",
			(json_int_t)v->max_conns, "ip_id_block", !!(v->flags & VC_RATE_IPID_BLOCK), "multicast",
			!!(v->flags & VC_RATE_MULTICAST)));
	else
		fit_line(stdout, 2, "%s", text);
}

int cmd_rate_ls(struct cli *cli)
{
	static const struct object_list rates = {VC_RATE_SET, .none = "no limits", .row = rate_row};

	return list_objects(cli, &rates);
}

static int read_rate(struct cli *cli, const char *name, struct vc_rate_set *m)
{
	struct objects all;
	struct vfrc_reply r;
	int rc = cli_domain(cli, name, m->dom);

	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, 0, VC_RATE_SET, &all, &r), &r);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.n; i++)
		if (!strcmp(object_domain(all.v[i]), m->dom))
			memcpy(m, all.v[i]->body, sizeof(*m));
	objects_free(&all);
	return 0;
}

/* KEY=VALUE */
static int set_rate(struct cli *cli, struct vc_rate_set *m, const char *word)
{
	const char *names[VFRC_RATE_KEYS], *near, *eq = strchr(word, '=');
	char key[32], why[200], all[200] = "";
	size_t n = vfrc_rate_names(names);

	snprintf(key, sizeof(key), "%.*s", (int)(eq ? eq - word : (long)strlen(word)), word);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(key, names[i]))
			continue;
		if (vfrc_rate_key(m, i, eq ? eq + 1 : "", why, sizeof(why)))
			return cli_usage(cli, "%s: %s", word, why);
		return 0;
	}
	near = vfrc_suggest(key, names, n);
	if (near)
		return cli_usage(cli, "%s: '%s' is not known: did you mean '%s'?", word, key, near);
	for (size_t i = 0; i < n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", names[i]);
	return cli_usage(cli, "%s: known are %s", word, all);
}

int cmd_rate_set(struct cli *cli)
{
	struct vc_rate_set m = {0};
	int rc = cli_words(cli, 2, 40);

	if (!rc)
		rc = read_rate(cli, cli->argv[0], &m);
	for (int i = 1; i < cli->argc && !rc; i++)
		rc = set_rate(cli, &m, cli->argv[i]);
	return rc ? rc : write_object(cli, VC_RATE_SET, &m, sizeof(m));
}
