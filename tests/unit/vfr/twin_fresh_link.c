/* SPDX-License-Identifier: BSD-2-Clause */
/* Random ARP and neighbour discovery for the twin and the router: see twin_gen.h. */
#include <string.h>

#include "twin_gen.h"

/* One of few, ours and others'. */
static uint32_t some_host(const struct twin *t, int in)
{
	int d = in && rnd(2) ? in : 1 + (int)rnd(TWIN_DOMS - 1);

	switch (rnd(8)) {
	case 0:
		return t->shared[rnd(2)];
	case 1:
		return t->dedicated[d];
	case 2:
		return t->internal[d];
	case 3:
		return t->self;
	case 4:
		return 0;
	case 5:
		return t->next4;
	default:
		return twin_outside[rnd(3)];
	}
}

static uint32_t fresh_arp(const struct twin *t, int in, uint8_t *f)
{
	static const uint8_t begin[10] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(f, 0, 60);
	if (rnd(2))
		memset(f, 0xff, 6);
	else
		memcpy(f, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(f + 6, in ? t->mac[in] : t->peer_mac, 6);
	memcpy(f + 12, begin, 10);
	f[21] = (uint8_t)(1 + rnd(rnd(9) ? 2 : 4));
	/* Outside has many MACs; now and then they are no host's, or not those of the frame. */
	if (!in)
		f[11] = (uint8_t)rnd(3);
	if (!in && rnd(30) == 0)
		f[6] |= 1;
	memcpy(f + 22, f + 6, 6);
	if (rnd(30) == 0)
		f[14 + rnd(14)] ^= (uint8_t)(1 << rnd(8));
	env_put32(f + 28, some_host(t, in));
	env_put32(f + 38, rnd(8) ? some_host(t, in) : env_get32(f + 28));
	return rnd(30) ? 42 + rnd(2) * 18 : rnd(43);
}

static void some_host6(const struct twin *t, int in, uint8_t *a)
{
	int d = in && rnd(2) ? in : 1 + (int)rnd(TWIN_DOMS - 1);

	memset(a, 0, 16);
	switch (rnd(9)) {
	case 0:
		memcpy(a, t->host6[d], 16);
		break;
	case 1:
	case 2:
		memcpy(a, t->net6[d], 16);
		a[15] = (uint8_t)rnd(4);
		break;
	case 3:
		memcpy(a, t->self6, 16);
		break;
	case 4:
		break;
	case 5:
		memcpy(a, t->next6, 16);
		break;
	case 6:
		vfr_link_local(a, in ? t->gateway_mac : t->mac[0]);
		break;
	default:
		memcpy(a, twin_outside6[rnd(3)], 16);
		break;
	}
}

/* The sum of an ICMPv6 message behind a plain header. */
static void finish6(uint8_t *ip, uint32_t n)
{
	env_put16(ip + 4, (uint16_t)n);
	csum_store(ip + 42, 0);
	csum_store(ip + 42, (uint16_t)~csum_fold(csum_add(csum_pseudo6(ip, 58, n), ip + 40, n)));
}

static uint32_t fresh_nd(const struct twin *t, int in, uint8_t *f)
{
	uint8_t *ip = f + 14, *m = ip + 40, type = (uint8_t)(rnd(3) ? 135 + rnd(2) : 133 + rnd(5));
	uint32_t n = type == 133 ? 8 : type == 134 ? 16 : 24, options = rnd(4) ? 8 : rnd(3) * 8;

	memset(f, 0, 120);
	memcpy(f, in ? t->gateway_mac : t->mac[0], 6);
	if (rnd(2))
		memcpy(f, (const uint8_t[]){ 0x33, 0x33, 0xff, 0, 0, 1 }, 6);
	memcpy(f + 6, in ? t->mac[in] : t->peer_mac, 6);
	if (!in)
		f[11] = (uint8_t)rnd(3);
	env_put16(f + 12, 0x86dd);
	ip[0] = 0x60;
	ip[6] = 58;
	ip[7] = rnd(30) ? 255 : 64;
	some_host6(t, in, ip + 8);
	some_host6(t, in, m + 8);
	some_host6(t, in, ip + 24);
	if (rnd(2))
		memcpy(ip + 24, (const uint8_t[16]){ 0xff, 2, [11] = 1, 0xff, m[21], m[22], m[23] }, 16);
	if (rnd(30) == 0)
		m[8] = 0xff;
	m[0] = type;
	m[1] = rnd(40) == 0;
	m[4] = (uint8_t)(rnd(8) << 5);
	for (uint32_t at = n; at < n + options; at += 8) {
		m[at] = (uint8_t)(rnd(8) ? type == 136 ? 2 : 1 : rnd(6));
		m[at + 1] = (uint8_t)(rnd(20) ? 1 : rnd(3));
		memcpy(m + at + 2, f + 6, 6);
		if (rnd(20) == 0)
			m[at + 2 + rnd(6)] ^= 1;
	}
	finish6(ip, n + options);
	if (rnd(30) == 0)
		env_put16(ip + 4, (uint16_t)rnd(n + options));
	if (rnd(30) == 0)
		m[rnd(n + options)] ^= (uint8_t)(1 << rnd(8));
	return 14 + 40 + n + options;
}

uint32_t twin_fresh_link(const struct twin *t, int in, uint8_t *f)
{
	return rnd(2) ? fresh_arp(t, in, f) : fresh_nd(t, in, f);
}

uint32_t twin_answer_question(const uint8_t *q, uint32_t len, uint8_t *f)
{
	uint8_t *m = f + 54;

	if (rnd(4) == 0)
		return 0;
	memcpy(f, q, len);
	memcpy(f, q + 6, 6);
	memcpy(f + 6, (const uint8_t[]){ 2, 9, 0, 0, 0, (uint8_t)rnd(3) }, 6);
	if (q[12] == 8 && q[13] == 6 && q[21] == 1) {
		f[21] = 2;
		memcpy(f + 22, f + 6, 6);
		memcpy(f + 28, q + 38, 4);
		memcpy(f + 32, q + 22, 6);
		memcpy(f + 38, q + 28, 4);
		return len;
	}
	if (q[12] != 0x86 || q[20] != 58 || q[54] != 135)
		return 0;
	memcpy(f + 22, m + 8, 16);
	memcpy(f + 38, q + 22, 16);
	m[0] = 136;
	m[4] = 0x60;
	m[24] = 2;
	memcpy(m + 26, f + 6, 6);
	finish6(f + 14, len - 54);
	return len;
}
