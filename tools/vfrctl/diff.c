/* SPDX-License-Identifier: BSD-2-Clause */
/* What applying a site file would change: two sorted sets of objects, merged, and what differs told key by key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

struct change {
	const struct object *old, *new;
};

/* Another kernel, memory or the like: a guest that runs is stopped for it. The on- keys alone are not. */
static bool restarts(const struct change *c)
{
	struct vc_dom_create a, b;

	if (!c->old || !c->new || c->old->type != VC_DOM_CREATE)
		return false;
	memcpy(&a, c->old->body, sizeof(a));
	memcpy(&b, c->new->body, sizeof(b));
	a.on_poweroff = b.on_poweroff;
	a.on_reboot = b.on_reboot;
	a.on_crash = b.on_crash;
	return c->old->length != c->new->length || memcmp(&a, &b, sizeof(a)) ||
		memcmp(c->old->body + sizeof(a), c->new->body + sizeof(b), c->old->length - sizeof(a));
}

/* What becomes of a guest that must be built anew: who is stopped or paused is not started by it. */
static const char *fate(const struct change *c, const struct domains *all)
{
	if (!restarts(c))
		return NULL;
	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->v[i].name, object_domain(c->old)))
			continue;
		if (all->v[i].state == VC_DOM_STOPPED)
			return "is stopped and stays so; it has the new form when it is started";
		if (all->v[i].state == VC_DOM_PAUSED)
			return "is built anew and stays paused";
	}
	return "is stopped and built anew";
}

/* One key of a domain: what it was and what it is to be, where they differ. */
static void add_key(char *out, size_t n, const char *key, const char *was, const char *is)
{
	size_t len = strlen(out);

	if (strcmp(was, is))
		snprintf(out + len, n - len, "%s %s %s -> %s", *out ? ";" : "", key, *was ? was : "none", *is ? is : "none");
}

static void add_number(char *out, size_t n, const char *key, unsigned int was, unsigned int is)
{
	char a[16], b[16];

	snprintf(a, sizeof(a), "%u", was);
	snprintf(b, sizeof(b), "%u", is);
	add_key(out, n, key, a, b);
}

static void mac_text(const uint8_t m[6], char out[32])
{
	static const uint8_t none[6];

	if (memcmp(m, none, sizeof(none)))
		snprintf(out, 32, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	else
		snprintf(out, 32, "made from the name");
}

static void dom_keys(const struct vc_dom_create *a, const struct vc_dom_create *b, char *out, size_t n)
{
	static const char *const ends[] = {"destroy", "restart", "preserve"};
	char was[VC_CMDLINE_MAX + 3], is[VC_CMDLINE_MAX + 3];

	vfrc_format_size(a->mem_bytes, was, sizeof(was));
	vfrc_format_size(b->mem_bytes, is, sizeof(is));
	add_key(out, n, "memory", was, is);
	add_number(out, n, "vcpus", a->vcpus, b->vcpus);
	add_key(out, n, "kernel", a->kernel, b->kernel);
	add_key(out, n, "ramdisk", a->ramdisk, b->ramdisk);
	snprintf(was, sizeof(was), "\"%.*s\"", a->cmdline_len, (const char *)(a + 1));
	snprintf(is, sizeof(is), "\"%.*s\"", b->cmdline_len, (const char *)(b + 1));
	add_key(out, n, "cmdline", was, is);
	add_number(out, n, "cpu weight", a->cpu_weight, b->cpu_weight);
	add_number(out, n, "cpu cap", a->cpu_cap, b->cpu_cap);
	add_number(out, n, "mtu", a->mtu, b->mtu);
	mac_text(a->mac, was);
	mac_text(b->mac, is);
	add_key(out, n, "mac", was, is);
	add_key(out, n, "network", a->flags & VC_DOM_NO_NET ? "false" : "true", b->flags & VC_DOM_NO_NET ? "false" : "true");
	add_key(out, n, "paused", a->flags & VC_DOM_START_PAUSED ? "true" : "false", b->flags & VC_DOM_START_PAUSED ? "true" : "false");
	add_key(out, n, "control", a->flags & VC_DOM_CONTROL ? "true" : "false", b->flags & VC_DOM_CONTROL ? "true" : "false");
	add_key(out, n, "on-poweroff", ends[a->on_poweroff % VC_ON_MAX], ends[b->on_poweroff % VC_ON_MAX]);
	add_key(out, n, "on-reboot", ends[a->on_reboot % VC_ON_MAX], ends[b->on_reboot % VC_ON_MAX]);
	add_key(out, n, "on-crash", ends[a->on_crash % VC_ON_MAX], ends[b->on_crash % VC_ON_MAX]);
}

static bool has_rule(const struct vc_rule_set *rs, const struct vc_rule *rule)
{
	const struct vc_rule *v = (const void *)(rs + 1);

	for (unsigned int i = 0; i < rs->count; i++)
		if (!memcmp(&v[i], rule, sizeof(*rule)))
			return true;
	return false;
}

/* The rules of one set that the other has not. => how many */
static unsigned int print_rules(char mark, const struct vc_rule_set *rs, const struct vc_rule_set *other)
{
	const struct vc_rule *v = (const void *)(rs + 1);
	unsigned int n = 0;
	char text[400];

	for (unsigned int i = 0; i < rs->count; i++) {
		if (has_rule(other, &v[i]))
			continue;
		vfrc_format_rule(&v[i], text, sizeof(text));
		fit_line(stdout, 6, "  %c %s", mark, text);
		n++;
	}
	return n;
}

static void print_rule_sets(const struct vc_rule_set *a, const struct vc_rule_set *b)
{
	printf("~ rules of %s\n", b->dom[0] ? b->dom : "all domains");
	if (!(print_rules('-', a, b) + print_rules('+', b, a)) && a->count)
		printf("  stand in another order\n");
	if (a->def_in != b->def_in)
		printf("  in %s -> %s by default\n", vfrc_action_name(a->def_in), vfrc_action_name(b->def_in));
	if (a->def_out != b->def_out)
		printf("  out %s -> %s by default\n", vfrc_action_name(a->def_out), vfrc_action_name(b->def_out));
}

/* What an object was, and what it is to be. */
static void print_both(const struct change *c, const char *was, const char *is)
{
	char keys[3000] = "";

	if (c->new->type == VC_DOM_CREATE) {
		dom_keys((const void *)c->old->body, (const void *)c->new->body, keys, sizeof(keys));
		fit_line(stdout, 4, "~ domain %s:%s", object_domain(c->new), keys);
	} else if (c->new->type == VC_RULE_SET) {
		print_rule_sets((const void *)c->old->body, (const void *)c->new->body);
	} else if (strcmp(was, is)) {
		fit_line(stdout, 4, "- %s\n+ %s", was, is);
	} else {
		fit_line(stdout, 4, "~ %s", is);
	}
}

static void print_change(const struct domains *all, json_t *out, const struct change *c)
{
	static const char *const verbs[] = {"add", "remove", "change"};
	unsigned int v = !c->old ? 0 : !c->new ? 1 : 2;
	const struct object *o = c->new ? c->new : c->old;
	char a[600], b[600] = "";

	object_describe(o, a, sizeof(a));
	if (v == 2)
		object_describe(c->old, b, sizeof(b));
	if (out)
		json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "change", verbs[v], "kind",
						     object_kind_name(o->type), "domain", object_domain(o), "now", v == 1 ? "" : a,
						     "before", v == 1 ? a : b, "restarts", restarts(c)));
	else if (v == 2)
		print_both(c, b, a);
	else
		fit_line(stdout, 4, "%c %s", v ? '-' : '+', a);
	if (!out && fate(c, all))
		fit_line(stdout, 4, "  %s %s", object_domain(o), fate(c, all));
}

static size_t diff_sets(const struct domains *all, const struct objects *a, const struct objects *b, json_t *out)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->n || j < b->n) {
		int r = i == a->n ? 1 : j == b->n ? -1 : object_cmp(a->v[i], b->v[j]);
		struct change c = {r <= 0 ? a->v[i] : NULL, r >= 0 ? b->v[j] : NULL};

		if (r || !object_same(c.old, c.new)) {
			print_change(all, out, &c);
			n++;
		}
		i += r <= 0;
		j += r >= 0;
	}
	return n;
}

int show_diff(struct cli *cli, const struct site *s)
{
	json_t *out = cli->json ? json_array() : NULL;
	struct objects now;
	struct domains all;
	struct vfrc_reply r;
	size_t n;
	int rc = domains_read(cli, &all);

	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, 0, 0, &now, &r), &r);
	if (rc)
		return rc;
	n = diff_sets(&all, &now, &s->objects, out);
	objects_free(&now);
	free(all.v);
	if (out)
		return cli_json(out);
	if (!n)
		printf("no difference: the machine is as the file says\n");
	return EXIT_DONE;
}
