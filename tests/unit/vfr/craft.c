/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets from text and text from packets: see craft.h. Checksums are computed here on their own, the plain way. */
#include "craft.h"
#include "craft_priv.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct craft_name craft_names[CRAFT_NAMES] = {
	{ "S", "203.0.113.7" }, { "T", "203.0.113.8" }, { "X", "192.0.2.9" }, { "Y", "192.0.2.10" },
	{ "C", "203.0.113.30" }, { "D", "10.0.0.4" }, { "F", "10.0.0.6" }, { "G", "10.0.0.1" }, { "U", "198.51.100.1" }, { "N",
		"198.51.100.77" },
	{ "DUMMY", "192.0.0.8" }, { "A6", "2001:db8:1::a" }, { "C6", "2001:db8:3::c" }, { "X6", "2001:db8:99::9" },
	{ "U6", "2001:db8:ff::1" }, { "H6", "2001:db8:5::5" }, { "LL", "fe80::ff:fe00:ff01" },
};

const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0xff, 1 }, outside_mac[6] = { 2, 0, 0, 0, 0xee, 1 };

void port_mac(int port, uint8_t mac[6])
{
	const uint8_t m[6] = { 2, 0, 0, 0, 1, (uint8_t)port };

	memcpy(mac, m, 6);
}

int parse_addr(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	for (unsigned int i = 0; i < CRAFT_NAMES; i++)
		if (!strcmp(text, craft_names[i].name))
			text = craft_names[i].addr;
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 6 : 0;
}

/* What a line says. */
struct spec {
	char proto[8];
	int num, family, sport, dport;
	uint8_t src[16], dst[16];
	int flags, ttl, id, len, frag, more, df, type, code, mtu, spi, badsum, ver, cut, pad, tlen, gso, partial, opt, q, op, nh, inner;
	const char *smac, *dmac;
	char quote[512];
	bool is_frag;
};

static bool endpoint(const char *t, uint8_t addr[16], int *port, int *family)
{
	char a[64], *colon;

	snprintf(a, sizeof(a), "%s", t);
	colon = strrchr(a, ':');
	*port = 0;
	/* an IPv6 address with a port is written [addr]:port */
	if (a[0] == '[') {
		char *end = strchr(a, ']');

		if (!end)
			return false;
		*end = 0;
		if (end[1] == ':')
			*port = atoi(end + 2);
		*family = parse_addr(a + 1, addr);
		return *family;
	}
	if (colon && strchr(a, ':') == colon) {
		*port = atoi(colon + 1);
		*colon = 0;
	}
	*family = parse_addr(a, addr);
	return *family;
}

static int tcp_flags(const char *t)
{
	static const char letters[] = "FSRPAU";
	int f = 0;

	for (; *t; t++) {
		const char *at = strchr(letters, *t);

		if (at)
			f |= 1 << (at - letters);
	}
	return f;
}

static bool option(struct spec *s, const char *o)
{
	static const struct {
		const char *name;
		size_t off;
	} ints[] = {
#define I(n) { #n, offsetof(struct spec, n) }
		I(ttl), I(id), I(len), I(mtu), I(spi), I(ver), I(cut), I(pad), I(tlen), I(gso), I(opt), I(q), I(op), I(nh),
#undef I
	};
	const char *eq = strchr(o, '=');

	if (!strcmp(o, "df"))
		s->df = 1;
	else if (!strcmp(o, "inner"))
		s->inner = 1;
	else if (!strcmp(o, "badsum"))
		s->badsum = 1;
	else if (!strcmp(o, "partial"))
		s->partial = 1;
	else if (!strcmp(o, "echo"))
		s->type = s->family == 4 ? 8 : 128;
	else if (!strcmp(o, "reply"))
		s->type = s->family == 4 ? 0 : 129;
	else if (!strncmp(o, "flags=", 6))
		s->flags = tcp_flags(o + 6);
	else if (!strncmp(o, "type=", 5))
		sscanf(o + 5, "%d/%d", &s->type, &s->code);
	else if (!strncmp(o, "smac=", 5))
		s->smac = o + 5;
	else if (!strncmp(o, "dmac=", 5))
		s->dmac = o + 5;
	else if (!strncmp(o, "frag=", 5)) {
		s->frag = atoi(o + 5);
		s->more = strchr(o, '+') != NULL;
		s->is_frag = true;
	} else {
		for (unsigned int i = 0; eq && i < sizeof(ints) / sizeof(ints[0]); i++)
			if (strlen(ints[i].name) == (size_t)(eq - o) && !strncmp(o, ints[i].name, (size_t)(eq - o))) {
				*(int *)((char *)s + ints[i].off) = atoi(eq + 1);
				return true;
			}
		return false;
	}
	return true;
}

static int proto_num(const char *n, int family)
{
	if (!strcmp(n, "tcp"))
		return 6;
	if (!strcmp(n, "udp"))
		return 17;
	if (!strcmp(n, "sctp"))
		return 132;
	if (!strcmp(n, "icmp"))
		return family == 6 ? 58 : 1;
	if (!strcmp(n, "esp"))
		return 50;
	if (!strcmp(n, "gre"))
		return 47;
	if (!strncmp(n, "ip=", 3))
		return atoi(n + 3);
	return -1;
}

static bool read_line(struct spec *s, char *text)
{
	char *q = strstr(text, "quote("), *save = NULL, *t;

	*s = (struct spec){ .ttl = 64, .id = 7, .len = -1, .type = -1, .flags = 0x10, .ver = -1, .tlen = -1,
			  .q = -1, .nh = -1, .op = 1, .spi = 4096 };
	if (q) {
		char *end = strrchr(q, ')');

		if (!end)
			return false;
		snprintf(s->quote, sizeof(s->quote), "%.*s", (int)(end - q - 6), q + 6);
		memset(q, ' ', (size_t)(end - q + 1));
	}
	t = strtok_r(text, " ", &save);
	if (!t)
		return false;
	snprintf(s->proto, sizeof(s->proto), "%s", t);
	t = strtok_r(NULL, " ", &save);
	char *gt = t ? strchr(t, '>') : NULL;
	if (!gt)
		return false;
	*gt = 0;
	int f2;
	if (!endpoint(t, s->src, &s->sport, &s->family) || !endpoint(gt + 1, s->dst, &s->dport, &f2) || f2 != s->family)
		return false;
	while ((t = strtok_r(NULL, " ", &save)))
		if (!option(s, t))
			return false;
	s->num = proto_num(s->proto, s->family);
	return s->num >= 0 || !strcmp(s->proto, "arp");
}

static uint32_t payload(uint8_t *p, int len, int def)
{
	uint32_t n = (uint32_t)(len < 0 ? def : len);

	for (uint32_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + 3);
	return n;
}

static uint32_t build_ip(uint8_t *ip, const struct spec *s, struct crafted *c);

static uint32_t build_icmp(uint8_t *l, const struct spec *s)
{
	uint32_t n = 8;

	l[0] = (uint8_t)(s->type < 0 ? (s->family == 4 ? 8 : 128) : s->type);
	l[1] = (uint8_t)s->code;
	put16(l + 4, (unsigned int)(s->mtu ? 0 : s->sport));
	put16(l + 6, (unsigned int)s->mtu);
	if (!s->mtu && !s->quote[0])
		put16(l + 6, 1);
	if (s->quote[0]) {
		static uint8_t inner[66000];
		char text[512];
		struct spec q;

		put16(l + 4, 0);
		snprintf(text, sizeof(text), "%s", s->quote);
		if (!read_line(&q, text))
			return 0;
		memset(inner, 0, sizeof(inner));
		uint32_t qn = build_ip(inner, &q, NULL);
		if (s->q >= 0)
			qn = (uint32_t)s->q;
		memcpy(l + 8, inner, qn);
		return n + qn;
	}
	return n + payload(l + 8, s->len, 12);
}

static uint32_t build_l4(uint8_t *l, const struct spec *s)
{
	switch (s->num) {
	case 6:
		put16(l, (unsigned int)s->sport);
		put16(l + 2, (unsigned int)s->dport);
		put16(l + 4, 0x1234);
		put16(l + 6, 0x5678);
		l[12] = 5 << 4;
		l[13] = (uint8_t)s->flags;
		put16(l + 14, 65535);
		return 20 + payload(l + 20, s->len, 10);
	case 17: {
		uint32_t n = 8 + payload(l + 8, s->len, 10);

		put16(l, (unsigned int)s->sport);
		put16(l + 2, (unsigned int)s->dport);
		put16(l + 4, n);
		return n;
	}
	case 132:
		put16(l, (unsigned int)s->sport);
		put16(l + 2, (unsigned int)s->dport);
		return 12 + payload(l + 12, s->len, 8);
	case 1:
	case 58:
		return build_icmp(l, s);
	case 50:
		put16(l, (unsigned int)s->spi >> 16);
		put16(l + 2, (unsigned int)s->spi);
		return 8 + payload(l + 8, s->len, 16);
	default:
		return payload(l, s->len, 24);
	}
}

static void sum_l4(uint8_t *ip, uint8_t *l4, const struct spec *s, uint32_t n, struct crafted *c, uint32_t l4_off)
{
	int at = csum_at(s->num);

	if (at < 0)
		return;
	uint32_t ph = s->num == 1 ? 0 : pseudo(ip, s->num, n);
	if (s->partial && c) {
		put16(l4 + at, ph);
		c->csum = 1;
		c->csum_start = (uint16_t)l4_off;
		c->csum_offset = (uint16_t)at;
		return;
	}
	uint32_t v = ~sum16(l4, n, ph) & 0xffff;
	put16(l4 + at, s->num == 17 && !v ? 0xffff : v);
}

/* A fragment is cut out of the whole datagram, so its bytes and checksum are those of the whole: len counts its own bytes. */
static uint32_t build_frag4(uint8_t *ip, uint8_t *l4, const struct spec *s)
{
	static uint8_t whole[70000];
	struct spec big = *s;
	int own = s->len < 0 ? 64 : s->len;

	memset(whole, 0, sizeof(whole));
	big.len = 60000;
	uint32_t n = build_l4(whole, &big);
	if (s->num == 17)
		put16(whole + 4, n);
	sum_l4(ip, whole, &big, n, NULL, 0);
	memcpy(l4, whole + s->frag, (size_t)own);
	return (uint32_t)own;
}

static uint32_t build4(uint8_t *ip, const struct spec *s, struct crafted *c)
{
	uint32_t h = 20, n;

	if (s->opt) {
		h = 24;
		ip[20] = (uint8_t)s->opt;
		ip[21] = 4;
		ip[22] = 4;
	}
	ip[0] = (uint8_t)((s->ver < 0 ? 4 : s->ver) << 4 | h / 4);
	put16(ip + 4, (unsigned int)s->id);
	ip[8] = (uint8_t)s->ttl;
	ip[9] = (uint8_t)s->num;
	memcpy(ip + 12, s->src, 4);
	memcpy(ip + 16, s->dst, 4);
	if (s->is_frag)
		n = build_frag4(ip, ip + h, s);
	else
		n = build_l4(ip + h, s);
	put16(ip + 2, s->tlen < 0 ? h + n : (unsigned int)s->tlen);
	put16(ip + 6, (unsigned int)((s->df ? 0x4000 : 0) | (s->more ? 0x2000 : 0) | s->frag / 8));
	if (!s->is_frag)
		sum_l4(ip, ip + h, s, n, c, 14 + h);
	put16(ip + 10, 0);
	put16(ip + 10, ~sum16(ip, h, 0) & 0xffff);
	if (s->badsum)
		ip[10] ^= 0x55;
	return h + n;
}

/* The datagram that is cut begins with destination options of 8 bytes. */
static uint32_t build_inner(uint8_t *ip, uint8_t *at, const struct spec *s)
{
	struct spec l4 = *s;
	uint32_t n = s->frag ? 0 : 8;

	memcpy(at, (uint8_t[]){ (uint8_t)s->num, 0, 1, 4 }, n ? 4 : 0);
	l4.len = (s->len < 0 ? 64 : s->len) - (int)n;
	l4.frag = s->frag ? s->frag - 8 : 0;
	return n + build_frag4(ip, at + n, &l4);
}

static uint32_t build6(uint8_t *ip, const struct spec *s, struct crafted *c)
{
	uint32_t h = 40, n;
	uint8_t *next = &ip[6];

	ip[0] = (uint8_t)((s->ver < 0 ? 6 : s->ver) << 4);
	ip[7] = (uint8_t)s->ttl;
	memcpy(ip + 8, s->src, 16);
	memcpy(ip + 24, s->dst, 16);
	if (s->opt) {
		*next = (uint8_t)s->opt;	/* 256: hop-by-hop, number 0 */
		next = &ip[h];
		h += 8;
	}
	if (s->is_frag) {
		*next = 44;
		next = &ip[h];
		put16(ip + h + 2, (unsigned int)(s->frag | s->more));
		put16(ip + h + 6, (unsigned int)s->id);
		h += 8;
		*next = (uint8_t)(s->nh >= 0 ? s->nh : s->inner ? 60 : s->num);
		n = s->inner ? build_inner(ip, ip + h, s) : build_frag4(ip, ip + h, s);
	} else {
		*next = (uint8_t)s->num;
		n = build_l4(ip + h, s);
		sum_l4(ip, ip + h, s, n, c, 14 + h);
	}
	put16(ip + 4, s->tlen < 0 ? h - 40 + n : (unsigned int)s->tlen);
	return h + n;
}

static uint32_t build_ip(uint8_t *ip, const struct spec *s, struct crafted *c)
{
	return s->family == 4 ? build4(ip, s, c) : build6(ip, s, c);
}

static uint32_t build_arp(uint8_t *a, const struct spec *s, const uint8_t *smac)
{
	const uint8_t fixed[6] = { 0, 1, 8, 0, 6, 4 };

	memcpy(a, fixed, 6);
	put16(a + 6, (unsigned int)s->op);
	memcpy(a + 8, smac, 6);
	memcpy(a + 14, s->src, 4);
	memcpy(a + 24, s->dst, 4);
	return 28;
}

static void choose_mac(uint8_t mac[6], const char *name, int port, const uint8_t *def)
{
	memcpy(mac, def, 6);
	if (!name)
		return;
	if (!strcmp(name, "guest") || !strcmp(name, "up"))
		port_mac(port, mac);
	else if (!strcmp(name, "gw"))
		memcpy(mac, gateway_mac, 6);
	else if (!strcmp(name, "bcast"))
		memset(mac, 0xff, 6);
	else
		memcpy(mac, "\x02\x00\x00\x00\x77\x77", 6);
}

bool craft(struct crafted *out, const char *line, int in_port)
{
	char text[1024];
	struct spec s;
	uint8_t own[6];

	out->gso = out->csum = 0;
	out->gso_size = out->csum_start = out->csum_offset = 0;
	memset(out->b, 0, sizeof(out->b));
	if (!strncmp(line, "nd ", 3))
		return craft_nd(out, line, in_port);
	if (!strncmp(line, "dhcp ", 5))
		return craft_dhcp(out, line, in_port);
	snprintf(text, sizeof(text), "%s", line);
	if (!read_line(&s, text))
		return false;
	port_mac(in_port, own);
	choose_mac(out->b, s.dmac, in_port, in_port == 0 ? own : gateway_mac);
	choose_mac(out->b + 6, s.smac, in_port, in_port == 0 ? outside_mac : own);
	if (s.num < 0) {
		if (!s.dmac)
			memset(out->b, 0xff, 6);
		put16(out->b + 12, 0x0806);
		out->len = 14 + build_arp(out->b + 14, &s, out->b + 6);
	} else {
		put16(out->b + 12, s.family == 4 ? 0x0800 : 0x86dd);
		out->len = 14 + build_ip(out->b + 14, &s, out);
	}
	if (s.gso) {
		out->gso = s.family == 4 ? 1 : 2;
		out->gso_size = (uint16_t)s.gso;
	}
	out->len = out->len + (uint32_t)s.pad - (uint32_t)s.cut;
	return true;
}
