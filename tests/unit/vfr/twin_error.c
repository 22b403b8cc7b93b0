/* SPDX-License-Identifier: BSD-2-Clause */
/* What the naive twin tells the sender of a packet that is dropped: ICMP errors and TCP resets, and how many of them. */
#include "twin_priv.h"

/* RFC 792, 1812, 4443: type and code for each family. Other drops are silent. */
static const struct {
	const char *reason;
	uint8_t type4, code4, type6, code6;
} errors[] = {
	{ "src-port", 3, 13, 1, 1 }, { "src-proto", 3, 13, 1, 1 }, { "egress-denied", 3, 13, 1, 1 }, { "rule-reject", 3, 13, 1, 1 },
	{ "nat-full", 3, 13, 1, 1 }, { "port-unowned", 3, 3, 1, 4 }, { "self", 3, 3, 1, 4 }, { "owner-down", 3, 1, 1, 3 },
	{ "neigh-failed", 3, 1, 1, 3 }, { "no-route", 3, 0, 1, 0 }, { "too-big", 3, 4, 2, 0 }, { "ttl", 11, 0, 3, 0 },
};

bool twin_take(struct twin_bucket *b, uint64_t now, uint32_t rate, uint32_t burst)
{
	uint64_t full = (burst ? burst : rate) * 10ull;

	if (!b->started)
		b->tenths = full;
	else
		b->tenths += (now - b->asked) * rate;
	if (b->tenths > full)
		b->tenths = full;
	b->started = true;
	b->asked = now;
	if (b->tenths < 10)
		return false;
	b->tenths -= 10;
	return true;
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e): about these nobody is told anything. */
static bool unanswerable(const struct facts *f)
{
	bool echo = f->echo_request || f->echo_reply;

	if (f->later || f->frame[0] % 2)
		return true;
	if (f->family == 4)
		return (f->proto == 1 && !echo) || twin_unusable(u32(f->ip + 12)) || f->ip[16] >= 224;
	return (f->proto == 58 && !echo) || f->ip[8] == 255 || f->ip[24] == 255;
}

static uint32_t add(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : p[i] * 256u;
	return sum;
}

void twin_put_sum(uint8_t *ip, uint8_t proto, uint8_t *l4, uint32_t n, uint8_t *at)
{
	bool v4 = ip[0] / 16 == 4;
	uint32_t sum = 0;

	put16(at, 0);
	if (proto != 1)
		sum = add(n + proto, v4 ? ip + 12 : ip + 8, v4 ? 8 : 32);
	sum = add(sum, l4, n);
	while (sum > 65535)
		sum = sum % 65536 + sum / 65536;
	put16(at, 65535 - sum);
}

/* => room for `n` bytes behind the headers of a frame back to where `f` came from. */
static uint8_t *head_back(const struct twin *t, int in, const struct facts *f, uint8_t proto, bool as_router, uint32_t n,
	struct twin_frame *m)
{
	uint8_t *ip = m->b + 14;
	bool v4 = f->family == 4;

	m->port = in;
	m->len = (v4 ? 34 : 54) + n;
	memset(m->b, 0, m->len);
	memcpy(m->b, f->frame + 6, 6);
	memcpy(m->b + 6, in ? t->gateway_mac : t->mac[0], 6);
	memcpy(m->b + 12, f->frame + 12, 2);
	if (v4) {
		/* Internetwork control, not to be split. */
		ip[0] = 0x45;
		ip[1] = 0xc0;
		put16(ip + 2, 20 + n);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = proto;
		/* Outside knows us by the address that it wrote to. */
		memcpy(ip + 12, f->ip + 16, 4);
		if (in && as_router)
			put32(ip + 12, t->self ? t->self : 0xc0000008);
		memcpy(ip + 16, f->ip + 12, 4);
		twin_mend(ip);
		return ip + 20;
	}
	ip[0] = 0x60;
	put16(ip + 4, n);
	ip[6] = proto;
	ip[7] = 64;
	memcpy(ip + 8, f->ip + 24, 16);
	if (in && as_router)
		twin_link_local(ip + 8, t->gateway_mac);
	memcpy(ip + 24, f->ip + 8, 16);
	return ip + 40;
}

/* RFC 9293 section 3.5.2, group 1. */
static void reset(const struct twin *t, int in, const struct facts *f, struct twin_frame *m)
{
	uint32_t behind = f->l4_len - f->l4[12] / 16u * 4 + (f->tcp_flags / 2 % 2) + (f->tcp_flags % 2);
	uint8_t *r = head_back(t, in, f, 6, false, 20, m);

	memcpy(r, f->l4 + 2, 2);
	memcpy(r + 2, f->l4, 2);
	r[12] = 0x50;
	r[13] = 4;
	if (f->tcp_flags / 16 % 2) {
		memcpy(r + 4, f->l4 + 8, 4);
	} else {
		put32(r + 8, u32(f->l4 + 4) + behind);
		r[13] = 4 + 16;
	}
	twin_put_sum(m->b + 14, 6, r, 20, r + 16);
}

static void error(const struct twin *t, int in, const struct facts *f, unsigned int which, uint16_t mtu, struct twin_frame *m)
{
	/* As much as leaves the error within 576 or 1280 bytes, and as can be looked at. */
	uint32_t most = f->family == 4 ? 576 - 28 : 1280 - 48, there = (uint32_t)(f->l4 - f->ip) + f->room;
	uint32_t n = there < most ? there : most;
	uint8_t *icmp = head_back(t, in, f, f->family == 4 ? 1 : 58, true, 8 + n, m);

	icmp[0] = f->family == 4 ? errors[which].type4 : errors[which].type6;
	icmp[1] = f->family == 4 ? errors[which].code4 : errors[which].code6;
	if (!strcmp(errors[which].reason, "too-big"))
		put32(icmp + 4, mtu);
	memcpy(icmp + 8, f->ip, n);
	twin_put_sum(m->b + 14, f->family == 4 ? 1 : 58, icmp, 8 + n, icmp + 2);
}

void twin_tell(struct twin *t, const struct twin_frame *as_it_came, const char *reason, uint16_t mtu, struct twin_answer *a)
{
	static struct twin_frame copy;
	int in = as_it_came->in;
	unsigned int which = 0;
	struct facts f;

	while (which < sizeof(errors) / sizeof(errors[0]) && strcmp(errors[which].reason, reason))
		which++;
	if (which == sizeof(errors) / sizeof(errors[0]))
		return;
	copy = *as_it_came;
	twin_read(t, &copy, &f);
	bool refuse_tcp = f.proto == 6 && !strcmp(reason, "rule-reject");
	if (unanswerable(&f) || (refuse_tcp && f.tcp_flags / 4 % 2))
		return;
	if (!twin_take(&t->told[in], t->now, in ? 100 : 1000, in ? 50 : 100))
		return;
	if (refuse_tcp)
		reset(t, in, &f, &a->made[a->mades++]);
	else
		error(t, in, &f, which, mtu, &a->made[a->mades++]);
}
