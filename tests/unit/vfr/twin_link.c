/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin hears and speaks ARP (RFC 826, 5227) and neighbour discovery (RFC 4861). */
#include "twin_priv.h"

enum { RS = 133, RA, NS, NA, REDIRECT };

/* --- speaking --------------------------------------------------------------------------------------------------------- */

void twin_link_local(uint8_t *a, const uint8_t *mac)
{
	memcpy(a, (uint8_t[16]){ 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] }, 16);
}

/* tha: NULL while it is asked for. */
void twin_put_arp(struct twin_frame *m, int op, const uint8_t *to, const uint8_t *from, const uint8_t *spa, const uint8_t *tha,
	const uint8_t *tpa)
{
	const uint8_t begin[10] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, (uint8_t)op };

	m->len = 42;
	memset(m->b, 0, 42);
	memcpy(m->b, to, 6);
	memcpy(m->b + 6, from, 6);
	memcpy(m->b + 12, begin, 10);
	memcpy(m->b + 22, from, 6);
	memcpy(m->b + 28, spa, 4);
	if (tha)
		memcpy(m->b + 32, tha, 6);
	memcpy(m->b + 38, tpa, 4);
}

/* A solicitation or an advertisement, with the speaker's MAC as its option. */
void twin_put_nd(struct twin_frame *m, int type, uint8_t flags, const uint8_t *to, const uint8_t *from, const uint8_t *src,
	const uint8_t *dst, const uint8_t *target)
{
	uint8_t *ip = m->b + 14, *icmp = ip + 40;

	m->len = 14 + 40 + 32;
	memset(m->b, 0, m->len);
	memcpy(m->b, to, 6);
	memcpy(m->b + 6, from, 6);
	put16(m->b + 12, 0x86dd);
	ip[0] = 0x60;
	ip[5] = 32;
	ip[6] = 58;
	ip[7] = 255;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, dst, 16);
	icmp[0] = (uint8_t)type;
	icmp[4] = flags;
	memcpy(icmp + 8, target, 16);
	icmp[24] = type == NS ? 1 : 2;
	icmp[25] = 1;
	memcpy(icmp + 26, from, 6);
	twin_put_sum(ip, 58, icmp, 32, icmp + 2);
}

/* --- ARP -------------------------------------------------------------------------------------------------------------- */

/* Of a shared address everybody here may say that it is his. */
static bool may_claim(const struct twin *t, int d, uint32_t a)
{
	bool internal;

	return twin_shared(t, a) >= 0 || (a && twin_whole_owner(t, a, &internal) == d);
}

static const char *guest_arp(const struct twin *t, int in, const uint8_t *f, struct twin_answer *a)
{
	uint32_t spa = u32(f + 28), tpa = u32(f + 38);

	if (memcmp(f + 22, t->mac[in], 6) || (spa && !may_claim(t, in, spa)))
		return "arp-bad";
	/* A probe is answered for what somebody has, a question for all but the asker's own. */
	if (f[21] == 1 && spa != tpa && !may_claim(t, in, tpa) && (spa || twin_lives_here(t, tpa))) {
		struct twin_frame *m = &a->made[a->mades++];

		m->port = in;
		twin_put_arp(m, 2, f + 22, t->gateway_mac, f + 38, f + 22, f + 28);
	}
	return "consumed";
}

static const char *outside_arp(struct twin *t, const uint8_t *f, struct twin_answer *a)
{
	uint32_t spa = u32(f + 28), tpa = u32(f + 38);
	bool internal = false, public = tpa && (twin_shared(t, tpa) >= 0 || (twin_whole_owner(t, tpa, &internal) && !internal));

	if (memcmp(f + 22, f + 6, 6) || twin_lives_here(t, spa))
		return "arp-bad";
	if (spa)
		twin_learn(t, 4, f + 28, f + 22, f[21] == 1 && public, a);
	if (f[21] == 1 && public) {
		struct twin_frame *m = &a->made[a->mades++];

		m->port = 0;
		twin_put_arp(m, 2, f + 22, t->mac[0], f + 38, f + 22, f + 28);
	}
	return "consumed";
}

const char *twin_arp(struct twin *t, int in, const uint8_t *f, struct twin_answer *a)
{
	if (memcmp(f + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0 }, 7) || f[21] < 1 || f[21] > 2)
		return "arp-bad";
	return in ? guest_arp(t, in, f, a) : outside_arp(t, f, a);
}

/* --- neighbour discovery ---------------------------------------------------------------------------------------------- */

static bool nobody(const uint8_t *a)
{
	return !memcmp(a, (uint8_t[16]){ 0 }, 16);
}

/* RFC 4861 sections 6.1, 7.1, 8.1, RFC 6980. => false: not to be believed; *mac: the link address that it gives */
static bool valid(const struct facts *f, const uint8_t **mac)
{
	uint32_t fixed = f->type == RS ? 8 : f->type == RA ? 16 : 24;
	bool to_group = f->b[0] == 255;
	uint8_t *m = f->l4;
	uint16_t sum = (uint16_t)u16(m + 2);

	*mac = NULL;
	if (f->fragment_header || f->ip[7] != 255 || m[1] || f->l4_len < fixed || f->room < f->l4_len)
		return false;
	twin_put_sum(f->ip, 58, m, f->l4_len, m + 2);
	if (u16(m + 2) != sum)
		return false;
	if ((f->type == NS || f->type == NA) && m[8] == 255)
		return false;
	if (f->type == NA && to_group && m[4] / 64 % 2)
		return false;
	for (uint32_t at = fixed; at < f->room; at += m[at + 1] * 8u) {
		if (at + 8 > f->room || m[at + 1] == 0 || at + m[at + 1] * 8u > f->room)
			return false;
		if (m[at] == (f->type == NA ? 2 : 1) && m[at + 1] == 1)
			*mac = m + at + 2;
	}
	/* Who has no address yet asks all that might have it, and cannot be answered in person. */
	if (nobody(f->a) && (f->type == NS || f->type == RS) && *mac)
		return false;
	return f->type != NS || !nobody(f->a) || !memcmp(f->b, (uint8_t[13]){ 0xff, 2, [11] = 1, [12] = 0xff }, 13);
}

static void advertise(const struct twin *t, int in, const struct facts *f, struct twin_answer *a)
{
	const uint8_t *own = in ? t->gateway_mac : t->mac[0], *target = f->l4 + 8;
	struct twin_frame *m = &a->made[a->mades++];

	m->port = in;
	if (nobody(f->a))
		twin_put_nd(m, NA, 0x80, (uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, own, target, (uint8_t[16]){ 0xff, 2, [15] = 1 }, target);
	else
		twin_put_nd(m, NA, 0xc0, f->frame + 6, own, target, f->a, target);
}

static const char *guest_nd(const struct twin *t, int in, const struct facts *f, const uint8_t *mac, struct twin_answer *a)
{
	const uint8_t *target = f->l4 + 8;
	uint8_t ours[16];

	if ((!nobody(f->a) && !twin_of_the_link(f->a) && twin_owner6(t, f->a) != in) || (mac && memcmp(mac, t->mac[in], 6)))
		return "nd-bad";
	if (f->type == RA || f->type == REDIRECT)
		return "nd-bad";
	if (f->type != NS)
		return "consumed";
	twin_link_local(ours, t->gateway_mac);
	bool silent = twin_of_the_link(target) ? memcmp(target, ours, 16) != 0 :
		      twin_owner6(t, target) == in || (nobody(f->a) && !twin_owner6(t, target));
	if (!silent)
		advertise(t, in, f, a);
	return "consumed";
}

static const char *outside_nd(struct twin *t, const struct facts *f, const uint8_t *mac, struct twin_answer *a)
{
	const uint8_t *target = f->l4 + 8;
	uint8_t ours[16];

	if (twin_owner6(t, f->a) || (f->type == NA && twin_owner6(t, target)))
		return "nd-bad";
	if (f->type == NA)
		twin_learn(t, 6, target, mac ? mac : f->frame + 6, false, a);
	if (f->type != NS)
		return "consumed";
	twin_link_local(ours, t->mac[0]);
	bool for_us = twin_owner6(t, target) || !memcmp(target, ours, 16);
	if (mac && !nobody(f->a))
		twin_learn(t, 6, f->a, mac, for_us, a);
	if (for_us)
		advertise(t, 0, f, a);
	return "consumed";
}

const char *twin_nd(struct twin *t, int in, const struct facts *f, struct twin_answer *a)
{
	const uint8_t *mac;

	if (!valid(f, &mac))
		return "nd-bad";
	return in ? guest_nd(t, in, f, mac, a) : outside_nd(t, f, mac, a);
}
