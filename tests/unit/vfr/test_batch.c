/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same packets in batches and one by one, by the short way and through the stages: verdicts, bytes and the counts of every rule
 * are the same, whatever was asked ahead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>
#include <vfr/priv.h>

#define SHARED		0xcb007107u
#define PEER		0xc6336402u
#define GATEWAY		0xc6336401u
#define DOMAINS		4u
#define PORTS		8u	/* of each domain, from 1000 * domain on */
#define FRAME		80u
#define RULES		40u

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
}

static void on_release(void *host, struct vfr_pkt *p)
{
	fail();
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };
static const uint8_t up_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 }, gw_mac[6] = { 2, 0, 0, 0, 0, 3 };

static void guest_mac(uint8_t mac[6], unsigned int d)
{
	memcpy(mac, (const uint8_t[6]){ 2, 1, 0, 0, 0, (uint8_t)d }, 6);
}

/* 2001:db8:0:d::/64 is the domain's, 2001:db8:ffff::1 to ::3 are peers. */
static void guest_ip6(uint8_t a[16], unsigned int d)
{
	memcpy(a, (const uint8_t[16]){ 0x20, 1, 0xd, 0xb8, 0, 0, 0, (uint8_t)d, [15] = 1 }, 16);
}

static void peer_ip6(uint8_t a[16], unsigned int i)
{
	memcpy(a, (const uint8_t[16]){ 0x20, 1, 0xd, 0xb8, 0xff, 0xff, [15] = (uint8_t)(i + 1) }, 16);
}

/* --- routers that are alike ------------------------------------------------------------------------------------------- */

enum { BATCHES, ONE_BY_ONE, STAGES, WAYS };
static struct vfr *v[WAYS];

static void make_router(struct vfr **at)
{
	struct vfr_params par = { .cpus = 1, .max_conns = 256, .seed = { 9 } };
	struct vfr_port_cfg up = { .kind = VFR_PORT_UPLINK };
	uint8_t any6[16] = { 0 }, hop6[16] = { 0xfe, 0x80, [15] = 9 }, pfx6[16];

	memcpy(par.gateway_mac, gw_mac, 6);
	memcpy(up.mac, up_mac, 6);
	*at = vfr_create(&par, &ops, NULL);
	assert_non_null(*at);
	assert_int_equal(vfr_port_attach(*at, 0, &up), 0);
	assert_int_equal(vfr_shared_add(*at, SHARED), 0);
	assert_int_equal(vfr_route_add(*at, 0, 0, 0, GATEWAY, 0), 0);
	assert_int_equal(vfr_neigh_static(*at, 0, GATEWAY, NULL, peer_mac), 0);
	assert_int_equal(vfr_route6_add(*at, any6, 0, 0, hop6), 0);
	assert_int_equal(vfr_neigh_static(*at, 0, 0, hop6, peer_mac), 0);
	for (unsigned int d = 1; d <= DOMAINS; d++) {
		struct vfr_port_cfg g = { .kind = VFR_PORT_GUEST, .domid = (uint16_t)d };
		struct vfr_portset ps = { .first = (uint16_t)(1000 * d), .last = (uint16_t)(1000 * d + PORTS - 1) };

		guest_mac(g.mac, d);
		guest_ip6(pfx6, d);
		memset(pfx6 + 8, 0, 8);
		assert_int_equal(vfr_prefix6_add(*at, pfx6, 64, (uint16_t)d, NULL), 0);
		assert_int_equal(vfr_port_attach(*at, (uint16_t)d, &g), 0);
		assert_int_equal(vfr_slice_claim(*at, 0, SHARED, VFR_TCP, &ps, (uint16_t)d, NULL), 0);
	}
}

/* Few values each, so that all of them meet. Domain 1 has no rules, for all there are some half of the time, and 4 follows connections. */
static void random_rules(uint16_t domid)
{
	struct vfr_rule r[RULES];
	uint32_t n = domid == 1 || (domid == VFR_GLOBAL && rnd(2)) ? 0 : 1 + rnd(RULES);

	for (uint32_t i = 0; i < n; i++) {
		r[i] = (struct vfr_rule){ .id = i + 1, .dir = (uint8_t)rnd(2), .family = rnd(2) ? 4 : 6, .icmp_type = -1, .icmp_code = -1,
			.proto = IP_TCP, .sport_last = 65535, .dport_last = 65535, .src_plen = 32,
			.action = (uint8_t)(rnd(8) ? VFR_ACT_ACCEPT : VFR_ACT_DROP), .sched_class = (uint16_t)(rnd(8) ? 0 : rnd(7)) };
		if (r[i].family == 4) {
			env_put32(r[i].src, r[i].dir == VFR_IN ? PEER + rnd(3) : SHARED);
		} else if (r[i].dir == VFR_IN) {
			peer_ip6(r[i].src, rnd(3));
			r[i].src_plen = 128;
		} else {
			guest_ip6(r[i].src, 1 + rnd(DOMAINS));
			r[i].src_plen = 64;
		}
		if (rnd(2))
			r[i].src_plen = 0;
		if (rnd(2))
			r[i].dport_first = r[i].dport_last = (uint16_t)(rnd(2) ? 1000 * (1 + rnd(DOMAINS)) + rnd(PORTS) : 5000 + rnd(3));
		if (!rnd(6))
			r[i].flags |= VFR_RULE_COUNT;
		if (!rnd(6))
			r[i].tcp_mask = r[i].tcp_value = TCP_SYN;
		if (domid == 4 && r[i].action == VFR_ACT_ACCEPT && rnd(3))
			r[i].flags = VFR_RULE_STATE;
	}
	for (unsigned int w = 0; w < WAYS; w++)
		assert_int_equal(vfr_rules_set(v[w], domid, r, n, NULL), 0);
}

/* --- packets ---------------------------------------------------------------------------------------------------------- */

struct sent {
	struct vfr_pkt p;
	uint8_t f[FRAME];
};

/* => where the transport header is. */
static uint8_t *make_ip4(uint8_t *f, bool out, unsigned int peer)
{
	uint8_t *ip = f + 14;

	env_put16(f + 12, ETH_IPV4);
	ip[0] = 0x45;
	env_put16(ip + IP4_TLEN, 40);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = IP_TCP;
	env_put32(ip + IP4_SRC, out ? SHARED : PEER + peer);
	env_put32(ip + IP4_DST, out ? PEER + peer : SHARED);
	csum_store(ip + IP4_CSUM, csum_of(ip, 20));
	return ip + IP4_LEN;
}

static uint8_t *make_ip6(uint8_t *f, bool out, unsigned int d, unsigned int peer)
{
	uint8_t *ip = f + 14;

	env_put16(f + 12, ETH_IPV6);
	ip[0] = 0x60;
	env_put16(ip + IP6_PLEN, 20);
	ip[IP6_NEXT] = IP_TCP;
	ip[IP6_HOPS] = 64;
	guest_ip6(ip + (out ? IP6_SRC : IP6_DST), d);
	peer_ip6(ip + (out ? IP6_DST : IP6_SRC), peer);
	return ip + IP6_LEN;
}

static void make_frame(uint8_t *f, unsigned int from)
{
	unsigned int d = from ? from : 1 + rnd(DOMAINS), peer = rnd(3);
	uint16_t own = (uint16_t)(1000 * d + rnd(PORTS)), other = (uint16_t)(5000 + rnd(3));
	uint8_t *t, mac[6];

	memset(f, 0, FRAME);
	guest_mac(mac, d);
	memcpy(f, from ? gw_mac : up_mac, 6);
	memcpy(f + 6, from ? mac : peer_mac, 6);
	t = rnd(2) ? make_ip4(f, from, peer) : make_ip6(f, from, d, peer);
	env_put16(t, from ? own : other);
	env_put16(t + 2, from ? other : own);
	t[12] = 5 << 4;
	t[13] = (uint8_t)(rnd(3) ? TCP_ACK : rnd(2) ? TCP_SYN : TCP_SYN | TCP_ACK);
}

static void send(unsigned int way, struct sent *s, unsigned int n, uint16_t from, uint64_t now)
{
	struct vfr_pkt *batch[VFR_BATCH];

	for (unsigned int i = 0; i < n; i++) {
		s[i].p = (struct vfr_pkt){ .head = s[i].f, .len = FRAME, .head_len = FRAME };
		batch[i] = &s[i].p;
	}
	for (unsigned int i = 0; i < n; i += way == ONE_BY_ONE ? 1 : n)
		vfr_input(v[way], 0, now, from, &batch[i], way == ONE_BY_ONE ? 1 : n);
	for (unsigned int i = 0; i < n; i++)
		assert_non_null(batch[i]);
}

static void same_outcome(const struct sent *a, const struct sent *b)
{
	assert_int_equal(a->p.verdict, b->p.verdict);
	assert_int_equal(a->p.drop, b->p.drop);
	assert_int_equal(a->p.sched_class, b->p.sched_class);
	assert_memory_equal(a->f, b->f, FRAME);
}

/* => packets that all rules of the domain have counted, the same in all routers. */
static uint64_t same_counts(uint16_t domid)
{
	struct vfr_rule_count n[WAYS][RULES];
	uint64_t sum = 0;
	uint32_t rules = 0;

	for (unsigned int w = 0; w < WAYS; w++)
		rules = vfr_rules_read(v[w], domid, n[w], RULES);
	for (unsigned int w = 1; w < WAYS; w++)
		assert_memory_equal(n[0], n[w], rules * sizeof(n[0][0]));
	for (uint32_t i = 0; i < rules; i++)
		sum += n[0][i].packets;
	return sum;
}

static void batches_and_single_packets_fare_alike(void **state)
{
	static struct sent s[WAYS][VFR_BATCH];
	uint64_t forwarded = 0, dropped = 0, counted = 0;

	seed = 1;
	for (unsigned int w = 0; w < WAYS; w++)
		make_router(&v[w]);
	v[STAGES]->stages_only = true;
	for (unsigned int round = 0; round < 3000; round++) {
		uint16_t from = (uint16_t)rnd(DOMAINS + 1);
		unsigned int n = 1 + rnd(VFR_BATCH);

		if (round % 20 == 0) {
			for (uint16_t d = 1; d <= DOMAINS; d++) {
				counted += same_counts(d);
				random_rules(d);
			}
			counted += same_counts(VFR_GLOBAL);
			random_rules(VFR_GLOBAL);
		}
		for (unsigned int i = 0; i < n; i++)
			make_frame(s[0][i].f, from);
		for (unsigned int w = 1; w < WAYS; w++)
			memcpy(s[w], s[0], sizeof(s[0]));
		for (unsigned int w = 0; w < WAYS; w++)
			send(w, s[w], n, from, (1ull << 40) + round * 100000000ull);
		for (unsigned int i = 0; i < n; i++) {
			for (unsigned int w = 1; w < WAYS; w++)
				same_outcome(&s[0][i], &s[w][i]);
			forwarded += s[0][i].p.verdict == VFR_FORWARD;
			dropped += s[0][i].p.verdict == VFR_DROP;
		}
	}
	/* What is compared is worth it. */
	assert_true(forwarded > 20000 && dropped > 5000 && counted > 10000);
	for (unsigned int w = 0; w < WAYS; w++)
		vfr_destroy(v[w]);
	assert_int_equal(env_host_live_blocks(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(batches_and_single_packets_fare_alike) };

	return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
