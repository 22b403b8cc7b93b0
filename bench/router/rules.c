/* SPDX-License-Identifier: BSD-2-Clause */
/* First match among random 5-tuple rules; and the same rules and keys as files for DPDK's classifier. */
#include "load.h"

#define RUNS	57

/* Random 5-tuples as firewalls have them: prefixes of /8 to /32, one third of ports exact, one third ranges, the rest any. */
void random_rule(struct class_box *b, uint32_t index)
{
	memset(b, 0, sizeof(*b));
	for (unsigned int side = 0; side < 2; side++) {
		unsigned int plen = rnd() % 10 == 0 ? 0 : 8 + rnd() % 25;
		uint32_t mask = plen ? UINT32_MAX << (32 - plen) : 0;

		b->lo[side] = rnd() & mask;
		b->hi[side] = b->lo[side] | ~mask;
		unsigned int kind = rnd() % 3, x = rnd() & 0xffff, y = rnd() & 0xffff;
		b->lo[2 + side] = kind == 0 ? 0 : kind == 1 ? x : x < y ? x : y;
		b->hi[2 + side] = kind == 0 ? 65535 : kind == 1 ? x : x < y ? y : x;
	}
	b->lo[4] = rnd() % 4 ? (rnd() & 1 ? IP_TCP : IP_UDP) : 0;
	b->hi[4] = b->lo[4] ? b->lo[4] : 255;
	b->index = index;
	b->final = true;
}

static void inside(struct class_key *k, const struct class_box *b)
{
	for (unsigned int d = 0; d < 5; d++) {
		uint32_t span = b->hi[d] - b->lo[d];

		k->w[d] = b->lo[d] + (span == UINT32_MAX ? rnd() : rnd() % (span + 1));
	}
}

void bench_rules(unsigned int n)
{
	struct class_box *b = calloc(n, sizeof(*b));
	uint32_t keys = 65536, found = 0;
	struct class_query *q = calloc(keys, sizeof(*q));
	double best = 1e9, t0 = now_ns();

	for (unsigned int i = 0; i < n; i++)
		random_rule(&b[i], i);
	struct classifier *cl = vfr_classifier_make(b, n, 5);
	fprintf(stderr, "router-bench: %u rules compiled in %.0f ms\n", n, (now_ns() - t0) / 1e6);
	for (uint32_t i = 0; i < keys; i++)
		inside(&q[i].key, &b[rnd() % n]);
	for (uint32_t i = 0; i < keys; i++)
		q[i].cl = cl;
	for (unsigned int run = 0; run < RUNS; run++) {
		double t = now_ns();

		for (uint32_t i = 0; i < keys; i += VFR_BATCH)
			vfr_classify_batch(q + i, VFR_BATCH);
		t = (now_ns() - t) / keys;
		best = t < best ? t : best;
		for (uint32_t i = 0; i < keys; i++)
			found += q[i].best != UINT32_MAX;
	}
	if (found != RUNS * keys)
		abort();
	printf("rules-%u\t%.1f\n", n, best);
	vfr_classifier_free(cl);
	free(b);
	free(q);
}

static unsigned int plen_of(uint32_t lo, uint32_t hi)
{
	unsigned int n = 0;

	while (n < 32 && hi - lo < UINT32_MAX >> n)
		n++;
	return hi == lo ? 32 : n;
}

void load_rules(struct load *l, unsigned int n)
{
	struct vfr_rule *r = calloc(n, sizeof(*r)), own[2] = { { .dir = VFR_IN }, { .dir = VFR_OUT } };
	struct class_box b;

	for (unsigned int i = 0; i < n; i++) {
		random_rule(&b, i);
		r[i] = (struct vfr_rule){
			.id = i + 1, .dir = i % 2 ? VFR_OUT : VFR_IN, .family = 4, .proto = (uint8_t)b.lo[4],
			.icmp_type = -1, .icmp_code = -1,
			.src_plen = (uint8_t)plen_of(b.lo[0], b.hi[0]), .dst_plen = (uint8_t)plen_of(b.lo[1], b.hi[1]),
			.sport_first = (uint16_t)b.lo[2], .sport_last = (uint16_t)b.hi[2],
			.dport_first = (uint16_t)b.lo[3], .dport_last = (uint16_t)b.hi[3],
		};
		env_put32(r[i].src, b.lo[0]);
		env_put32(r[i].dst, b.lo[1]);
	}
	if (vfr_rules_set(l->v, VFR_GLOBAL, r, n, NULL))
		abort();
	for (unsigned int k = 0; k < 2; k++) {
		own[k].id = k + 1;
		own[k].icmp_type = own[k].icmp_code = -1;
		own[k].sport_last = own[k].dport_last = 65535;
		own[k].proto = IP_TCP;
	}
	for (unsigned int d = 1; d <= l->domains; d++)
		if (vfr_rules_set(l->v, (uint16_t)d, own, 2, NULL))
			abort();
	free(r);
}

/* The same rules and keys as bench_rules() has, as files for dpdk-test-acl. Its ranges of addresses are prefixes, as ours are here. */
int write_acl(unsigned int n, const char *rules, const char *trace)
{
	struct class_box *b = calloc(n, sizeof(*b));
	FILE *r = fopen(rules, "w"), *t = fopen(trace, "w");

	if (!r || !t)
		return 1;
	for (unsigned int i = 0; i < n; i++) {
		random_rule(&b[i], i);
		uint32_t s = b[i].lo[0], d = b[i].lo[1];

		fprintf(r, "@%u.%u.%u.%u/%u %u.%u.%u.%u/%u %u : %u %u : %u 0x%02x/0x%02x\n", s >> 24, s >> 16 & 255, s >> 8 & 255,
			s & 255, plen_of(s, b[i].hi[0]), d >> 24, d >> 16 & 255, d >> 8 & 255, d & 255, plen_of(d, b[i].hi[1]),
			b[i].lo[2], b[i].hi[2], b[i].lo[3], b[i].hi[3], b[i].lo[4], b[i].lo[4] ? 255 : 0);
	}
	for (uint32_t i = 0; i < 65536; i++) {
		struct class_key k;

		inside(&k, &b[rnd() % n]);
		fprintf(t, "%u %u %u %u %u\n", k.w[0], k.w[1], k.w[2], k.w[3], k.w[4]);
	}
	fclose(r);
	fclose(t);
	free(b);
	return 0;
}
