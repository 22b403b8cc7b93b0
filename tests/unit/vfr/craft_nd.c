/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbour discovery from text: see craft.h. */
#include <stdio.h>
#include <string.h>

#include "craft_priv.h"

/* nd NS|NA|RS|RA SRC>TARGET [option ...]: with the sender's MAC as an option, if it has an address. */
bool craft_nd(struct crafted *out, const char *line, int in_port)
{
	char type[4] = "", ends[128] = "", *gt;
	const int codes[4] = { 133, 134, 135, 136 };
	static const char *const names4[4] = { "RS", "RA", "NS", "NA" };
	uint8_t own[6], *ip = out->b + 14, *m = ip + 40, target[16];
	int hops = 255, code = 0;

	if (sscanf(line, "nd %3s %127s hops=%d", type, ends, &hops) < 2 || !(gt = strchr(ends, '>')))
		return false;
	*gt = 0;
	for (int i = 0; i < 4; i++)
		if (!strcmp(type, names4[i]))
			code = codes[i];
	port_mac(in_port, own);
	memcpy(out->b, "\x33\x33\xff\x00\x00\x01", 6);
	memcpy(out->b + 6, in_port ? own : outside_mac, 6);
	put16(out->b + 12, 0x86dd);
	ip[0] = 0x60;
	ip[6] = 58;
	ip[7] = (uint8_t)hops;
	if (!parse_addr(ends, ip + 8) || !parse_addr(gt + 1, target))
		return false;
	ip[24] = 0xff;
	ip[25] = 2;
	ip[39] = 1;
	/* A solicitation goes to the group of those who might have the target. */
	if (code == 135 && !strstr(line, " all")) {
		ip[35] = 1;
		ip[36] = 0xff;
		memcpy(ip + 37, target + 13, 3);
	}
	m[0] = (uint8_t)code;
	uint32_t n = code == 133 ? 8 : code == 134 ? 16 : 24;
	if (n == 24)
		memcpy(m + 8, target, 16);
	if (strstr(line, " solicited"))
		m[4] = 0x40;
	if (strcmp(ends, "::") || strstr(line, " option")) {
		m[n] = code == 136 ? 2 : 1;
		m[n + 1] = 1;
		memcpy(m + n + 2, out->b + 6, 6);
		n += 8;
	}
	put16(ip + 4, n);
	put16(m + 2, (~sum16(m, n, pseudo(ip, 58, n)) ^ (strstr(line, " badsum") ? 1u : 0)) & 0xffff);
	if (strstr(line, " atomic")) {
		/* A fragment header on a message that is whole. */
		memmove(m + 8, m, n);
		memcpy(m, "\x3a\0\0\0\0\0\0\x07", 8);
		ip[6] = 44;
		n += 8;
		put16(ip + 4, n);
	}
	out->len = 14 + 40 + n;
	return true;
}
