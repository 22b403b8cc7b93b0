/* SPDX-License-Identifier: BSD-2-Clause */
/* A mixture of random packets that know of each other: see twin_gen.h. */
#include <string.h>

#include "twin_gen.h"

/* --- answers, and the same again -------------------------------------------------------------------------------------- */

#define MEMORY 64
static struct {
	struct twin_packet came, left;
} memory[MEMORY];
static unsigned int remembered;

void twin_went_through(const struct twin_packet *p, const uint8_t *left, int out)
{
	unsigned int i = remembered < MEMORY ? remembered++ : rnd(MEMORY);

	memory[i].came.in = p->in;
	memory[i].came.len = memory[i].left.len = p->len;
	memory[i].left.in = out;
	memcpy(memory[i].came.b, p->b, p->len);
	memcpy(memory[i].left.b, left, p->len);
}

static void from(const struct twin *t, struct twin_packet *p, int in)
{
	p->in = in;
	memcpy(p->b, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(p->b + 6, in ? t->mac[in] : t->peer_mac, 6);
}

static void swap(uint8_t *a, uint8_t *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

static void mend(uint8_t *ip)
{
	if (ip[0] >> 4 != 4)
		return;
	csum_store(ip + 10, 0);
	csum_store(ip + 10, csum_of(ip, (ip[0] & 15u) * 4));
}

/* Who sent it goes on. */
static void again(struct twin_packet *p, const struct twin_packet *came)
{
	uint8_t *ip = p->b + 14, *l = ip + (came->b[12] == 8 ? (came->b[14] & 15u) * 4 : 40);

	*p = *came;
	if ((came->b[12] == 8 ? ip[9] : ip[6]) == 6 && rnd(2))
		l[13] = twin_flags();
}

/* Who got it answers. */
static void answer(const struct twin *t, struct twin_packet *p, const struct twin_packet *left)
{
	bool v4 = left->b[12] == 8;
	uint8_t *ip = p->b + 14, *l = ip + (v4 ? (ip[0] & 15u) * 4 : 40), proto;

	*p = *left;
	from(t, p, left->in);
	l = ip + (v4 ? (ip[0] & 15u) * 4 : 40);
	proto = v4 ? ip[9] : ip[6];
	swap(ip + (v4 ? 12 : 8), ip + (v4 ? 16 : 24), v4 ? 4 : 16);
	ip[v4 ? 8 : 7] = 64;
	if (proto == 6 || proto == 17 || proto == 132)
		swap(l, l + 2, 2);
	if (proto == 6)
		l[13] = twin_flags();
	if ((proto == 1 && l[0] == 8) || (proto == 58 && l[0] == 128))
		l[0] = proto == 1 ? 0 : 129;
	mend(ip);
}

/* Who got it, or a router before him, complains. */
static void complain(const struct twin *t, struct twin_packet *p, const struct twin_packet *left)
{
	bool v4 = left->b[12] == 8;
	uint32_t h = v4 ? 20 : 40, n = left->len - 14 < 28 + rnd(60) ? left->len - 14 : 28 + rnd(60);
	uint8_t *ip = p->b + 14;

	if (!v4 && n < 48)
		n = left->len - 14 < 48 ? left->len - 14 : 48;
	from(t, p, left->in);
	memcpy(p->b + 12, left->b + 12, 2);
	memset(ip, 0, h + 8);
	memcpy(ip + h + 8, left->b + 14, n);
	p->len = 14 + h + 8 + n;
	if (v4) {
		ip[0] = 0x45;
		ip[8] = 64;
		ip[9] = 1;
		env_put16(ip + 2, (uint16_t)(p->len - 14));
		memcpy(ip + 12, left->b + 14 + 16, 4);
		memcpy(ip + 16, left->b + 14 + 12, 4);
		if (!left->in && rnd(2))
			env_put32(ip + 12, twin_outside[rnd(3)]);
		ip[h] = (uint8_t[]){ 3, 3, 11, 12 }[rnd(4)];
	} else {
		ip[0] = 0x60;
		ip[6] = 58;
		ip[7] = 64;
		env_put16(ip + 4, (uint16_t)(8 + n));
		memcpy(ip + 8, left->b + 14 + 24, 16);
		memcpy(ip + 24, left->b + 14 + 8, 16);
		if (!left->in && rnd(2))
			memcpy(ip + 8, twin_outside6[rnd(3)], 16);
		ip[h] = (uint8_t)(1 + rnd(4));
	}
	ip[h + 1] = (uint8_t)rnd(5);
	env_put16(ip + h + 2, (uint16_t)rnd(65536));
	mend(ip);
}

/* --- pieces ----------------------------------------------------------------------------------------------------------- */

#define WAITING 64
static struct twin_packet waiting[WAITING];
static unsigned int waiters;
static uint32_t next_id;

/* Cut a packet without extension headers or options into up to eight pieces, now and then overlapping, and let them wait. */
static void cut(const struct twin_packet *p)
{
	bool v4 = p->b[12] == 8;
	uint32_t h = v4 ? 20 : 40, behind = p->len - 14 - h, at = 0, id = next_id++;
	uint8_t kind = v4 ? p->b[14 + 9] : p->b[14 + 6];

	if (p->len < 14 + h + 16 || (v4 && p->b[14] != 0x45) || (!v4 && (kind == 0 || kind == 60 || kind == 44 || kind == 43)))
		return;
	while (at < behind && waiters < WAITING) {
		struct twin_packet *w = &waiting[waiters++];
		uint32_t n = (1 + rnd((uint32_t[]){ 12, 12, 60, 180 }[rnd(4)])) * 8, from = at;

		if (rnd(150) == 0 && at)
			from = at - 8;
		if (at == 0 && rnd(10))
			n += 24;
		n = n > behind - from ? behind - from : n;
		/* A last piece in the middle, now and then. */
		bool more = from + n < behind && rnd(60);
		uint32_t fh = v4 ? 0 : 8;
		w->in = p->in;
		w->len = 14 + h + fh + n;
		memcpy(w->b, p->b, 14 + h);
		memcpy(w->b + 14 + h + fh, p->b + 14 + h + from, n);
		if (v4) {
			env_put16(w->b + 16, (uint16_t)(h + n));
			env_put16(w->b + 18, (uint16_t)id);
			env_put16(w->b + 20, (uint16_t)((rnd(20) ? 0 : 0x4000) | (more ? 0x2000 : 0) | from / 8));
			mend(w->b + 14);
		} else {
			uint8_t *fr = w->b + 14 + h;

			env_put16(w->b + 18, (uint16_t)(n + 8));
			w->b[20] = 44;
			fr[0] = kind;
			fr[1] = 0;
			env_put16(fr + 2, (uint16_t)(from | more));
			env_put32(fr + 4, id);
		}
		at = from + n;
	}
}

void twin_was_made(int port, const uint8_t *frame, uint32_t len)
{
	struct twin_packet *w = &waiting[waiters];

	if (port || waiters == WAITING)
		return;
	w->in = 0;
	w->len = twin_answer_question(frame, len, w->b);
	waiters += w->len > 0;
}

/* --- the mixture ------------------------------------------------------------------------------------------------------ */

void twin_traffic_reset(void)
{
	remembered = waiters = 0;
}

/* How the packet lies in memory, and what is left to be done about it. */
static void dress(const struct twin *t, struct twin_packet *p)
{
	bool v4 = p->b[12] == 8 && p->b[13] == 0 && p->b[14] == 0x45, whole = v4 && !(env_get16(p->b + 20) & 0x3fff);
	uint8_t proto = v4 ? p->b[23] : p->b[20];
	uint32_t h = v4 ? 34 : 54;

	whole |= p->b[12] == 0x86;
	p->linear = p->len > 256 && rnd(4) == 0 ? 256 + rnd(p->len - 256) : p->len;
	p->partial = false;
	p->piece = 0;
	if (!whole || p->len < h + 20 || (proto != 6 && (proto != 17 || !v4)) || rnd(4))
		return;
	/* The sum of the pseudo header stands there, or nonsense. */
	p->partial = rnd(4);
	csum_store(p->b + h + (proto == 6 ? 16 : 6), v4 && rnd(4) ? csum_pseudo4(p->b + 14, proto, p->len - h) : (uint16_t)rnd(65536));
	if (rnd(2))
		p->piece = (uint16_t)(rnd(2) ? 1 + rnd(p->len - h) : t->mtu[rnd(TWIN_DOMS)] - 20 - rnd(64));
}

static void fresh(const struct twin *t, struct twin_packet *p)
{
	p->in = (int)rnd(TWIN_DOMS);
	if (!t->attached[p->in])
		p->in = 0;
	p->len = rnd(15) == 0 ? twin_fresh_link(t, p->in, p->b) : rnd(4) ? twin_fresh4(t, p->in, p->b) : twin_fresh6(t, p->in, p->b);
}

static void choose(const struct twin *t, struct twin_packet *p)
{
	static uint32_t talk;
	uint32_t what = rnd(remembered ? 16 : 6);

	/* A conversation has several packets. */
	if (rnd(6) == 0 || talk >= remembered)
		talk = remembered ? rnd(remembered) : 0;
	struct twin_packet *came = &memory[talk].came, *left = &memory[talk].left;

	if (waiters && rnd(3) == 0) {
		uint32_t w = rnd(waiters < 8 ? waiters : 8);

		*p = waiting[w];
		waiting[w] = waiting[--waiters];
		/* Now and then one is lost, or comes again. */
		if (rnd(40) == 0 && waiters < WAITING)
			waiting[waiters++] = *p;
		return;
	}
	if (what < 6)
		fresh(t, p);
	else if (what < 10)
		answer(t, p, left);
	else if (what < 11)
		complain(t, p, left);
	else
		again(p, came);
	if (rnd(12) == 0 && p->len >= 60)
		cut(p);
}

void twin_next(const struct twin *t, struct twin_packet *p)
{
	choose(t, p);
	dress(t, p);
}
