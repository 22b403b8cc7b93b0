/* SPDX-License-Identifier: BSD-2-Clause */
/* The interpreter of table rows: see world.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <vfr/vfr.h>

#include "craft.h"
#include "world_priv.h"

/* --- what must have happened ------------------------------------------------------------------------------------------ */

static struct vfr_dir_counters *account(struct world *w, const char *at)
{
	if (at && at[0] == '@')
		return &w->want[port_of(at + 1)].dir[w->in_port == port_of(at + 1) ? VFR_OUT : VFR_IN];
	return w->in_port ? &w->want[w->in_port].dir[VFR_OUT] : &w->want[0].dir[VFR_IN];
}

static void expect_forward_counts(struct world *w, int in, int out, uint32_t len)
{
	w->in_port = in;
	if (in || out == in) {
		account(w, NULL)->packets++;
		account(w, NULL)->bytes += len;
	}
	if (out && out != in) {
		w->want[out].dir[VFR_IN].packets++;
		w->want[out].dir[VFR_IN].bytes += len;
	}
}

/* TTL one less, its checksum mended the slow way; link addresses as the way out has them. */
static void as_forwarded(struct crafted *c, int in, int out, bool turned)
{
	uint8_t *ip = c->b + 14;
	uint32_t s = 0;

	if (turned)
		memcpy(c->b, c->b + 6, 6);
	else if (out == 0)
		memcpy(c->b, outside_mac, 6);
	else
		port_mac(out, c->b);
	if (out == 0)
		port_mac(0, c->b + 6);
	else
		memcpy(c->b + 6, gateway_mac, 6);
	(void)in;
	if (ip[0] >> 4 == 6) {
		ip[7]--;
		return;
	}
	ip[8]--;
	ip[10] = ip[11] = 0;
	for (unsigned int i = 0; i < (ip[0] & 15u) * 4; i += 2)
		s += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	ip[10] = (uint8_t)(~s >> 8);
	ip[11] = (uint8_t)~s;
}

static void check_forwarded(struct world *w, struct vfr_pkt *p, char *rest)
{
	static struct crafted want;
	struct test_pkt *t = p->priv;
	char port[8] = "", shown[200], wanted[200];
	int n = 0;

	sscanf(rest, "%7s %n", port, &n);
	int out = port_of(port);
	if (p->verdict != VFR_FORWARD || p->out_port != out) {
		describe(shown, sizeof(shown), p->head, p->len);
		fail(w, "verdict %u (%s), port %u: %s", p->verdict, vfr_drop_name(p->drop), p->out_port, shown);
		return;
	}
	if (rest[n]) {
		if (!craft(&want, rest + n, p->in_port))
			fail(w, "cannot be read");
		want.b[14 + (want.b[12] == 0x08 ? 8 : 7)]++;
	} else {
		want = t->orig;
	}
	as_forwarded(&want, p->in_port, out, out == p->in_port);
	if (want.len != p->len || memcmp(want.b, p->head, p->len)) {
		uint32_t i = 0;

		while (i < p->len && want.b[i] == p->head[i])
			i++;
		describe(shown, sizeof(shown), p->head, p->len);
		describe(wanted, sizeof(wanted), want.b, want.len);
		fail(w, "%s (%u bytes) instead of %s (%u bytes); byte %u is %02x, not %02x", shown, p->len, wanted, want.len, i,
			p->head[i], want.b[i]);
	}
	if (p->csum == VFR_CSUM_FULL && !bad_checksum(t->orig.b, t->orig.len) && bad_checksum(p->head, p->len))
		fail(w, "forwarded with a wrong %s", bad_checksum(p->head, p->len));
	expect_forward_counts(w, p->in_port, out, p->len);
}

static void check_drop(struct world *w, struct vfr_pkt *p, const char *reason, const char *at)
{
	char shown[200];

	describe(shown, sizeof(shown), p->head, p->len);
	if (p->verdict != VFR_DROP)
		fail(w, "verdict %u, port %u: %s", p->verdict, p->out_port, shown);
	else if (strcmp(vfr_drop_name(p->drop), reason))
		fail(w, "dropped as %s", vfr_drop_name(p->drop));
	w->in_port = p->in_port;
	account(w, at)->drop[p->drop]++;
}

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

static void cmd_fwd(struct world *w, char *rest)
{
	if (!w->last)
		fail(w, "held");
	else
		check_forwarded(w, w->last, rest);
}

static void cmd_drop(struct world *w, char *rest)
{
	char reason[32] = "", at[8] = "";

	sscanf(rest, "%31s %7s", reason, at);
	if (!w->last)
		fail(w, "held");
	else
		check_drop(w, w->last, reason, at);
}

static void cmd_consumed(struct world *w, char *rest)
{
	if (!w->last || w->last->verdict != VFR_CONSUMED)
		fail(w, "verdict %d, %s", w->last ? w->last->verdict : -1, w->last ? vfr_drop_name(w->last->drop) : "held");
	account(w, rest)->consumed++;
}

static void cmd_held(struct world *w, char *rest)
{
	if (w->last)
		fail(w, "verdict %u, %s", w->last->verdict, vfr_drop_name(w->last->drop));
}

static void cmd_emit(struct world *w, char *rest)
{
	struct frame *f = &w->emitted[w->e_head % QUEUE];
	char port[8] = "", shown[200];
	int n = 0;

	sscanf(rest, "%7s %n", port, &n);
	if (w->e_head == w->e_tail) {
		fail(w, "nothing was emitted");
		return;
	}
	w->e_head++;
	describe(shown, sizeof(shown), f->b, f->len);
	if (f->port != port_of(port) || strcmp(shown, rest + n))
		fail(w, "emitted to port %u: %s", f->port, shown);
}

static struct vfr_pkt *given_back(struct world *w)
{
	if (w->r_head != w->r_tail)
		return w->released[w->r_head++ % QUEUE];
	fail(w, "nothing was given back");
	return NULL;
}

static void cmd_rel(struct world *w, char *rest)
{
	struct vfr_pkt *p = given_back(w);

	if (p)
		check_forwarded(w, p, rest);
	free_pkt(w, p);
}

static void cmd_reldrop(struct world *w, char *rest)
{
	char reason[32] = "", at[8] = "";
	struct vfr_pkt *p = given_back(w);

	sscanf(rest, "%31s %7s", reason, at);
	if (p)
		check_drop(w, p, reason, at);
	free_pkt(w, p);
}

static void cmd_relcons(struct world *w, char *rest)
{
	struct vfr_pkt *p = given_back(w);

	if (p && p->verdict != VFR_CONSUMED)
		fail(w, "verdict %u, %s", p->verdict, vfr_drop_name(p->drop));
	w->in_port = p ? p->in_port : 0;
	account(w, rest)->consumed++;
	free_pkt(w, p);
}

static const char *const event_names[VFR_EV_COUNT] = {
	"src-port", "src-addr", "flow-limit", "egress", "frag-attack", "rule-log", "conn-quota", "nat-exhausted", "neigh-failed",
};

static void cmd_event(struct world *w, char *rest)
{
	char type[32] = "", dom[8] = "";
	unsigned long count = 1;

	sscanf(rest, "%31s %7s %lu", type, dom, &count);
	if (w->v_head == w->v_tail) {
		fail(w, "no event");
		return;
	}
	const struct vfr_event *e = &w->events[w->v_head++ % QUEUE];
	int want = !strcmp(dom, "-") ? (int)VFR_NODOM : port_of(dom);
	if (strcmp(event_names[e->type], type) || e->domid != want || e->count != count)
		fail(w, "event %s of domain %u, count %lu", event_names[e->type], e->domid, (unsigned long)e->count);
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

static void cmd_emit_any(struct world *w, char *rest)
{
	if (w->e_head == w->e_tail || w->emitted[w->e_head % QUEUE].port != port_of(rest))
		fail(w, "not emitted");
	w->e_head++;
}

static void cmd_rel_any(struct world *w, char *rest)
{
	char fwd[] = "u";

	cmd_rel(w, fwd);
}

/* Forwarded with sums right, whatever else was translated: fragments, whose text form has the private sums. */
static void fwd_loose(struct world *w, struct vfr_pkt *p, char *rest)
{
	if (!p || p->verdict != VFR_FORWARD || p->out_port != port_of(rest) || bad_checksum(p->head, p->len))
		fail(w, "not forwarded there");
	else
		expect_forward_counts(w, p->in_port, p->out_port, p->len);
}

static void cmd_also(struct world *w, char *rest)
{
	w->want[port_of(rest)].dir[VFR_IN].packets++;
	w->want[port_of(rest)].dir[VFR_IN].bytes += w->last->len;
}

static void cmd_fwd_frag(struct world *w, char *rest)
{
	fwd_loose(w, w->last, rest);
}

static void cmd_rel_frag(struct world *w, char *rest)
{
	struct vfr_pkt *p = w->r_head == w->r_tail ? NULL : w->released[w->r_head++ % QUEUE];

	fwd_loose(w, p, rest);
	free_pkt(w, p);
}

/* The last packet went back, addresses swapped, nothing else changed but the TTL. */
static void cmd_turned(struct world *w, char *rest)
{
	struct vfr_pkt *p = w->last;
	const struct test_pkt *t = p ? p->priv : NULL;

	if (!p || p->verdict != VFR_FORWARD || p->out_port != p->in_port || memcmp(p->head + 26, t->orig.b + 30, 4) ||
	    memcmp(p->head + 30, t->orig.b + 26, 4) || memcmp(p->head + 34, t->orig.b + 34, p->len - 34) || bad_checksum(p->head, p->len))
		fail(w, "not turned around");
	else
		expect_forward_counts(w, p->in_port, p->in_port, p->len);
}

static void cmd_class(struct world *w, char *rest)
{
	if (!w->last || w->last->sched_class != strtoul(rest, NULL, 10))
		fail(w, "class %u", w->last ? w->last->sched_class : 0);
}

static const struct {
	const char *name;
	void (*run)(struct world *w, char *rest);
} commands[] = {
	{ "in", cmd_in }, { "fwd", cmd_fwd }, { "drop", cmd_drop }, { "consumed", cmd_consumed }, { "held", cmd_held },
	{ "emit", cmd_emit }, { "rel", cmd_rel }, { "reldrop", cmd_reldrop }, { "relcons", cmd_relcons },
	{ "event", cmd_event }, { "time", cmd_time }, { "trace", cmd_trace },
	{ "claim", cmd_claim }, { "free", cmd_free }, { "rule", cmd_rule }, { "norules", cmd_norules }, { "domain", cmd_domain },
	{ "attach", cmd_port }, { "detach", cmd_detach }, { "mtu", cmd_mtu }, { "del", cmd_del }, { "announce", cmd_announce },
	{ "noneigh", cmd_noneigh }, { "owner", cmd_owner }, { "proto", cmd_proto }, { "first", cmd_first }, { "wait", cmd_wait },
	{ "emit?", cmd_emit_any }, { "relany", cmd_rel_any }, { "turned", cmd_turned }, { "class", cmd_class }, { "noerr", cmd_noerr },
	{ "also", cmd_also }, { "fwd?", cmd_fwd_frag }, { "fwdfrag", cmd_fwd_frag }, { "relfrag", cmd_rel_frag }, { "ra", cmd_ra },
		{ "dhcp", cmd_dhcp },
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
