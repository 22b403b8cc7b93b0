/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of table rows that say what must have happened to a packet: see world.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfr/vfr.h>

#include "craft.h"
#include "world_priv.h"

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
static void as_forwarded(struct crafted *c, int out, bool turned)
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
	as_forwarded(&want, out, out == p->in_port);
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

void cmd_fwd(struct world *w, char *rest)
{
	if (!w->last)
		fail(w, "held");
	else
		check_forwarded(w, w->last, rest);
}

void cmd_drop(struct world *w, char *rest)
{
	char reason[32] = "", at[8] = "";

	sscanf(rest, "%31s %7s", reason, at);
	if (!w->last)
		fail(w, "held");
	else
		check_drop(w, w->last, reason, at);
}

void cmd_consumed(struct world *w, char *rest)
{
	if (!w->last || w->last->verdict != VFR_CONSUMED)
		fail(w, "verdict %d, %s", w->last ? w->last->verdict : -1, w->last ? vfr_drop_name(w->last->drop) : "held");
	account(w, rest)->consumed++;
}

void cmd_held(struct world *w, char *rest)
{
	if (w->last)
		fail(w, "verdict %u, %s", w->last->verdict, vfr_drop_name(w->last->drop));
}

void cmd_emit(struct world *w, char *rest)
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

/* Of the frame that the last line named. */
void cmd_piece(struct world *w, char *rest)
{
	const struct frame *f = &w->emitted[(w->e_head - 1) % QUEUE];
	char dom[8] = "";
	unsigned int chosen = 0;

	sscanf(rest, "%7s %u", dom, &chosen);
	if (f->of != port_of(dom) || f->sched_class != chosen)
		fail(w, "a piece of domain %u, class %u", f->of, f->sched_class);
}

/* All frames that are left are pieces of this packet: what stands behind their headers, put together, is what stands behind its. */
void cmd_joined(struct world *w, char *rest)
{
	static struct crafted want;
	static uint8_t whole[70000];
	uint32_t have = 0, id = 0;
	char port[8] = "";
	int n = 0;

	sscanf(rest, "%7s %n", port, &n);
	if (!craft(&want, rest + n, w->in_port))
		fail(w, "cannot be read");
	for (unsigned int i = 0; w->e_head != w->e_tail; w->e_head++, i++) {
		const struct frame *f = &w->emitted[w->e_head % QUEUE];
		uint32_t at = (f->b[20] << 8 | f->b[21]) % 8192 * 8u, len = f->len - 34;

		memcpy(whole + at, f->b + 34, len);
		have += len;
		uint32_t number = (uint32_t)(f->b[18] << 8 | f->b[19]);

		id = i ? id : number;
		if (f->port != port_of(port) || number != id)
			fail(w, "to port %u with another number", f->port);
	}
	if (have != want.len - 34 || memcmp(whole, want.b + 34, have) || id != (uint32_t)(want.b[18] << 8 | want.b[19]))
		fail(w, "%u bytes behind the headers, number %u", have, id);
}

static struct vfr_pkt *given_back(struct world *w)
{
	if (w->r_head != w->r_tail)
		return w->released[w->r_head++ % QUEUE];
	fail(w, "nothing was given back");
	return NULL;
}

void cmd_rel(struct world *w, char *rest)
{
	struct vfr_pkt *p = given_back(w);

	if (p)
		check_forwarded(w, p, rest);
	free_pkt(w, p);
}

void cmd_reldrop(struct world *w, char *rest)
{
	char reason[32] = "", at[8] = "";
	struct vfr_pkt *p = given_back(w);

	sscanf(rest, "%31s %7s", reason, at);
	if (p)
		check_drop(w, p, reason, at);
	free_pkt(w, p);
}

void cmd_relcons(struct world *w, char *rest)
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

void cmd_event(struct world *w, char *rest)
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

void cmd_emit_any(struct world *w, char *rest)
{
	if (w->e_head == w->e_tail || w->emitted[w->e_head % QUEUE].port != port_of(rest))
		fail(w, "not emitted");
	w->e_head++;
}

void cmd_rel_any(struct world *w, char *rest)
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

void cmd_also(struct world *w, char *rest)
{
	w->want[port_of(rest)].dir[VFR_IN].packets++;
	w->want[port_of(rest)].dir[VFR_IN].bytes += w->last->len;
}

void cmd_fwd_frag(struct world *w, char *rest)
{
	fwd_loose(w, w->last, rest);
}

void cmd_rel_frag(struct world *w, char *rest)
{
	struct vfr_pkt *p = w->r_head == w->r_tail ? NULL : w->released[w->r_head++ % QUEUE];

	fwd_loose(w, p, rest);
	free_pkt(w, p);
}

/* The last packet went back, addresses swapped, nothing else changed but the TTL. */
void cmd_turned(struct world *w, char *rest)
{
	struct vfr_pkt *p = w->last;
	const struct test_pkt *t = p ? p->priv : NULL;

	if (!p || p->verdict != VFR_FORWARD || p->out_port != p->in_port || memcmp(p->head + 26, t->orig.b + 30, 4) ||
	    memcmp(p->head + 30, t->orig.b + 26, 4) || memcmp(p->head + 34, t->orig.b + 34, p->len - 34) || bad_checksum(p->head, p->len))
		fail(w, "not turned around");
	else
		expect_forward_counts(w, p->in_port, p->in_port, p->len);
}

void cmd_class(struct world *w, char *rest)
{
	if (!w->last || w->last->sched_class != strtoul(rest, NULL, 10))
		fail(w, "class %u", w->last ? w->last->sched_class : 0);
}
