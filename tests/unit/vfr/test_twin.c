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

/* What one of the two routers has said beside its verdicts. */
struct side {
	struct vfr *v;
	struct twin_frame back[TWIN_HELD], made[TWIN_HELD];
	unsigned int backs, mades;
};

struct sent {
	struct vfr_pkt p;
	uint64_t id;
	uint8_t b[TWIN_FRAME];
};

static struct twin twin;
static struct twin_answer want;
static struct side side[2];
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

/* The port that the router has chosen: found where it shows its mappings. */
static uint16_t chosen(uint32_t inside, uint16_t iport, int kind)
{
	struct vfr_nat_info m;
	uint64_t cursor = 0;

	while (vfr_nat_next(side[1].v, &cursor, &m))
		if (m.internal == inside && m.iport == iport && m.proto == 1 << kind)
			return m.eport;
	return 0;
}

static unsigned int block_of(int d)
{
	return vfr_dom_find(side[1].v, (uint16_t)d)->slot % 64u;
}

/* --- comparing -------------------------------------------------------------------------------------------------------- */

static bool same(const char *what, const struct twin_frame *got, const struct twin_frame *is)
{
	bool sent = !strcmp(is->verdict, "forward");

	if (!strcmp(got->verdict, is->verdict) && got->len == is->len &&
		(!sent || (got->port == is->port && !memcmp(got->b, is->b, is->len))))
		return true;
	printf("%s %lu, %u bytes: \"%s\" to port %d, the twin says \"%s\" to port %d\n", what, is->id, is->len, got->verdict, got->port,
	       is->verdict, is->port);
	for (uint32_t k = 0; sent && k < is->len; k++)
		if (got->b[k] != is->b[k])
			printf("  byte %u: %02x, the twin says %02x\n", k, got->b[k], is->b[k]);
	return false;
}

static void dump(const char *what, int port, const uint8_t *b, uint32_t len)
{
	printf("%s, port %d:\n", what, port);
	for (uint32_t k = 0; k < len && k < 128; k++)
		printf("%02x%s", b[k], k % 16 == 15 ? "\n" : " ");
	putchar('\n');
}

/* In any order: what waited too long comes back as the table has it. */
static bool same_back(const struct side *s)
{
	if (s->backs != want.backs) {
		printf("%s: %u packets come back, the twin says %u\n", s == side ? "short way" : "stages", s->backs,
		       want.backs);
		return false;
	}
	for (unsigned int i = 0; i < want.backs; i++) {
		unsigned int k = 0;

		while (k < s->backs && s->back[k].id != want.back[i].id)
			k++;
		if (k == s->backs || !same("held packet", &s->back[k], &want.back[i]))
			return false;
	}
	return true;
}

static bool same_frame(const struct twin_frame *a, const struct twin_frame *b)
{
	return a->port == b->port && a->len == b->len && !memcmp(a->b, b->b, a->len);
}

/* What the router made itself: pieces of packets, errors, questions. When many wait for a time, who comes first does not matter. */
static bool same_made(struct side *s, bool in_order)
{
	static struct twin_frame t;
	unsigned int i = 0;

	for (; i < s->mades && i < want.mades; i++) {
		unsigned int k = i;

		while (!in_order && k < s->mades - 1 && !same_frame(&s->made[k], &want.made[i]))
			k++;
		if (!same_frame(&s->made[k], &want.made[i]))
			break;
		t = s->made[i];
		s->made[i] = s->made[k];
		s->made[k] = t;
	}
	if (i == s->mades && i == want.mades)
		return true;
	printf("%s: %u frames are made, the twin makes %u; number %u is another one\n", s == side ? "short way" : "stages", s->mades,
	       want.mades, i);
	if (i < s->mades)
		dump("made", s->made[i].port, s->made[i].b, s->made[i].len);
	if (i < want.mades)
		dump("the twin's", want.made[i].port, want.made[i].b, want.made[i].len);
	return false;
}

static bool same_notes(const struct vfr_pkt *a, const struct vfr_pkt *b)
{
	if (a->flags == b->flags && a->sport == b->sport && a->dport == b->dport && a->src_dom == b->src_dom && a->dst_dom == b->dst_dom &&
	    a->dscp == b->dscp && a->sched_class == b->sched_class && (a->len < 34 || a->flow_hash == b->flow_hash || !a->flags))
		return true;
	printf("the short way leaves other notes than the stages\n");
	return false;
}

/* => what side i does with it; the packet itself in *p (freed), unless held. */
static void run(unsigned int i, const struct twin_packet *in, uint64_t id, struct twin_frame *got, struct vfr_pkt *p)
{
	struct side *s = &side[i];
	struct sent *h = malloc(sizeof(*h));
	struct vfr_pkt *b = &h->p;

	memset(&h->p, 0x5a, sizeof(h->p));
	memcpy(h->b, in->b, in->len);
	h->id = id;
	h->p.head = h->b;
	h->p.len = in->len;
	h->p.head_len = (uint16_t)in->linear;
	h->p.gso = (uint8_t)(!in->piece ? VFR_GSO_NONE : in->b[12] == 0x86 ? VFR_GSO_TCPV6 : in->b[23] == 6 ? VFR_GSO_TCPV4 : VFR_GSO_UDP);
	h->p.gso_size = in->piece;
	h->p.csum = in->partial ? VFR_CSUM_PARTIAL : VFR_CSUM_FULL;
	h->p.csum_start = in->b[12] == 0x86 ? 54 : 34;
	h->p.csum_offset = in->b[in->b[12] == 0x86 ? 20 : 23] == 6 ? 16 : 6;
	s->backs = s->mades = 0;
	vfr_input(s->v, 0, now, (uint16_t)in->in, &b, 1);
	got->len = in->len;
	got->verdict = b ? verdict_of(b) : "held";
	if (!b)
		return;
	got->port = b->out_port;
	memcpy(got->b, h->b, in->len);
	*p = h->p;
	free(h);
}

static void note_questions(void)
{
	for (unsigned int i = 0; i < want.mades; i++)
		twin_was_made(want.made[i].port, want.made[i].b, want.made[i].len);
}

static bool one_packet(const struct twin_packet *in, uint64_t id)
{
	static struct twin_frame got[2];
	struct vfr_pkt p[2];
	bool ok = true;

	for (unsigned int i = 0; i < 2; i++)
		run(i, in, id, &got[i], &p[i]);
	twin_decide(&twin, id, in, &want);
	bool sent = !strcmp(want.own.verdict, "forward"), dropped = !sent && strcmp(want.own.verdict, "consumed") &&
		strcmp(want.own.verdict, "held");

	for (unsigned int i = 0; ok && i < 2; i++)
		ok = same(i ? "stages: packet" : "short way: packet", &got[i], &want.own) && same_back(&side[i]) &&
		     same_made(&side[i], true);
	if (ok && strcmp(want.own.verdict, "held"))
		ok = same_notes(&p[0], &p[1]);
	if (!ok) {
		printf("%u bytes, %u linear%s, pieces of %u\n", in->len, in->linear, in->partial ? ", partial sum" : "", in->piece);
		dump("the packet", in->in, in->b, in->len);
	}
	if (ok)
		note_questions();
	if (ok && sent)
		twin_went_through(in, want.own.b, want.own.port);
	seen[3] += !strcmp(want.own.verdict, "held");
	seen[6] += dropped ? want.mades : 0;
	return ok;
}

/*
 * Time goes by in steps of 2.6 s: no multiple of that falls on a period of the router, nor into the second or so by which it may
 * round one up.
 */
#define STEP_TENTHS 26

static bool some_time(void)
{
	uint64_t tenths = STEP_TENTHS * (uint64_t[]){ 1, 1, 2, 5, 12, 26, 46, 47, 93, 116, 2862 }[rnd(rnd(8) ? 6 : 11)];
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
	bool ok = same_back(&side[0]) && same_back(&side[1]) && same_made(&side[0], false) && same_made(&side[1], false);
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
	return same_rule_counts() && twin_alter(&w) && same_back(&side[0]) && same_back(&side[1]) && same_made(&side[0], false) &&
	       same_made(&side[1], false);
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
	struct twin_packet p;

	now = rnd(2) ? 1ull << 40 : SEC;
	bool ok = twin_build(&twin, v, &ops, (void *[2]){ &side[0], &side[1] }, &want), changes = rnd(3);

	twin.choose = chosen;
	twin.block = block_of;
	side[0].v = v[0];
	side[1].v = v[1];
	twin_traffic_reset();
	hurry = rnd(3) ? 100 : 2000;
	for (uint64_t i = 0; ok && i < packets; i++, ++*done) {
		twin_next(&twin, &p);
		ok = one_packet(&p, *done);
		bool later = rnd(hurry) == 0;

		if (ok && later)
			ok = some_time();
		if (ok && changes && rnd(later ? 2 : 100) == 0)
			ok = some_change();
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
