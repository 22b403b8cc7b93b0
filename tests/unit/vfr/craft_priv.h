/* SPDX-License-Identifier: BSD-2-Clause */
/* What making packets from text and text from packets share: numbers in network order, and checksums the plain way. */
#ifndef CRAFT_PRIV_H
#define CRAFT_PRIV_H

#include <stdint.h>

#include "craft.h"

#define CRAFT_NAMES 17
struct craft_name {
	const char *name, *addr;
};
extern const struct craft_name craft_names[CRAFT_NAMES];

static inline void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline uint32_t pseudo(const uint8_t *ip, int proto, uint32_t len)
{
	uint8_t t[8] = { 0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, (uint8_t)proto };
	uint32_t s = ip[0] >> 4 == 4 ? sum16(ip + 12, 8, 0) : sum16(ip + 8, 32, 0);

	return sum16(t, 8, s);
}

bool craft_nd(struct crafted *out, const char *line, int in_port);
bool craft_dhcp(struct crafted *out, const char *line, int in_port);
void describe_dhcp(char *out, unsigned int size, const uint8_t *frame, uint32_t len);
/* => name or number of an IPv4 address, in `buf` of 64 bytes. */
const char *craft_show4(const uint8_t *a, char *buf);

static inline int csum_at(int num)
{
	return num == 6 ? 16 : num == 17 ? 6 : num == 1 || num == 58 ? 2 : -1;
}

#endif
