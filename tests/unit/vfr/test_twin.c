/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router, short way and stages, against the naive twin: random configurations, random packets. vfr-twin [PACKETS [SEED]].
 * Prints the seed of a difference, so that it can be had again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>

#include "twin_gen.h"

uint64_t twin_seed;

struct sent {
	struct vfr_pkt p;
	uint64_t id;
	uint8_t b[TWIN_FRAME];
};

static struct twin twin;
static struct twin_answer want;
static struct side side[2] = { { .name = "short way" }, { .name = "stages" } };
static uint64_t now;
static uint64_t seen[7];	/* forwarded, dropped, consumed, held; connections and mappings made; errors told */
static uint32_t hurry;		/* so many packets come, by and large, before time goes by */

static const char *verdict_of(const struct vfr_pkt *p)
{
	return p->verdict == VFR_FORWARD ? "forward" : p->verdict == VFR_CONSUMED ? "consumed" : vfr_drop_name(p->drop);
}

static void note(struct twin_frame *f, uint16_t port, uint64_t id, const uint8_t *b, uint32_t len)
{
	f->port = port;
	f->id = id;
	f->len = len;
	memcpy(f->b, b, len);
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	struct side *s = host;

	if (len <= TWIN_FRAME && s->mades < TWIN_HELD)
		note(&s->made[s->mades++], port, 0, f, len);
}

static void on_release(void *host, struct vfr_pkt *p)
{
	struct side *s = host;
	struct sent *h = (struct sent *)p;

	s->back[s->backs].verdict = verdict_of(p);
	note(&s->back[s->backs++], p->out_port, h->id, h->b, p->len);
	free(h);
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };

static unsigned int block_of(int d)
{
	return vfr_dom_find(side[1].v, (uint16_t)d)->slot % 64u;
}

/* --- packets ---------------------------------------------------------------------------------------------------------- */

#define BATCH 6
static struct batch {
	unsigned int n, at;		/* how many; which one the twin looks at */
	uint64_t id;			/* of the first */
	struct twin_packet in[BATCH];
	struct twin_frame is[BATCH];	/* what the twin makes of them */
	struct got {
		struct twin_frame f;
		struct vfr_pkt p;
	} got[2][BATCH];
} batch;

/*
 * The port that the router has chosen: as the packet shows it, else as the mapping does. (A reset opens a mapping that is over at
 * once, so within a batch a private end may have had another port before.)
 */
static uint16_t chosen(uint32_t inside, uint16_t iport, int kind)
{
	const struct twin_frame *f = &batch.got[1][batch.at].f;
	struct vfr_nat_info m;
	uint64_t cursor = 0;

	if (!strcmp(f->verdict, "forward"))
		return env_get16(f->b + 14 + (f->b[14] & 15u) * 4 + (kind == 2 ? 4 : 0));
	while (vfr_nat_next(side[1].v, &cursor, &m))
		if (m.internal == inside && m.iport == iport && m.proto == 1 << kind)
			return m.eport;
	return 0;
}

static struct sent *make_packet(const struct twin_packet *in, uint64_t id)
{
	struct sent *h = malloc(sizeof(*h));
	bool six = in->b[12] == 0x86;

	memset(&h->p, 0x5a, sizeof(h->p));
	memcpy(h->b, in->b, in->len);
	h->id = id;
	h->p.head = h->b;
	h->p.len = in->len;
	h->p.head_len = (uint16_t)in->linear;
	h->p.gso = (uint8_t)(!in->piece ? VFR_GSO_NONE : six ? VFR_GSO_TCPV6 : in->b[23] == 6 ? VFR_GSO_TCPV4 : VFR_GSO_UDP);
	h->p.gso_size = in->piece;
	h->p.csum = in->partial ? VFR_CSUM_PARTIAL : VFR_CSUM_FULL;
	h->p.csum_start = six ? 54 : 34;
	h->p.csum_offset = in->b[six ? 20 : 23] == 6 ? 16 : 6;
	return h;
}

/* => what side i does with the batch. Whoever is held comes back later, perhaps in this batch. */
static void run(unsigned int i)
{
	struct vfr_pkt *p[BATCH];

	side[i].backs = side[i].mades = 0;
	for (unsigned int k = 0; k < batch.n; k++)
		p[k] = &make_packet(&batch.in[k], batch.id + k)->p;
	vfr_input(side[i].v, 0, now, (uint16_t)batch.in[0].in, p, batch.n);
	for (unsigned int k = 0; k < batch.n; k++) {
		struct got *g = &batch.got[i][k];
		struct sent *h = (struct sent *)p[k];

		g->f.verdict = p[k] ? verdict_of(p[k]) : "held";
		g->f.len = batch.in[k].len;
		if (!p[k])
			continue;
		g->p = *p[k];
		note(&g->f, p[k]->out_port, h->id, h->b, h->p.len);
		free(h);
	}
}

static void append(struct twin_frame *to, unsigned int *n, const struct twin_frame *from, unsigned int more)
{
	for (unsigned int i = 0; i < more; i++)
		to[(*n)++] = from[i];
}

/* The twin takes them one by one; what comes back and what is made is put together. */
static void ask_twin(void)
{
	static struct twin_answer one;

	want.backs = want.mades = 0;
	for (unsigned int k = 0; k < batch.n; k++) {
		batch.at = k;
		twin_decide(&twin, batch.id + k, &batch.in[k], &one);
		batch.is[k] = one.own;
		append(want.back, &want.backs, one.back, one.backs);
		append(want.made, &want.mades, one.made, one.mades);
		seen[3] += !strcmp(one.own.verdict, "held");
		seen[6] += strcmp(one.own.verdict, "consumed") && strcmp(one.own.verdict, "forward") ? one.mades : 0;
	}
}

static void note_questions(void)
{
	for (unsigned int i = 0; i < want.mades; i++)
		twin_was_made(want.made[i].port, want.made[i].b, want.made[i].len);
}

/* What comes back, and what is made. */
static bool same_aside(bool in_order)
{
	bool ok = true;

	for (unsigned int i = 0; ok && i < 2; i++)
		ok = twin_same_back(&side[i], &want) && twin_same_made(&side[i], &want, in_order);
	return ok;
}

static bool one_batch(void)
{
	char what[32];
	bool ok = true;

	run(0);
	run(1);
	ask_twin();
	for (unsigned int k = 0; ok && k < batch.n; k++) {
		for (unsigned int i = 0; ok && i < 2; i++) {
			snprintf(what, sizeof(what), "%s: packet", side[i].name);
			ok = twin_same(what, &batch.got[i][k].f, &batch.is[k]);
		}
		ok = ok && (!strcmp(batch.is[k].verdict, "held") || twin_same_notes(&batch.got[0][k].p, &batch.got[1][k].p));
	}
	ok = ok && same_aside(true);
	for (unsigned int k = 0; k < batch.n; k++) {
		const struct twin_packet *in = &batch.in[k];

		if (ok && !strcmp(batch.is[k].verdict, "forward"))
			twin_went_through(in, batch.is[k].b, batch.is[k].port);
		if (ok)
			continue;
		printf("%u bytes, %u linear%s, pieces of %u\n", in->len, in->linear, in->partial ? ", partial sum" : "", in->piece);
		twin_dump("the packet", in->in, in->b, in->len);
	}
	note_questions();
	return ok;
}

/* => one packet, or several that come in by the same port; the first that does not is for the next batch. */
static void gather(uint64_t id, bool anew)
{
	static struct twin_packet next;
	unsigned int most = rnd(3) ? 1 : 1 + rnd(BATCH);

	batch.id = id;
	batch.n = 0;
	if (anew)
		next.len = 0;
	do {
		if (!next.len)
			twin_next(&twin, &next);
		if (batch.n && next.in != batch.in[0].in)
			break;
		batch.in[batch.n++] = next;
		next.len = 0;
	} while (batch.n < most);
}

/*
 * Time goes by in steps of 2.6 s: no multiple of that falls on a period of the router, nor into the second or so by which it may
 * round one up.
 */
#define STEP_TENTHS 26

static bool some_time(uint64_t steps)
{
	uint64_t tenths = STEP_TENTHS * steps;
	/* A sixteenth of the long tables is looked through at each call. */
	unsigned int calls = rnd(2) ? 17 : 1;

	now += tenths * (SEC / 10);
	for (unsigned int i = 0; i < 2; i++) {
		side[i].backs = side[i].mades = 0;
		for (unsigned int n = 0; n < calls; n++)
			vfr_timer(side[i].v, now);
	}
	/* What more calls find at the same time is nothing new. */
	twin_pass_time(&twin, tenths, &want);
	bool ok = same_aside(false);

	note_questions();
	return ok;
}

static bool same_rule_counts(void);

/* Something is changed by the operator. */
static bool some_change(void)
{
	struct alter w = { .t = &twin, .v = (struct vfr *[2]){ side[0].v, side[1].v }, .now = now, .a = &want };

	for (unsigned int i = 0; i < 2; i++)
		side[i].backs = side[i].mades = 0;
	return same_rule_counts() && twin_alter(&w) && same_aside(false);
}

static bool hold_down(void)
{
	struct alter w = { .t = &twin, .v = (struct vfr *[2]){ side[0].v, side[1].v }, .now = now, .a = &want };

	if (!twin_alter_held(&w, true) || !some_time(46 + rnd(2)))
		return false;
	w.now = now;
	return twin_alter_held(&w, false);
}

static bool same_counters(void)
{
	struct vfr_counters c[2];
	struct vfr_totals tot;

	for (unsigned int d = 0; d < TWIN_DOMS; d++) {
		for (int i = 0; i < 2; i++)
			if (vfr_counters_read(side[i].v, d ? (uint16_t)d : VFR_NODOM, &c[i]))
				memset(&c[i], 0, sizeof(c[i]));
		if (memcmp(&c[0], &c[1], sizeof(c[0]))) {
			printf("the short way counts otherwise than the stages\n");
			return false;
		}
	}
	vfr_totals_read(side[0].v, &tot);
	seen[4] += twin.flows_made;
	seen[5] += twin.maps_made;
	seen[0] += tot.forwarded;
	seen[1] += tot.dropped;
	seen[2] += tot.consumed;
	return tot.held == twin.helds;
}

static bool same_rule_counts(void)
{
	struct vfr_rule_count is[TWIN_RULES];

	for (int d = 0; d < TWIN_DOMS; d++)
		for (int i = 0; i < 2; i++) {
			uint32_t n = vfr_rules_read(side[i].v, d ? (uint16_t)d : VFR_GLOBAL, is, TWIN_RULES);

			for (uint32_t r = 0; r < n; r++) {
				if (is[r].packets == twin.rule[d][r].packets && is[r].bytes == twin.rule[d][r].bytes)
					continue;
				printf("rule %u of %d matched %lu packets, the twin says %lu\n", r, d, is[r].packets,
				       twin.rule[d][r].packets);
				return false;
			}
		}
	return true;
}

static bool one_world(uint64_t packets, uint64_t *done)
{
	struct vfr *v[2];
	now = rnd(2) ? 1ull << 40 : SEC;
	bool ok = twin_build(&twin, v, &ops, (void *[2]){ &side[0], &side[1] }, &want), changes = rnd(3);

	twin.choose = chosen;
	twin.block = block_of;
	side[0].v = v[0];
	side[1].v = v[1];
	twin_traffic_reset();
	hurry = rnd(3) ? 100 : 2000;
	for (uint64_t i = 0; ok && i < packets; i += batch.n, *done += batch.n) {
		gather(*done, i == 0);
		ok = one_batch();
		bool later = rnd(hurry) == 0;

		if (ok && later)
			ok = some_time((uint64_t[]){ 1, 1, 2, 5, 12, 26, 47, 93, 116, 2862 }[rnd(rnd(8) ? 6 : 10)]);
		if (ok && changes && rnd(later ? 2 : 100) == 0)
			ok = some_change();
		if (ok && changes && rnd(1000) == 0)
			ok = hold_down();
	}
	ok = ok && same_counters() && same_rule_counts();
	for (unsigned int i = 0; i < 2; i++) {
		side[i].backs = 0;
		vfr_destroy(v[i]);
	}
	return ok && !env_host_live_blocks();
}

int main(int argc, char **argv)
{
	uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, done = 0;
	unsigned int passed = 0, failed = 0;

	for (uint64_t s = first; done < packets && !failed; s++) {
		twin_seed = s;
		bool ok = one_world(5000, &done);
		if (!ok)
			printf("that was seed %lu\n", s);
		passed += ok;
		failed += !ok;
	}
	printf("%lu packets: %lu forwarded, %lu dropped, %lu consumed, %lu held; %lu connections and %lu mappings made, "
	       "%lu errors told\n%u passed, %u failed\n", done, seen[0], seen[1], seen[2], seen[3], seen[4], seen[5], seen[6], passed,
	       failed);
	/* A generator gone stale would agree about nothing but drops. */
	bool stale = seen[0] < done / 10 || seen[3] < done / 100 || seen[4] < done / 500 || seen[5] < done / 500;
	return failed || (stale && done >= 100000);
}
