/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The site file: YAML to objects. Every complaint has line and column and says what to do; reading goes on after one, so that all
 * are seen at once. vfr-site(5) describes the file; sitedom.c reads the domains, sitecheck.c compares what was read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

#define DEFAULT_UPLINK "net0"

void site_error(struct site *s, int line, int col, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d:%d: ", s->file, line, col);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
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
	site_error(s, node_line(n), node_col(n), "%s", text);
}

yaml_node_t *node_at(struct site *s, int index)
{
	return yaml_document_get_node(s->yaml, index);
}

const char *node_text(struct site *s, yaml_node_t *n, const char *what)
{
	if (n->type == YAML_SCALAR_NODE)
		return (const char *)n->data.scalar.value;
	node_error(s, n, "%s is wanted here, not a %s", what, n->type == YAML_MAPPING_NODE ? "mapping" : "list");
	return "";
}

static void unknown_key(struct site *s, yaml_node_t *key, const char *name, const struct key *keys, size_t nkeys, const char *what)
{
	const char *names[40], *near;
	char all[300] = "";

	for (size_t i = 0; i < nkeys; i++) {
		names[i] = keys[i].name;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", names[i]);
	}
	near = vfrc_suggest(name, names, nkeys);
	if (near)
		node_error(s, key, "unknown key '%s' in %s: did you mean '%s'?", name, what, near);
	else
		node_error(s, key, "unknown key '%s' in %s: known are %s", name, what, all);
}

static const struct key *find_key(const struct key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

void read_mapping(struct site *s, yaml_node_t *n, const struct key *keys, size_t nkeys, const char *what, void *ctx)
{
	unsigned long long seen = 0;

	if (n->type != YAML_MAPPING_NODE) {
		node_error(s, n, "%s is a mapping (key: value)", what);
		return;
	}
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_at(s, p->key);
		const char *name = node_text(s, key, "a key");
		const struct key *k = find_key(keys, nkeys, name);

		if (!k) {
			unknown_key(s, key, name, keys, nkeys, what);
			continue;
		}
		if (seen & 1ull << (k - keys))
			node_error(s, key, "the key '%s' stands twice in %s", name, what);
		seen |= 1ull << (k - keys);
		k->fn(s, node_at(s, p->value), ctx);
	}
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

/* --- addresses -------------------------------------------------------------------------------------------------------- */

struct address {
	struct vc_addr_add m;
	unsigned int ndns;
};

static void addr_uplink(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	read_name(s, n, "an uplink", a->m.uplink, sizeof(a->m.uplink));
}

static void addr_shared(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (read_bool(s, n, "shared"))
		a->m.flags |= VC_ADDR_SHARED;
	else
		a->m.flags &= ~VC_ADDR_SHARED;
}

static void addr_gateway(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (vfrc_parse_ip(node_text(s, n, "a gateway"), &a->m.gateway))
		node_error(s, n, "a gateway is an IP address");
	else if (vfrc_ip_is_v4(&a->m.gateway) != vfrc_ip_is_v4(&a->m.addr))
		node_error(s, n, "the gateway is not of the address's family");
}

static void addr_dns(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (a->ndns == 2)
		node_error(s, n, "two name servers at most");
	else if (vfrc_parse_ip(node_text(s, n, "a name server"), &a->m.dns[a->ndns++]))
		node_error(s, n, "a name server is an IP address");
}

static void addr_dns_list(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, addr_dns, "dns", ctx);
}

static const struct key addr_keys[] = {
	{"uplink", addr_uplink}, {"shared", addr_shared}, {"gateway", addr_gateway}, {"dns", addr_dns_list},
};

static void read_address(struct site *s, yaml_node_t *key, yaml_node_t *value)
{
	const char *text = node_text(s, key, "an address");
	struct address a = {.m.uplink = DEFAULT_UPLINK};

	if (vfrc_parse_prefix(text, &a.m.addr, &a.m.prefix, NULL)) {
		node_error(s, key, "'%s' is not an address: write 203.0.113.7 or 203.0.113.7/24, or an IPv6 prefix", text);
		return;
	}
	if (vfrc_ip_is_v4(&a.m.addr))
		a.m.flags = VC_ADDR_SHARED;
	if (value->type != YAML_SCALAR_NODE || value->data.scalar.length)
		read_mapping(s, value, addr_keys, sizeof(addr_keys) / sizeof(*addr_keys), "an address", &a);
	if (!vfrc_ip_is_v4(&a.m.addr) && (a.m.flags & VC_ADDR_SHARED))
		node_error(s, key, "IPv6 addresses are not shared by port: give each domain its own prefix");
	objects_add(&s->objects, VC_ADDR_ADD, &a.m, sizeof(a.m), node_line(key), node_col(key));
}

static bool mapping_only(struct site *s, yaml_node_t *n, const char *what)
{
	if (n->type == YAML_MAPPING_NODE)
		return true;
	node_error(s, n, "%s is a mapping (name: {...})", what);
	return false;
}

static void read_addresses(struct site *s, yaml_node_t *n, void *ctx)
{
	if (!mapping_only(s, n, "addresses"))
		return;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
		read_address(s, node_at(s, p->key), node_at(s, p->value));
}

/* --- uplinks ---------------------------------------------------------------------------------------------------------- */

static void uplink_sched(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set *m = ctx;

	read_name(s, n, "a scheduler", m->policy, sizeof(m->policy));
}

static void uplink_rate(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set *m = ctx;
	uint64_t bps;

	if (!strcmp(node_text(s, n, "a rate"), "none"))
		m->rate_bps = 0;
	else if (vfrc_parse_rate(node_text(s, n, "a rate"), &bps))
		node_error(s, n, "a rate is wanted here, as in 100mbit or 1gbit, or none");
	else
		m->rate_bps = bps;
}

static const struct key uplink_keys[] = {{"scheduler", uplink_sched}, {"rate", uplink_rate}};

static void read_uplinks(struct site *s, yaml_node_t *n, void *ctx)
{
	if (!mapping_only(s, n, "uplinks"))
		return;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_at(s, p->key);
		struct vc_sched_set m = {.kind = VC_SCHED_NET, .policy = "hfq"};

		read_name(s, key, "an uplink", m.target, sizeof(m.target));
		read_mapping(s, node_at(s, p->value), uplink_keys, 2, "an uplink", &m);
		objects_add(&s->objects, VC_SCHED_SET, &m, sizeof(m), node_line(key), node_col(key));
	}
}

static void read_cpu_sched(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set m = {.kind = VC_SCHED_CPU};

	read_name(s, n, "a scheduler", m.policy, sizeof(m.policy));
	objects_add(&s->objects, VC_SCHED_SET, &m, sizeof(m), node_line(n), node_col(n));
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

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

int site_read(const char *file, struct site *s)
{
	FILE *f = fopen(file, "r");
	yaml_parser_t parser;
	yaml_document_t doc;

	memset(s, 0, sizeof(*s));
	s->file = file;
	if (!f) {
		fprintf(stderr, "%s: %m\n", file);
		return s->errors = 1;
	}
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_file(&parser, f);
	if (yaml_parser_load(&parser, &doc)) {
		s->yaml = &doc;
		read_root(s);
		objects_sort(&s->objects);
		if (!s->errors)
			site_check(s);
		s->yaml = NULL;
		yaml_document_delete(&doc);
	} else {
		site_error(s, parser.problem_mark.line + 1, parser.problem_mark.column + 1, "not YAML: %s%s%s",
			   parser.problem ? parser.problem : "unreadable", parser.context ? ", " : "",
			   parser.context ? parser.context : "");
	}
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
	memset(s, 0, sizeof(*s));
}

/* --- modules ---------------------------------------------------------------------------------------------------------- */

/* 48 bits of FNV-1a: a name for content, not a proof of it. */
static uint64_t content_hash(const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211ull;
	return (h ^ h >> 48) & 0xffffffffffffull;
}

static void module_name(struct module *m)
{
	const char *base = strrchr(m->path, '/');
	char clean[46];
	size_t n = 0;

	for (base = base ? base + 1 : m->path; *base && n < sizeof(clean) - 1; base++) {
		clean[n] = *base;
		clean[n + 1] = 0;
		if (!vfrc_name_ok(clean + n, 3))
			clean[n] = '_';
		n++;
	}
	clean[n] = 0;
	snprintf(m->name, sizeof(m->name), "%s-%012llx", clean, (unsigned long long)content_hash(m->bytes, m->size));
}

/* A relative path is looked for beside the site file, then from where the command runs. */
static int module_read(struct site *s, struct module *m, const char *path, char *why, size_t size)
{
	const char *slash = strrchr(s->file, '/');
	char beside[4096];

	if (*path != '/' && slash) {
		snprintf(beside, sizeof(beside), "%.*s/%s", (int)(slash - s->file), s->file, path);
		if (!file_read(beside, &m->bytes, &m->size, why, size))
			return 0;
	}
	return file_read(path, &m->bytes, &m->size, why, size);
}

struct module *site_module(struct site *s, const char *path, bool kernel, int line, int col)
{
	struct module *m;
	char why[256];

	for (size_t i = 0; i < s->nmodules; i++)
		if (!strcmp(s->modules[i]->path, path) && s->modules[i]->kernel == kernel)
			return s->modules[i];
	m = calloc(1, sizeof(*m));
	s->modules = realloc(s->modules, (s->nmodules + 1) * sizeof(*s->modules));
	m->path = strdup(path);
	m->kernel = kernel;
	m->line = line;
	m->col = col;
	s->modules[s->nmodules++] = m;
	if (module_read(s, m, path, why, sizeof(why)))
		site_error(s, line, col, "the %s '%s' cannot be read: %s", kernel ? "kernel" : "ramdisk", path, why);
	else if (!m->size)
		site_error(s, line, col, "the %s '%s' is empty", kernel ? "kernel" : "ramdisk", path);
	module_name(m);
	return m;
}
