/* SPDX-License-Identifier: BSD-2-Clause */
/* Random packets for the twin and the router, out of nothing: see twin_gen.h. */
#include <string.h>

#include "twin_gen.h"

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
		return twin_outside[rnd(rnd(3) ? 3 : 8)];
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

uint8_t twin_flags(void)
{
	return (uint8_t[]){ 0x02, 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14 }[rnd(8)];
}

static uint32_t put_l4(const struct twin *t, uint8_t *l, int proto, unsigned int room)
{
	static const int kinds[133] = { [6] = 1, [17] = 2, [1] = 3, [132] = 4 };
	int kind = proto < 133 ? kinds[proto] - 1 : -1;

	for (unsigned int i = 0; i < room; i++)
		l[i] = (uint8_t)rnd(256);
	env_put16(l, some_port(t, kind));
	env_put16(l + 2, some_port(t, kind));
	if (proto == 6) {
		l[12] = (uint8_t)((rnd(10) ? 5 : rnd(16)) << 4);
		l[13] = rnd(8) ? twin_flags() : (uint8_t)rnd(64);
	}
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
		env_put32(ip + (in ? 16 : 12), twin_outside[rnd(3)]);
		env_put16(l + (in ? 0 : 2), port);
		l[12] = (uint8_t)((env_get16(ip + 2) < 80 || rnd(3) ? 5 : 5 + rnd(11)) << 4);
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

/* One of the few sockets of a guest with a private address. */
static void make_private(const struct twin *t, int in, uint8_t *ip)
{
	uint8_t *l = ip + 20;

	ip[9] = (uint8_t[]){ 6, 17, 1 }[rnd(3)];
	env_put32(ip + 12, t->internal[in]);
	if (rnd(6))
		env_put32(ip + 16, twin_outside[rnd(3)]);
	env_put16(l, rnd(2) ? (uint16_t)(5 + rnd(20)) : some_port(t, 0));
	l[12] = 5 << 4;
	if (ip[9] == 17)
		env_put16(l + 4, (uint16_t)(env_get16(ip + 2) - 20));
	if (ip[9] == 1) {
		l[0] = 8;
		env_put16(l + 4, (uint16_t)rnd(20));
	}
}

uint32_t twin_fresh4(const struct twin *t, int in, uint8_t *f)
{
	uint32_t h = rnd(12) ? 20 : 24, room = rnd(10) ? 24 + rnd(80) : rnd(1500);
	uint8_t *ip = f + 14;
	uint32_t src = in && rnd(4) ? t->shared[rnd(2)] : some_addr(t);

	memcpy(f, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(f + 6, in ? t->mac[in] : t->peer_mac, 6);
	env_put16(f + 12, rnd(40) ? 0x0800 : (uint16_t[]){ 0x8100, 0x88cc, 0 }[rnd(3)]);
	memset(ip, 0, h);
	ip[0] = (uint8_t)(0x40 | h / 4);
	ip[1] = (uint8_t)rnd(256);
	env_put16(ip + 4, (uint16_t)rnd(0));
	env_put16(ip + 6, rnd(3) && room < 600 ? 0x4000 : 0);
	ip[8] = rnd(15) ? 64 : (uint8_t)rnd(3);
	ip[9] = (uint8_t[]){ 6, 17, 6, 17, 1, 1, 132, 47, 50, 99 }[rnd(10)];
	if (in && src == t->shared[0] && rnd(3) == 0)
		src = t->dedicated[in] && rnd(2) ? t->dedicated[in] : t->internal[in] ? t->internal[in] : src;
	env_put32(ip + 12, src);
	env_put32(ip + 16, in ? some_addr(t) : rnd(6) ? t->shared[rnd(2)] : some_addr(t));
	if (h == 24) {
		ip[20] = (uint8_t[]){ 148, 131, 1, 0, 137, 7 }[rnd(6)];
		ip[21] = rnd(4) ? 4 : (uint8_t)rnd(6);
	}
	put_l4(t, ip + h, ip[9], room);
	env_put16(ip + 2, (uint16_t)(rnd(40) ? h + room : rnd(1600)));
	if (h == 20 && rnd(3) && src != t->internal[in])
		make_honest(t, in, ip);
	if (in && h == 20 && t->internal[in] && rnd(6) == 0)
		make_private(t, in, ip);
	csum_store(ip + 10, 0);
	csum_store(ip + 10, csum_of(ip, h));
	if (rnd(30) == 0)
		f[rnd(34)] ^= (uint8_t)(1 << rnd(8));
	uint32_t len = 14 + h + room;
	return rnd(40) ? len : rnd(len + 1);
}


/* --- IPv6 ------------------------------------------------------------------------------------------------------------- */

static void some_addr6(const struct twin *t, int of, uint8_t *a)
{
	int d = of ? of : 1 + (int)rnd(TWIN_DOMS - 1);

	switch (rnd(of ? 2 : 9)) {
	case 0:
		memcpy(a, t->host6[d], 16);
		break;
	case 1:
	case 2:
	case 3:
		memcpy(a, t->net6[d], 16);
		a[15] = (uint8_t)rnd(4);
		break;
	case 4:
		memcpy(a, rnd(3) ? t->self6 : (const uint8_t[16]){ 0xfe, 0x80, [15] = 9 }, 16);
		break;
	case 5:
		memcpy(a, (const uint8_t[16]){ 0xff, 2, [15] = 9 }, rnd(4) ? 0 : 16);
		break;
	default:
		memcpy(a, twin_outside6[rnd(3)], 16);
		break;
	}
}

static uint32_t put_quote6(const struct twin *t, uint8_t *l, uint32_t room)
{
	uint8_t *q = l + 8;

	if (room < 64)
		return room;
	q[0] = rnd(10) ? 0x60 : (uint8_t)rnd(256);
	q[6] = (uint8_t[]){ 6, 17, 58, 132 }[rnd(4)];
	some_addr6(t, 0, q + 8);
	some_addr6(t, 0, q + 24);
	env_put16(q + 40, (uint16_t)(rnd(50) * 100));
	env_put16(q + 42, (uint16_t)(rnd(50) * 100));
	if (q[6] == 58)
		q[40] = (uint8_t[]){ 128, 129, 1, 140 }[rnd(4)];
	return room;
}

/* => bytes of extension headers in front of what is meant; *first names the first of them. */
static uint32_t put_extensions(uint8_t *at, uint8_t proto, uint8_t *first)
{
	uint32_t n = rnd(8) ? 0 : 1 + rnd(3), len = 0;
	uint8_t *link = first;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t kind = (uint8_t[]){ 60, 60, 0, 44, 43 }[rnd(rnd(4) ? 4 : 5)];

		*link = kind;
		link = at + len;
		memset(at + len, 0, 24);
		at[len + 1] = kind == 44 ? 0 : (uint8_t)rnd(3);
		len += kind == 44 ? 8 : 8u + at[len + 1] * 8u;
	}
	*link = proto;
	return len;
}

uint32_t twin_fresh6(const struct twin *t, int in, uint8_t *f)
{
	uint8_t *ip = f + 14, proto = (uint8_t[]){ 6, 17, 6, 17, 58, 132, 50, 47 }[rnd(8)];
	uint32_t room = rnd(10) ? 24 + rnd(100) : rnd(1400);

	memcpy(f, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(f + 6, in ? t->mac[in] : t->peer_mac, 6);
	if (rnd(40) == 0)
		f[0] |= 1;
	env_put16(f + 12, 0x86dd);
	memset(ip, 0, 40);
	ip[0] = (uint8_t)(rnd(50) ? 0x60 : rnd(256));
	ip[7] = rnd(15) ? 64 : (uint8_t)rnd(3);
	some_addr6(t, rnd(8) ? in : 0, ip + 8);
	if (!in && rnd(8))
		memcpy(ip + 8, twin_outside6[rnd(3)], 16);
	some_addr6(t, 0, ip + 24);
	/* Nobody, the loop inside a host, the link's own. */
	if (rnd(30) == 0)
		memcpy(ip + (rnd(2) ? 8 : 24), (const uint8_t[][16]){ { 0 }, { [15] = 1 }, { 0xfe, 0x80, [15] = 7 } }[rnd(3)], 16);
	uint32_t ext = put_extensions(ip + 40, proto, ip + 6);
	uint8_t *l = ip + 40 + ext;
	put_l4(t, l, proto == 58 ? 47 : proto, room);
	if (proto == 58) {
		l[0] = (uint8_t[]){ 128, 128, 129, 1, 2, 3, 4, 140 }[rnd(8)];
		if (l[0] >= 1 && l[0] <= 4)
			put_quote6(t, l, room);
	} else {
		/* Few ports, so that packets meet each other. */
		env_put16(l, (uint16_t)(rnd(50) * 100));
		env_put16(l + 2, (uint16_t)(rnd(50) * 100));
	}
	env_put16(ip + 4, (uint16_t)(rnd(40) ? ext + room : rnd(1600)));
	return 14 + 40 + ext + room;
}
