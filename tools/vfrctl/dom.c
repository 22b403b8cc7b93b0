/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: their list, and what starts, stops and removes them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

static const char *const state_names[] = {"running", "paused", "stopped", "crashed"};

static const char *state_name(unsigned int s)
{
	return s < VC_DOM_STATES ? state_names[s] : "?";
}

int dom_state(struct cli *cli, const char *name, const char **state)
{
	struct domains all;
	int rc = domains_read(cli, &all);

	*state = "?";
	for (size_t i = 0; !rc && i < all.n; i++)
		if (!strcmp(all.v[i].name, name))
			*state = state_name(all.v[i].state);
	free(all.v);
	return rc;
}

static json_t *dom_json(const struct vc_dom_rec *d)
{
	return json_pack("{s:o, s:i, s:s, s:i, s:I, s:f, s:o, s:i, s:i, s:o}", "name", json_name(d->name, VC_NAME), "id", d->domid,
			 "state", state_name(d->state), "vcpus", (int)d->vcpus, "memory_bytes", (json_int_t)d->mem_bytes, "cpu_s",
			 d->cpu_ns / 1e9, "started", json_time(d->started_utc_ns), "restarts", (int)d->restarts, "slices",
			 (int)d->slices, "reason", json_name(d->reason, VC_NAME));
}

static const struct column dom_columns[] = {
	{.head = "name"}, {.head = "id", .number = true, .min = 4}, {.head = "state"}, {.head = "vcpus", .number = true, .rank = 1},
	{.head = "memory", .number = true}, {.head = "cpu", .number = true, .min = 9}, {.head = "slices", .number = true},
	{.head = "last stop"},
};

static void dom_text(struct table *t, const struct vc_dom_rec *d)
{
	char mem[32];

	vfrc_format_size(d->mem_bytes, mem, sizeof(mem));
	table_cell(t, "%.32s", d->name);
	table_cell(t, "%u", d->domid);
	table_cell(t, "%s", state_name(d->state));
	table_cell(t, "%u", d->vcpus);
	table_cell(t, "%s", mem);
	table_cell(t, "%.2fs", d->cpu_ns / 1e9);
	table_cell(t, "%u", d->slices);
	table_cell(t, "%.32s", d->reason);
}

int cmd_dom_ls(struct cli *cli)
{
	struct listing l = list_begin(cli, dom_columns, NCOLS(dom_columns));
	struct domains all = {0};
	int rc = cli_words(cli, 0, 1);
	const char *only = cli_word(cli, 0);

	if (!rc)
		rc = cli_known(cli, only);
	if (!rc)
		rc = domains_read(cli, &all);
	for (size_t i = 0; !rc && i < all.n; i++) {
		if (only && strcmp(only, all.v[i].name))
			continue;
		if (l.json)
			json_array_append_new(l.json, dom_json(&all.v[i]));
		else
			dom_text(l.t, &all.v[i]);
	}
	free(all.v);
	return list_end(&l, rc, NULL, "no domains");
}

/* Start and reboot are one message: who runs would lose his state by the first word. */
static int not_up(struct cli *cli, const char *name)
{
	struct domains all;
	int rc = domains_read(cli, &all);

	for (size_t i = 0; !rc && i < all.n; i++) {
		if (strcmp(all.v[i].name, name))
			continue;
		if (all.v[i].state == VC_DOM_RUNNING)
			rc = cli_refuse(cli, "bad-state", EINVAL, "%s is running ('vfrctl dom reboot %s' starts it anew)", name, name);
		else if (all.v[i].state == VC_DOM_PAUSED)
			rc = cli_refuse(cli, "bad-state", EINVAL, "%s is paused ('vfrctl dom resume %s' lets it run)", name, name);
	}
	free(all.v);
	return rc;
}

int cmd_dom_op(struct cli *cli)
{
	static const struct {
		const char *name;
		uint16_t type;
	} ops[] = {
		{"dom pause", VC_DOM_PAUSE}, {"dom resume", VC_DOM_UNPAUSE}, {"dom reboot", VC_DOM_REBOOT}, {"dom start", VC_DOM_REBOOT},
		{"dom shutdown", VC_DOM_SHUTDOWN}, {"dom stop", VC_DOM_STOP},
	};
	struct vc_dom_op op = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 1);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], op.name);
	if (!rc && !strcmp(cli->command->name, "dom start"))
		rc = not_up(cli, op.name);
	for (size_t i = 0; !rc && i < sizeof(ops) / sizeof(*ops); i++)
		if (!strcmp(ops[i].name, cli->command->name))
			return cli_call(cli, ops[i].type, &op, sizeof(op), &r);
	return rc;
}

int cmd_dom_destroy(struct cli *cli)
{
	struct vc_dom_create m = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 1);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], m.name);
	if (rc)
		return rc;
	/* The key alone counts, but the message must be one. */
	strcpy(m.kernel, "-");
	m.mem_bytes = VC_MEM_MIN;
	m.vcpus = 1;
	return cli_call(cli, VC_DOM_CREATE | VC_DEL, &m, sizeof(m), &r);
}
