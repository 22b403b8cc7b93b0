/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from packets, and whether their checksums are right. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "craft.h"
#include "craft_priv.h"

static const char *show_addr(const uint8_t *a, int family, char *buf)
{
	uint8_t t[16];

	for (unsigned int i = 0; i < CRAFT_NAMES; i++)
		if (parse_addr(craft_names[i].name, t) == family && !memcmp(a, t, family == 4 ? 4 : 16))
			return craft_names[i].name;
	return inet_ntop(family == 4 ? AF_INET : AF_INET6, a, buf, 64);
}

const char *craft_show4(const uint8_t *a, char *buf)
{
	return show_addr(a, 4, buf);
}

/* The router's lifetime, and of each prefix the valid and the preferred one. */
static void describe_ra(char *out, unsigned int size, const char *src, const char *dst, const uint8_t *l, const uint8_t *end)
{
	char prefix[64], *at = out + snprintf(out, size, "ra %s>%s router=%u", src, dst, get16(l + 6)), *const stop = out + size;

	for (const uint8_t *o = l + 16; o + 8 <= end && o[1]; o += o[1] * 8)
		if (o[0] == 3)
			at += snprintf(at, (size_t)(stop - at), " %s/%u=%u/%u", inet_ntop(AF_INET6, o + 16, prefix, sizeof(prefix)), o[2],
				get16(o + 4) << 16 | get16(o + 6), get16(o + 8) << 16 | get16(o + 10));
}

static void describe_l4(char *out, unsigned int size, int num, const char *src, const char *dst, const uint8_t *l, const uint8_t *end,
	bool later)
{
	char flags[8] = "", *f = flags;

	if (later) {
		snprintf(out, size, "%s %s>%s later", num == 6 ? "tcp" : num == 17 ? "udp" : num == 1 ? "icmp" : "ip", src, dst);
		return;
	}
	switch (num) {
	case 6:
		for (int i = 0; i < 6; i++)
			if (l[13] & 1 << i)
				*f++ = "FSRPAU"[i];
		*f = 0;
		snprintf(out, size, "tcp %s:%u>%s:%u %s", src, get16(l), dst, get16(l + 2), flags);
		return;
	case 17:
	case 132:
		snprintf(out, size, "%s %s:%u>%s:%u", num == 17 ? "udp" : "sctp", src, get16(l), dst, get16(l + 2));
		return;
	case 1:
	case 58:
		if (num == 58 && l[0] == 134)
			describe_ra(out, size, src, dst, l, end);
		else if (l[0] == 0 || l[0] == 8 || l[0] == 128 || l[0] == 129)
			snprintf(out, size, "icmp %s>%s %s id=%u", src, dst, l[0] == 0 || l[0] == 129 ? "reply" : "echo", get16(l + 4));
		else if (get16(l + 6) && ((num == 1 && l[0] == 3) || (num == 58 && l[0] == 2)))
			snprintf(out, size, "icmp %s>%s %u/%u mtu=%u", src, dst, l[0], l[1], get16(l + 6));
		else
			snprintf(out, size, "icmp %s>%s %u/%u", src, dst, l[0], l[1]);
		return;
	default:
		snprintf(out, size, "ip=%d %s>%s", num, src, dst);
	}
}

void describe(char *out, unsigned int size, const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + 14;
	char a[64], b[64];
	unsigned int type = get16(frame + 12);

	if (type == 0x0806) {
		snprintf(out, size, "arp %s>%s op=%u", show_addr(ip + 14, 4, a), show_addr(ip + 24, 4, b), get16(ip + 6));
	} else if (type == 0x0800 && ip[0] == 0x45 && ip[9] == 17 && get16(ip + 20) == 67 && len >= 14 + 20 + 8 + 244) {
		describe_dhcp(out, size, frame, len);
	} else if (type == 0x0800) {
		describe_l4(out, size, ip[9], show_addr(ip + 12, 4, a), show_addr(ip + 16, 4, b), ip + (ip[0] & 15) * 4,
			frame + len, get16(ip + 6) & 0x1fff);
	} else if (type == 0x86dd) {
		uint32_t h = 40;
		int next = ip[6];
		bool later = false;

		while (next == 0 || next == 44 || next == 60) {
			later |= next == 44 && (get16(ip + h + 2) & 0xfff8);
			next = ip[h];
			h += 8;
		}
		describe_l4(out, size, next, show_addr(ip + 8, 6, a), show_addr(ip + 24, 6, b), ip + h,
			frame + len, later);
	} else {
		snprintf(out, size, "ethertype %04x of %u bytes", type, len);
	}
}

static const char *bad_l4(const uint8_t *ip, const uint8_t *l, int num, uint32_t n)
{
	int at = csum_at(num);

	if (at < 0 || (num == 17 && !get16(l + 6)))
		return NULL;
	return sum16(l, n, num == 1 ? 0 : pseudo(ip, num, n)) == 0xffff ? NULL : "L4 checksum";
}

const char *bad_checksum(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + 14;

	if (get16(frame + 12) == 0x0800) {
		uint32_t h = (ip[0] & 15u) * 4;

		if (sum16(ip, h, 0) != 0xffff)
			return "IPv4 header checksum";
		return get16(ip + 6) & 0x3fff ? NULL : bad_l4(ip, ip + h, ip[9], get16(ip + 2) - h);
	}
	if (get16(frame + 12) == 0x86dd && (ip[6] == 6 || ip[6] == 17 || ip[6] == 58))
		return bad_l4(ip, ip + 40, ip[6], get16(ip + 4));
	return NULL;
}
