/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin reads a packet, from the outside in: see twin.h. */
#include "twin_priv.h"

uint16_t twin_sum(const uint8_t *p, unsigned int n)
{
	uint32_t s = 0;

	for (unsigned int i = 0; i < n; i += 2)
		s += u16(p + i);
	while (s > 65535)
		s = s % 65536 + s / 65536;
	return (uint16_t)s;
}

void twin_mend(uint8_t *ip)
{
	ip[10] = ip[11] = 0;
	put16(ip + 10, 65535u - twin_sum(ip, ip[0] % 16 * 4u));
}

static int kind_of(int proto)
{
	return proto == 6 ? 0 : proto == 17 ? 1 : proto == 1 ? 2 : proto == 132 ? 3 : -1;
}

static const char *bad_options(const uint8_t *o, int n)
{
	for (int i = 0; i < n;) {
		if (o[i] == 0)
			return NULL;
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || o[i + 1] < 2 || i + o[i + 1] > n || o[i] == 131 || o[i] == 137)
			return "ip-options";
		i += o[i + 1];
	}
	return NULL;
}

static bool is_error(int family, int type)
{
	return family == 4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
}

/* => where the quoted packet's transport header stands; 0: it is not there, or it is a later fragment. */
static unsigned int quoted_l4(struct facts *f, const uint8_t *q)
{
	unsigned int at = 40;

	for (int i = 0; i < 8 && 8 + at + 8 <= f->l4_len; i++) {
		int kind = f->q_proto;

		if (kind != 0 && kind != 60 && kind != 44)
			return at;
		f->q_proto = q[at];
		if (kind == 44 && u16(q + at + 2) / 8)
			return 0;
		at += kind == 44 ? 8 : 8 + 8 * q[at + 1];
	}
	return 0;
}

static const char *read_quote(struct facts *f)
{
	uint8_t *q = f->l4 + 8;
	unsigned int h = 40;

	if (f->frag || f->room < 28 || (f->family == 4 && q[0] / 16 != 4))
		return "icmp-quote";
	if (f->family == 4)
		h = q[0] % 16 * 4;
	if (h < 20 || f->room < 8 + h + 8)
		return "icmp-quote";
	f->icmp_error = true;
	f->q_ip = q;
	f->q_proto = f->family == 4 ? q[9] : q[6];
	if (f->family == 6)
		h = quoted_l4(f, q);
	f->q_l4 = q + h;
	f->q_kind = kind_of(f->q_proto);
	f->q_sport = f->q_dport = -1;
	memcpy(f->q_a, q + (f->family == 4 ? 12 : 8), f->family == 4 ? 4 : 16);
	memcpy(f->q_b, q + (f->family == 4 ? 16 : 24), f->family == 4 ? 4 : 16);
	f->q_src = u32(q + 12);
	f->q_dst = u32(q + 16);
	int type = q[h], icmp = f->family == 4 ? 1 : 58;
	if (!h)
		return q[0] / 16 == 6 ? NULL : (f->q_proto = -1, NULL);
	if (f->q_proto == 6 || f->q_proto == 17 || f->q_proto == 132) {
		f->q_sport = (int)u16(q + h);
		f->q_dport = (int)u16(q + h + 2);
	} else if (f->q_proto == icmp && (type == (icmp == 1 ? 0 : 128) || type == (icmp == 1 ? 8 : 129))) {
		f->q_sport = f->q_dport = (int)u16(q + h + 4);
	}
	/* A later fragment says nothing, and nobody quotes an error. */
	if ((f->family == 4 && u16(q + 6) % 8192) || (f->family == 6 && q[0] / 16 != 6) ||
		(f->q_proto == icmp && (icmp == 1 ? is_error(4, type) : type < 128)))
		f->q_proto = -1;
	return NULL;
}

static const char *read_icmp(struct facts *f)
{
	int request = f->family == 4 ? 8 : 128, reply = f->family == 4 ? 0 : 129;

	if (f->room < 8)
		return f->frag ? "frag-tiny" : "bad-l4";
	f->type = f->l4[0];
	f->echo_request = f->type == request;
	f->echo_reply = f->type == reply;
	if (f->echo_request || f->echo_reply)
		f->sport = f->dport = (int)u16(f->l4 + 4);
	return is_error(f->family, f->type) ? read_quote(f) : NULL;
}

static const char *read_l4(struct facts *f)
{
	const uint8_t *l = f->l4;
	const char *cut = f->frag ? "frag-tiny" : "bad-l4";

	f->sport = f->dport = -1;
	if (f->later)
		return NULL;
	switch (f->proto) {
	case 6:
		if (f->room < 20 || l[12] / 16 < 5 || l[12] / 16u * 4 > f->l4_len)
			return cut;
		f->tcp_flags = l[13];
		break;
	case 17:
		if (f->room < 8)
			return cut;
		if (!f->frag && !f->piece && (u16(l + 4) < 8 || u16(l + 4) > f->l4_len))
			return "bad-l4";
		break;
	case 132:
		if (f->room < 12)
			return cut;
		break;
	case 50:
		return f->room < 8 ? cut : NULL;
	case 1:
		return f->family == 4 ? read_icmp(f) : NULL;
	case 58:
		return f->family == 6 ? read_icmp(f) : NULL;
	default:
		return NULL;
	}
	f->sport = (int)u16(l);
	f->dport = (int)u16(l + 2);
	return NULL;
}

/* What both families ask of a fragment; `most` bytes can a datagram have behind its headers. */
static const char *read_fragment(struct facts *f, uint32_t most)
{
	f->frag = true;
	f->later = f->offset != 0;
	if (f->l4_len == 0 || f->offset + f->l4_len > most || (f->more && f->l4_len % 8))
		return "frag-bad";
	return f->offset == 8 && f->proto == 6 ? "frag-tiny" : NULL;
}

/* The headers are `h` bytes. */
static void behind(struct facts *f, uint32_t h, uint32_t linear)
{
	f->l4 = f->ip + h;
	f->l4_len = f->len - h;
	f->all_linear = 14 + f->len <= linear;
	f->room = f->all_linear ? f->l4_len : linear - 14 - h;
}

static const char *read4(struct facts *f, uint32_t len, uint32_t linear)
{
	const char *bad;

	if (len < 34)
		return "short";
	unsigned int h = f->ip[0] % 16 * 4;
	f->family = 4;
	f->len = u16(f->ip + 2);
	if (f->ip[0] / 16 != 4 || h < 20 || f->len < h || f->len + 14 > len)
		return "bad-ip";
	if (twin_sum(f->ip, h) != 65535)
		return "bad-ip-csum";
	f->proto = f->ip[9];
	f->kind = kind_of(f->proto);
	f->src = u32(f->ip + 12);
	f->dst = u32(f->ip + 16);
	memcpy(f->a, f->ip + 12, 4);
	memcpy(f->b, f->ip + 16, 4);
	behind(f, h, linear);
	bad = bad_options(f->ip + 20, (int)h - 20);
	unsigned int word = u16(f->ip + 6);
	f->df = word / 16384 % 2;
	f->more = word / 8192 % 2;
	f->offset = word % 8192 * 8;
	f->id = u16(f->ip + 4);
	if (!bad && (f->more || f->offset))
		bad = read_fragment(f, 65515);
	return bad ? bad : read_l4(f);
}

static const char *read6(struct facts *f, uint32_t len, uint32_t linear)
{
	unsigned int at = 40, headers = 0;

	if (len < 54)
		return "short";
	f->family = 6;
	f->len = 40 + u16(f->ip + 4);
	if (f->ip[0] / 16 != 6 || f->len + 14 > len)
		return "bad-ip";
	memcpy(f->a, f->ip + 8, 16);
	memcpy(f->b, f->ip + 24, 16);
	uint32_t seen = 14 + f->len < linear ? f->len : linear - 14;
	f->df = true;
	f->kind = -1;
	f->proto = f->ip[6];
	for (;; headers++) {
		bool extension = f->proto == 0 || f->proto == 60 || f->proto == 44;
		const uint8_t *h = f->ip + at;

		if (f->proto == 43 || (f->proto == 0 && headers) || headers > 8 || (extension && at + 8 > seen))
			return "ip-options";
		if (!extension || f->later)
			break;
		bool piece = f->proto == 44;
		at += piece ? 8 : 8 + 8 * h[1];
		if (at > seen || (piece && f->fragment_header))
			return "ip-options";
		f->proto = h[0];
		f->l4_len = f->len - at;
		if (!piece)
			continue;
		f->fragment_header = true;
		f->more = h[3] % 2;
		f->offset = u16(h + 2) / 8 * 8;
		f->id = u32(h + 4);
		const char *bad = f->more || f->offset ? read_fragment(f, 65535) : NULL;
		if (bad)
			return bad;
	}
	behind(f, at, linear);
	return read_l4(f);
}

/* All but whom the link says that it is from and for. */
const char *twin_read_on(struct twin_frame *p, struct facts *f)
{
	uint32_t len = p->len;

	memset(f, 0, sizeof(*f));
	f->partial = p->partial;
	f->piece = p->piece;
	f->frame = p->b;
	f->frame_len = len;
	f->ip = p->b + 14;
	if (u16(p->b + 12) == 0x86dd)
		return read6(f, len, p->linear);
	if (u16(p->b + 12) == 0x0806)
		return len < 42 ? "short" : NULL;
	return u16(p->b + 12) == 0x0800 ? read4(f, len, p->linear) : "ethertype";
}

const char *twin_read(const struct twin *t, struct twin_frame *p, struct facts *f)
{
	uint8_t *fr = p->b;
	int in = p->in;

	if (p->len < 14)
		return "short";
	if (in && memcmp(fr + 6, t->mac[in], 6))
		return "src-mac";
	if (fr[0] % 2 == 0 && memcmp(fr, in ? t->gateway_mac : t->mac[0], 6))
		return "dst-mac";
	return twin_read_on(p, f);
}
