/* SPDX-License-Identifier: BSD-2-Clause */
/* The interpreter of table rows: see world.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <vfr/vfr.h>

#include "craft.h"
#include "world_priv.h"

static void cmd_in(struct world *w, char *rest)
{
	struct test_pkt *t = malloc(sizeof(*t));
	char port[8] = "";
	int n = 0;

	sscanf(rest, "%7s %n", port, &n);
	free_pkt(w, w->last);
	if (!craft(&w->sent, rest + n, port_of(port))) {
		fail(w, "cannot be read");
		free(t);
		w->last = NULL;
		return;
	}
	w->in_port = port_of(port);
	w->live++;
	memset(&t->v, 0xa5, sizeof(t->v));
	t->orig = w->sent;
	memcpy(t->b, w->sent.b, sizeof(t->b));
	t->v.head = t->b;
	t->v.priv = t;
	t->v.len = w->sent.len;
	t->v.head_len = (uint16_t)(w->sent.len > 60000 ? 256 : w->sent.len);
	t->v.gso = w->sent.gso;
	t->v.gso_size = w->sent.gso_size;
	t->v.csum = w->sent.csum;
	t->v.csum_start = w->sent.csum_start;
	t->v.csum_offset = w->sent.csum_offset;
	struct vfr_pkt *batch[1] = { &t->v };
	vfr_input(w->v, 0, w->now, (uint16_t)w->in_port, batch, 1);
	w->last = batch[0];
}

/* trace PORT PACKET -> forward PORT | drop REASON | consumed | held [rule DOM ID] */
static void cmd_trace(struct world *w, char *rest)
{
	static struct crafted c;
	char port[8] = "", what[16] = "", which[32] = "", dom[8] = "", *arrow = strstr(rest, " -> ");
	static const char *const verdicts[] = { "?", "forward", "drop", "held", "consumed" };
	unsigned int id = 0;
	struct vfr_trace t;
	int n = 0;

	if (!arrow) {
		fail(w, "no ->");
		return;
	}
	*arrow = 0;
	sscanf(arrow + 4, "%15s %31s", what, which);
	char *rule = strstr(arrow + 4, "rule ");
	if (rule)
		sscanf(rule, "rule %7s %u", dom, &id);
	sscanf(rest, "%7s %n", port, &n);
	if (!craft(&c, rest + n, port_of(port))) {
		fail(w, "cannot be read");
		return;
	}
	vfr_trace(w->v, w->now, (uint16_t)port_of(port), c.b, c.len, &t);
	if (strcmp(verdicts[t.verdict], what) || (t.verdict == VFR_DROP && strcmp(vfr_drop_name(t.drop), which)) ||
	    (t.verdict == VFR_FORWARD && t.out_port != port_of(which)))
		fail(w, "%s %s, port %u", verdicts[t.verdict], vfr_drop_name(t.drop), t.out_port);
	if (!t.steps || strcmp(t.step[t.steps - 1].stage, "verdict"))
		fail(w, "the last step is not the verdict");
	if (rule && t.rule_id[VFR_OUT] != id && t.rule_id[VFR_IN] != id)
		fail(w, "rules %u and %u", t.rule_id[0], t.rule_id[1]);
}

static void cmd_time(struct world *w, char *rest)
{
	for (uint64_t left = (uint64_t)(atof(rest) * 1000); left; ) {
		uint64_t step = left > 250 ? 250 : left;

		w->now += step * 1000000;
		left -= step;
		vfr_timer(w->v, w->now);
	}
}

/* Short forms for the many. */
static void cmd_first(struct world *w, char *rest)
{
	char fwd[] = "A";

	cmd_in(w, rest);
	cmd_fwd(w, fwd);
}

static void cmd_wait(struct world *w, char *rest)
{
	cmd_in(w, rest);
	cmd_held(w, rest);
}

static void cmd_noerr(struct world *w, char *rest)
{
	char drop[] = "src-port";

	cmd_in(w, rest);
	cmd_drop(w, drop);
	w->e_head++;
	w->v_head = w->v_tail;
}

static const struct {
	const char *name;
	void (*run)(struct world *w, char *rest);
} commands[] = {
	{ "in", cmd_in }, { "fwd", cmd_fwd }, { "drop", cmd_drop }, { "consumed", cmd_consumed }, { "held", cmd_held },
	{ "emit", cmd_emit }, { "piece", cmd_piece }, { "joined", cmd_joined },
	{ "rel", cmd_rel }, { "reldrop", cmd_reldrop }, { "relcons", cmd_relcons },
	{ "event", cmd_event }, { "time", cmd_time }, { "trace", cmd_trace },
	{ "claim", cmd_claim }, { "free", cmd_free }, { "settle", cmd_settle }, { "rule", cmd_rule }, { "norules", cmd_norules },
	{ "domain", cmd_domain }, { "del", cmd_del }, { "internal", cmd_internal }, { "attach", cmd_port }, { "detach", cmd_detach },
	{ "mtu", cmd_mtu }, { "announce", cmd_announce }, { "noneigh", cmd_noneigh }, { "owner", cmd_owner }, { "proto", cmd_proto },
	{ "first", cmd_first }, { "wait", cmd_wait },
	{ "emit?", cmd_emit_any }, { "relany", cmd_rel_any }, { "turned", cmd_turned }, { "class", cmd_class }, { "noerr", cmd_noerr },
	{ "also", cmd_also }, { "fwd?", cmd_fwd_frag }, { "fwdfrag", cmd_fwd_frag }, { "relfrag", cmd_rel_frag },
	{ "ra", cmd_ra }, { "prefix", cmd_prefix }, { "dhcp", cmd_dhcp },
};

static void run_line(struct world *w, const char *line)
{
	char text[1024], *sp;
	int times, n = 0;

	if (sscanf(line, "repeat %d %n", &times, &n) == 1) {
		for (int i = 0; i < times; i++) {
			const char *at = strchr(line + n, '%');

			if (at)
				snprintf(text, sizeof(text), "%.*s%d%s", (int)(at - line - n), line + n, i, at + 1);
			run_line(w, at ? text : line + n);
		}
		return;
	}
	snprintf(text, sizeof(text), "%s", line);
	sp = strchr(text, ' ');
	if (sp)
		*sp = 0;
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, text)) {
			commands[i].run(w, sp ? sp + 1 : text + strlen(text));
			return;
		}
	fail(w, "no such command");
}

static void compare_dir(struct world *w, int dom, int dir, const struct vfr_dir_counters *is, const struct vfr_dir_counters *want)
{
	const char *where = dir == VFR_IN ? "in" : "out";

	if (is->packets != want->packets || is->bytes != want->bytes || is->consumed != want->consumed)
		fail(w, "domain %d %s: %lu packets %lu bytes %lu consumed, not %lu %lu %lu", dom, where, is->packets, is->bytes,
		     is->consumed, want->packets, want->bytes, want->consumed);
	for (unsigned int i = 0; i < VFR_DROP_COUNT; i++)
		if (is->drop[i] != want->drop[i])
			fail(w, "domain %d %s: %s is %lu, not %lu", dom, where, vfr_drop_name(i), is->drop[i], want->drop[i]);
}

static void finish(struct world *w)
{
	struct vfr_counters is;
	char shown[200];

	w->line = "(end)";
	if (w->failed)
		goto clean;
	if (w->e_head != w->e_tail) {
		describe(shown, sizeof(shown), w->emitted[w->e_head % QUEUE].b, w->emitted[w->e_head % QUEUE].len);
		fail(w, "%u frames emitted that no line names: %s", w->e_tail - w->e_head, shown);
	}
	if (w->r_head != w->r_tail)
		fail(w, "%u packets given back that no line names", w->r_tail - w->r_head);
	for (int d = 0; d < DOMS; d++)
		if (!vfr_counters_read(w->v, d ? (uint16_t)d : VFR_NODOM, &is))
			for (int dir = 0; dir < 2; dir++)
				compare_dir(w, d, dir, &is.dir[dir], &w->want[d].dir[dir]);
clean:
	free_pkt(w, w->last);
	w->last = NULL;
	vfr_destroy(w->v);
	while (w->r_head != w->r_tail)
		free_pkt(w, w->released[w->r_head++ % QUEUE]);
	if (w->live)
		fail(w, "%u packets lost", w->live);
	if (env_host_live_blocks())
		fail(w, "%lu bytes of memory lost", (unsigned long)env_host_live_bytes());
}

int run_row(const struct table *t, const struct row *r)
{
	static struct world w;
	const char *at = r->script;

	memset(&w, 0, sizeof(w));
	w.row = r;
	w.line = "(world)";
	w.now = 1000000000000ull;
	build(&w);
	while (*at && !w.failed) {
		char line[1024];
		const char *end = strchr(at, '\n');
		size_t n = end ? (size_t)(end - at) : strlen(at);

		while (n && *at == ' ')
			at++, n--;
		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		w.line = line;
		if (n)
			run_line(&w, line);
		at += n + (end ? 1 : 0);
	}
	w.line = "(end)";
	finish(&w);
	if (w.failed)
		printf("    in row: %s / %s\n", t->name, r->title);
	return w.failed;
}
