/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router, short way and stages, against the naive twin: random configurations, random packets. vfr-twin [PACKETS [SEED]].
 * Prints the seed of a difference, so that it can be had again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <vfr/priv.h>

#include "twin.h"

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)(seed >> 33) % n : (uint32_t)(seed >> 32);
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
}

static void on_release(void *host, struct vfr_pkt *p)
{
	abort();
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };

/* --- a world, twice --------------------------------------------------------------------------------------------------- */

static const uint32_t outside[] = { 0xc0000209, 0xc000020a, 0x08080808, 0xe0000005, 0x7f000001, 0xffffffff, 0 };

static void random_rule(struct twin_rule *r, struct vfr_rule *v, const struct twin *t)
{
	unsigned int sl = rnd(2) ? 0 : rnd(33), dl = rnd(2) ? 0 : rnd(33);

	memset(r, 0, sizeof(*r));
	r->in = rnd(2);
	r->drop = rnd(2);
	r->proto = (uint8_t[]){ 0, 6, 17, 1, 132, 47 }[rnd(6)];
	r->src_mask = sl ? 0xffffffffu << (32 - sl) : 0;
	r->dst_mask = dl ? 0xffffffffu << (32 - dl) : 0;
	r->src = (rnd(2) ? outside[rnd(3)] : t->shared[0]) & r->src_mask;
	r->dst = (rnd(2) ? outside[rnd(3)] : t->shared[0]) & r->dst_mask;
	r->sport_last = r->dport_last = 65535;
	if ((r->proto != 1 && r->proto != 47) && rnd(2)) {
		r->dport_first = (uint16_t)rnd(6000);
		r->dport_last = (uint16_t)(r->dport_first + rnd(3000));
	}
	*v = (struct vfr_rule){ .dir = r->in ? VFR_IN : VFR_OUT, .family = sl || dl ? 4 : (uint8_t[]){ 0, 4 }[rnd(2)],
				.action = r->drop ? VFR_ACT_DROP : VFR_ACT_ACCEPT, .proto = r->proto, .icmp_type = -1, .icmp_code = -1,
				.src_plen = (uint8_t)sl, .dst_plen = (uint8_t)dl, .sport_last = 65535,
				.dport_first = r->dport_first, .dport_last = r->dport_last };
	env_put32(v->src, r->src);
	env_put32(v->dst, r->dst);
}

static void own(struct twin *t, struct vfr *v[2], int s, unsigned int protos, struct vfr_portset *ps, uint8_t d)
{
	int r[2];

	for (int i = 0; i < 2; i++)
		r[i] = vfr_slice_claim(v[i], 0, t->shared[s], protos, ps, d, NULL);
	for (uint32_t port = 0; !r[0] && port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if ((protos & 1u << k) && vfr_portset_has(ps, (uint16_t)port))
				t->owner[s][k][port] = d;
	if (r[0] != r[1])
		abort();
}

static void build(struct twin *t, struct vfr *v[2])
{
	static const uint8_t peer[6] = { 2, 9 };
	struct vfr_params par = { .cpus = 1, .max_ports = 8, .max_domains = 16, .max_conns = 64, .gateway_mac = { 2, 8 } };

	memset(t, 0, sizeof(*t));
	t->shared[0] = 0xcb007107;
	t->shared[1] = 0xcb007108;
	t->self = 0x0a000001;
	memcpy(t->gateway_mac, par.gateway_mac, 6);
	memcpy(t->peer_mac, peer, 6);
	for (int i = 0; i < 2; i++) {
		v[i] = vfr_create(&par, &ops, NULL);
		v[i]->stages_only = i;
		vfr_shared_add(v[i], t->shared[0]);
		vfr_shared_add(v[i], t->shared[1]);
		vfr_self_add(v[i], t->self);
		vfr_route_add(v[i], 0, 0, 0, 0x0a090909, 0);
		vfr_neigh_static(v[i], 0, 0x0a090909, NULL, peer);
	}
	for (uint8_t d = 0; d < TWIN_DOMS; d++) {
		struct vfr_port_cfg cfg = { .kind = d ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .mac = { 2, 1, d }, .domid = d };

		t->attached[d] = !d || rnd(5);
		t->mtu[d] = cfg.mtu = rnd(2) ? 1500 : (uint16_t)(576 + rnd(800));
		memcpy(t->mac[d], cfg.mac, 6);
		for (int i = 0; i < 2 && t->attached[d]; i++)
			vfr_port_attach(v[i], d, &cfg);
		if (d && rnd(2))
			t->dedicated[d] = 0xcb007110u + d;
		if (d && rnd(3) == 0)
			t->internal[d] = 0x0a000010u + d;
		for (int i = 0; i < 2; i++) {
			if (t->dedicated[d])
				vfr_dedicated_add(v[i], t->dedicated[d], d, NULL);
			if (t->internal[d])
				vfr_internal_add(v[i], t->internal[d], d, NULL);
		}
		for (unsigned int n = d ? rnd(4) : 0; n; n--) {
			struct vfr_portset ps = { .kind = rnd(3) == 0, .offset = (uint8_t)rnd(7), .psid_len = (uint8_t)rnd(8),
						  .first = (uint16_t)rnd(6000), .last = (uint16_t)(6000 + rnd(20)) };

			ps.last = rnd(2) ? (uint16_t)(ps.first + rnd(500)) : ps.last;
			ps.psid = (uint16_t)rnd(1u << ps.psid_len);
			own(t, v, (int)rnd(2), 1 + rnd(15), &ps, d);
		}
		if (d && rnd(3) == 0) {
			int s = (int)rnd(2);

			if (!vfr_proto_claim(v[0], t->shared[s], 47, d, NULL))
				t->other[s][47] = d;
			vfr_proto_claim(v[1], t->shared[s], 47, d, NULL);
		}
		struct vfr_rule rules[TWIN_RULES];
		t->rules[d] = rnd(2) ? 0 : rnd(TWIN_RULES);
		for (unsigned int i = 0; i < t->rules[d]; i++)
			random_rule(&t->rule[d][i], &rules[i], t);
		for (int i = 0; i < 2; i++)
			if (vfr_rules_set(v[i], d ? d : VFR_GLOBAL, rules, t->rules[d], NULL))
				abort();
	}
}

/* --- packets ---------------------------------------------------------------------------------------------------------- */

static uint32_t some_addr(const struct twin *t)
{
	uint32_t d = 1 + rnd(TWIN_DOMS - 1);

	switch (rnd(10)) {
	case 0:
		return t->dedicated[d] ? t->dedicated[d] : 0xcb007155;
	case 1:
		return t->internal[d] ? t->internal[d] : t->self;
	case 2:
		return t->shared[1];
	case 3:
	case 4:
	case 5:
		return t->shared[0];
	default:
		return outside[rnd(rnd(3) ? 3 : 7)];
	}
}

static uint16_t some_port(const struct twin *t, int kind)
{
	/* Owned ports are rare among 65536: look for one half of the time. */
	for (int i = 0; rnd(2) && i < 200 && kind >= 0; i++) {
		uint16_t port = (uint16_t)rnd(7000);

		if (t->owner[rnd(2)][kind][port])
			return port;
	}
	return rnd(20) ? (uint16_t)rnd(7000) : 25;
}

static uint32_t put_l4(const struct twin *t, uint8_t *l, int proto, unsigned int room)
{
	static const int kinds[133] = { [6] = 1, [17] = 2, [1] = 3, [132] = 4 };
	int kind = proto < 133 ? kinds[proto] - 1 : -1;

	for (unsigned int i = 0; i < room; i++)
		l[i] = (uint8_t)rnd(256);
	env_put16(l, some_port(t, kind));
	env_put16(l + 2, some_port(t, kind));
	if (proto == 6)
		l[12] = (uint8_t)((rnd(10) ? 5 : rnd(16)) << 4);
	if (proto == 17)
		env_put16(l + 4, (uint16_t)(rnd(10) ? room : rnd(1500)));
	if (proto == 1) {
		l[0] = (uint8_t[]){ 0, 8, 3, 11, 12, 5, 13, 8 }[rnd(8)];
		env_put16(l + 4, some_port(t, 2));
		if ((l[0] == 3 || l[0] == 11) && room >= 48) {
			uint8_t *q = l + 8;

			q[0] = rnd(10) ? 0x45 : (uint8_t)rnd(256);
			env_put16(q + 6, rnd(10) ? 0 : (uint16_t)rnd(0));
			q[9] = (uint8_t[]){ 6, 17, 1, 132, 47 }[rnd(5)];
			env_put32(q + 12, some_addr(t));
			env_put32(q + 16, some_addr(t));
			env_put16(q + 20, some_port(t, rnd(2) ? 0 : 1));
			env_put16(q + 22, some_port(t, rnd(2) ? 0 : 1));
			if (q[9] == 1) {
				q[20] = (uint8_t[]){ 0, 8, 3, 5 }[rnd(4)];
				env_put16(q + 24, some_port(t, 2));
			}
		}
	}
	return room;
}

/* Make it a packet that has a chance: from a port of the sender, or to a port of somebody. */
static void make_honest(const struct twin *t, int in, uint8_t *ip)
{
	uint8_t *l = ip + 20;
	int kind = (int)rnd(4), s = (int)rnd(2);

	for (int i = 0; i < 2000; i++) {
		uint16_t port = (uint16_t)rnd(7000);
		uint8_t d = t->owner[s][kind][port];

		if (!d || (in && d != in))
			continue;
		ip[9] = (uint8_t[]){ 6, 17, 1, 132 }[kind];
		env_put32(ip + (in ? 12 : 16), t->shared[s]);
		env_put32(ip + (in ? 16 : 12), outside[rnd(3)]);
		env_put16(l + (in ? 0 : 2), port);
		l[12] = 5 << 4;
		if (kind == 1)
			env_put16(l + 4, (uint16_t)(env_get16(ip + 2) - 20));
		if (kind == 2) {
			l[0] = in ? 8 : 0;
			env_put16(l + 4, port);
		}
		/* sometimes to a neighbour on the same address */
		if (in && rnd(4) == 0) {
			env_put32(ip + 16, t->shared[rnd(2)]);
			env_put16(l + 2, some_port(t, kind));
		}
		return;
	}
}

static uint32_t make_packet(const struct twin *t, int in, uint8_t *f)
{
	uint32_t h = rnd(12) ? 20 : 24, room = rnd(20) ? 24 + rnd(80) : rnd(1500);
	uint8_t *ip = f + 14;
	uint32_t src = in && rnd(4) ? t->shared[rnd(2)] : some_addr(t);

	memcpy(f, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(f + 6, in ? t->mac[in] : t->peer_mac, 6);
	env_put16(f + 12, rnd(40) ? 0x0800 : (uint16_t[]){ 0x8100, 0x88cc, 0 }[rnd(3)]);
	memset(ip, 0, h);
	ip[0] = (uint8_t)(0x40 | h / 4);
	ip[1] = (uint8_t)rnd(256);
	env_put16(ip + 4, (uint16_t)rnd(0));
	env_put16(ip + 6, rnd(3) ? 0x4000 : 0);
	ip[8] = rnd(15) ? 64 : (uint8_t)rnd(3);
	ip[9] = (uint8_t[]){ 6, 17, 6, 17, 1, 1, 132, 47, 50, 99 }[rnd(10)];
	if (in && src == t->shared[0] && rnd(4) == 0)
		src = t->dedicated[in] ? t->dedicated[in] : t->internal[in] ? t->internal[in] : src;
	env_put32(ip + 12, src);
	env_put32(ip + 16, in ? some_addr(t) : rnd(6) ? t->shared[rnd(2)] : some_addr(t));
	if (h == 24) {
		ip[20] = (uint8_t[]){ 148, 131, 1, 0, 137, 7 }[rnd(6)];
		ip[21] = rnd(4) ? 4 : (uint8_t)rnd(6);
	}
	put_l4(t, ip + h, ip[9], room);
	env_put16(ip + 2, (uint16_t)(rnd(40) ? h + room : rnd(1600)));
	if (h == 20 && rnd(3))
		make_honest(t, in, ip);
	csum_store(ip + 10, 0);
	csum_store(ip + 10, csum_of(ip, h));
	if (rnd(30) == 0)
		f[rnd(34)] ^= (uint8_t)(1 << rnd(8));
	uint32_t len = 14 + h + room;
	return rnd(40) ? len : rnd(len + 1);
}

/* --- comparing -------------------------------------------------------------------------------------------------------- */

static const char *run(struct vfr *v, int in, uint8_t *f, uint32_t len, struct vfr_pkt *p)
{
	struct vfr_pkt *b = p;

	memset(p, 0x5a, sizeof(*p));
	p->head = f;
	p->len = len;
	p->head_len = (uint16_t)len;
	p->gso = p->csum = 0;
	vfr_input(v, 0, 1ull << 40, (uint16_t)in, &b, 1);
	if (!b)
		return "held";
	return p->verdict == VFR_FORWARD ? "forward" : p->verdict == VFR_CONSUMED ? "consumed" : vfr_drop_name(p->drop);
}

static int differ(const struct twin *t, struct vfr *v[2], int in, const uint8_t *f, uint32_t len, uint64_t from)
{
	static struct twin_answer want;
	static uint8_t mine[2][2048];
	struct vfr_pkt p[2];
	const char *got[2];

	twin_decide(t, in, f, len, &want);
	for (int i = 0; i < 2; i++) {
		memcpy(mine[i], f, len);
		got[i] = run(v[i], in, mine[i], len, &p[i]);
		bool sent = !strcmp(got[i], "forward");

		if (strcmp(got[i], want.verdict) || (sent && (p[i].out_port != want.out_port || memcmp(mine[i], want.frame, len)))) {
			printf("seed %lu, port %d, %u bytes, %s: \"%s\" to port %d, the twin says \"%s\" to port %d\n", from, in, len,
			       i ? "stages" : "short way", got[i], p[i].out_port, want.verdict, want.out_port);
			for (uint32_t k = 0; k < len && k < 80; k++)
				printf("%02x%s", f[k], k % 16 == 15 ? "\n" : " ");
			putchar('\n');
			return 1;
		}
	}
	if (p[0].flags != p[1].flags || p[0].sport != p[1].sport || p[0].dport != p[1].dport || p[0].src_dom != p[1].src_dom ||
	    p[0].dst_dom != p[1].dst_dom || p[0].dscp != p[1].dscp || (len >= 34 && p[0].flow_hash != p[1].flow_hash && p[0].flags)) {
		printf("seed %lu: the short way leaves other notes than the stages\n", from);
		return 1;
	}
	return 0;
}

static int compare_counters(struct vfr *v[2], uint64_t from)
{
	struct vfr_counters c[2];

	for (unsigned int d = 0; d < TWIN_DOMS; d++) {
		for (int i = 0; i < 2; i++)
			if (vfr_counters_read(v[i], d ? (uint16_t)d : VFR_NODOM, &c[i]))
				memset(&c[i], 0, sizeof(c[i]));
		if (memcmp(&c[0], &c[1], sizeof(c[0]))) {
			printf("seed %lu: the short way counts otherwise than the stages\n", from);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct twin t;
	uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, done = 0;
	unsigned int passed = 0, failed = 0;
	uint64_t verdicts[3] = { 0 };
	static uint8_t f[4096];

	for (uint64_t s = first; done < packets && !failed; s++) {
		struct vfr *v[2];
		int bad = 0;

		seed = s;
		build(&t, v);
		for (unsigned int i = 0; i < 5000 && !bad; i++, done++) {
			int in = (int)rnd(TWIN_DOMS);

			if (!t.attached[in])
				in = 0;
			bad = differ(&t, v, in, f, make_packet(&t, in, f), s);
		}
		bad = bad || compare_counters(v, s);
		struct vfr_totals tot;
		vfr_totals_read(v[0], &tot);
		verdicts[0] += tot.forwarded;
		verdicts[1] += tot.dropped;
		verdicts[2] += tot.consumed;
		vfr_destroy(v[0]);
		vfr_destroy(v[1]);
		bad = bad || env_host_live_blocks();
		passed += !bad;
		failed += !!bad;
	}
	printf("%lu packets: %lu forwarded, %lu dropped, %lu consumed\n%u passed, %u failed\n", done, verdicts[0], verdicts[1],
		verdicts[2], passed, failed);
	/* A generator gone stale would agree about nothing but drops. */
	return failed || verdicts[0] < done / 10;
}
