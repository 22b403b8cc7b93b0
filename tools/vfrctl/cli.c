/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command needs: its words and options, the connection, and how a refusal is told. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fit.h"

void cli_take(struct cli *cli, int i, int n)
{
	memmove(cli->argv + i, cli->argv + i + n, (cli->argc - i - n) * sizeof(*cli->argv));
	cli->argc -= n;
}

bool cli_flag(struct cli *cli, const char *name)
{
	for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--"); i++) {
		if (strcmp(cli->argv[i], name))
			continue;
		cli_take(cli, i, 1);
		return true;
	}
	return false;
}

const char *cli_value(struct cli *cli, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--"); i++) {
		const char *v = NULL;

		if (!strncmp(cli->argv[i], name, n) && cli->argv[i][n] == '=') {
			v = cli->argv[i] + n + 1;
			cli_take(cli, i, 1);
		} else if (!strcmp(cli->argv[i], name)) {
			if (i + 1 == cli->argc)
				exit(cli_usage(cli, "%s needs a value", name));
			v = cli->argv[i + 1];
			cli_take(cli, i, 2);
		}
		if (v)
			return v;
	}
	return NULL;
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fit_line(stderr, 2, "vfrctl: %s", text);
	if (cli->command)
		fit_line(stderr, 7, "usage: vfrctl %s%s%s", cli->command->name, *cli->command->args ? " " : "", cli->command->args);
	else
		fit_line(stderr, 7, "usage: vfrctl [--socket PATH] [--json] COMMAND ...\n'vfrctl help' lists the commands.");
	return EXIT_USAGE;
}

int cli_words(struct cli *cli, int min, int max)
{
	if (cli->argc && !strcmp(cli->argv[0], "--"))
		cli_take(cli, 0, 1);
	for (int i = 0; i < cli->argc; i++)
		if (cli->argv[i][0] == '-' && cli->argv[i][1] && strcmp(cli->argv[i], "--"))
			return cli_usage(cli, "unknown option '%s'", cli->argv[i]);
	if (cli->argc < min)
		return cli_usage(cli, "too few words");
	if (cli->argc > max)
		return cli_usage(cli, "too many words: '%s'", cli->argv[max]);
	return 0;
}

/* What to do about a refusal, where it is not plain from its text. */
static const struct {
	const char *name, *hint;
} hints[] = {
	{"slice-held-down", "with --force it is handed over at once"},
	{"slice-taken", "'vfrctl slice ls' shows who has which, 'vfrctl map' what is free"},
	{"unconfirmed", "'vfrctl confirm' keeps that change, 'vfrctl rollback' takes it back"},
	{"transaction-open", "one change at a time: try again in a moment"},
	{"stale-base", "somebody else has changed it meanwhile: try again"},
	{"no-address", "'vfrctl show' lists the addresses; new ones come with a site file, by 'vfrctl apply'"},
	{"no-uplink", "'vfrctl uplink ls' shows those that there are"},
	{"no-memory", "'vfrctl info' shows how much is free"},
	{"capture-open", "one capture at a time; one that nobody reads ends after 10 s"},
};

void cli_hint(const char *name)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (!strcmp(hints[i].name, name))
			fit_line(stderr, 1, "(%s)", hints[i].hint);
}

static void tell_refusal(struct cli *cli, const char *name, int code, const char *text, const char *owner)
{
	if (cli->json)
		cli_json(json_pack("{s:{s:s, s:i, s:s, s:s}}", "error", "name", name, "code", code, "text", text, "owner", owner));
	else
		fit_line(stderr, 2, "vfrctl: %s (%s)", text, name);
	if (!cli->json)
		cli_hint(name);
}

int cli_refuse(struct cli *cli, const char *name, int code, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell_refusal(cli, name, code, text, "");
	return EXIT_REFUSED;
}

struct collecting {
	uint8_t **v;
	size_t *n, size;
	bool bad;
};

static int collect(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	struct collecting *c = ctx;
	uint8_t *v = p->record == c->size ? realloc(*c->v, (*c->n + p->count) * c->size + 1) : NULL;

	c->bad = !v;
	if (!v)
		return 1;
	*c->v = v;
	memcpy(v + *c->n * c->size, rec, p->count * c->size);
	*c->n += p->count;
	return 0;
}

int cli_records(struct cli *cli, uint16_t type, size_t size, void *v, size_t *n)
{
	struct collecting c = {.v = v, .n = n, .size = size};
	struct vc_page q = {0};
	struct vfrc_reply r;
	int rc;

	*c.v = NULL;
	*n = 0;
	rc = cli_result(cli, vfrc_pages(cli->c, type, &q, collect, &c, &r), &r);
	return rc || !c.bad ? rc : cli_refuse(cli, "bad-reply", EPROTO, "the hypervisor's list 0x%x has records of another size", type);
}

int domains_read(struct cli *cli, struct domains *out)
{
	return cli_records(cli, VC_DOM_LIST, sizeof(*out->v), &out->v, &out->n);
}

/* "there is no domain wbe1", and the one that was meant. */
static int no_domain(struct cli *cli, const char *text, const char *name)
{
	struct domains all;
	const char **names, *near;
	int rc = domains_read(cli, &all);

	if (rc)
		return rc;
	names = calloc(all.n + 1, sizeof(*names));
	for (size_t i = 0; names && i < all.n; i++)
		names[i] = all.v[i].name;
	near = names ? vfrc_suggest(name, names, all.n) : NULL;
	rc = near ? cli_refuse(cli, "no-domain", ENOENT, "%s: did you mean %s?", text, near) :
		cli_refuse(cli, "no-domain", ENOENT, "%s", text);
	free(names);
	free(all.v);
	return rc;
}

int cli_known(struct cli *cli, const char *name)
{
	struct domains all;
	char text[100];
	bool found = false;
	int rc = name ? domains_read(cli, &all) : 0;

	if (rc || !name)
		return rc;
	for (size_t i = 0; i < all.n; i++)
		found = found || !strcmp(all.v[i].name, name);
	free(all.v);
	snprintf(text, sizeof(text), "there is no domain %.40s", name);
	return found ? 0 : no_domain(cli, text, name);
}

int cli_result(struct cli *cli, int rc, const struct vfrc_reply *r)
{
	if (rc == VFRC_OK)
		return EXIT_DONE;
	/* The name stands among the command's own words; the hypervisor says only that it is none. */
	if (rc == VFRC_REFUSED && !strcmp(r->err.name, "no-domain") && cli->argc)
		return no_domain(cli, r->err.text, cli->argv[0]);
	tell_refusal(cli, r->err.name, r->err.code, r->err.text, r->err.owner);
	return rc == VFRC_LOST ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

int cli_call(struct cli *cli, uint16_t type, const void *body, size_t n, struct vfrc_reply *r)
{
	return cli_result(cli, vfrc_call(cli->c, type, body, n, r), r);
}

int cli_json(json_t *v)
{
	json_dumpf(v, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(v);
	return EXIT_DONE;
}

int cli_domain(struct cli *cli, const char *name, char out[VC_NAME])
{
	memset(out, 0, VC_NAME);
	if (!vfrc_name_ok(name, VC_NAME))
		return cli_usage(cli, "'%s' is not the name of a domain", name);
	strcpy(out, name);
	return 0;
}

const char *cli_default_socket(void)
{
	const char *env = getenv("VFR_SOCKET");

	if (env && *env)
		return env;
	return access("build/run/vfr.sock", F_OK) ? "/run/vfr.sock" : "build/run/vfr.sock";
}

int cli_connect(struct cli *cli)
{
	char why[256];

	cli->c = vfrc_open(cli->socket, why, sizeof(why));
	if (cli->c)
		return 0;
	if (cli->json)
		cli_json(json_pack("{s:{s:s, s:s, s:s}}", "error", "name", "unreachable", "text", why, "socket", cli->socket));
	else
		fit_line(stderr, 2, "vfrctl: the hypervisor is not reachable at %s: %s\n(--socket PATH or VFR_SOCKET names another socket)",
			 cli->socket, why);
	return EXIT_UNREACHABLE;
}

int cli_yield(struct cli *cli)
{
	vfrc_close(cli->c);
	cli->c = NULL;
	usleep(20000);
	return cli_connect(cli);
}
