/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP messages from text and back: see craft.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "craft.h"
#include "craft_priv.h"

static const char *const types[] = { "?", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform" };
#define TYPES (sizeof(types) / sizeof(types[0]))
#define AT (14 + 20 + 8)	/* of the BOOTP message in a frame */

static uint8_t *put_option(uint8_t *o, uint8_t code, const char *addr)
{
	*o++ = code;
	*o++ = 4;
	uint8_t a[16] = { 0 };
	parse_addr(addr, a);
	memcpy(o, a, 4);
	return o + 4;
}

bool craft_dhcp(struct crafted *out, const char *line, int in_port)
{
	char text[256], *save = NULL, *t;
	uint8_t *b = out->b + AT, *o = b + 240, a[16];
	unsigned int type = 1;

	if (!craft(out, "udp 0.0.0.0:68>255.255.255.255:67 len=300", in_port))
		return false;
	snprintf(text, sizeof(text), "%s", line);
	strtok_r(text, " ", &save);
	t = strtok_r(NULL, " ", &save);
	while (t && type < TYPES && strcmp(types[type], t))
		type++;
	if (!t || type == TYPES)
		return false;
	memset(b, 0, 300);
	b[0] = b[1] = 1;
	b[2] = 6;
	put16(b + 4, 0xabcd);
	memcpy(b + 28, out->b + 6, 6);
	memcpy(b + 236, "\x63\x82\x53\x63", 4);
	memcpy(o, (uint8_t[]){ 53, 1, (uint8_t)type }, 3);
	o += 3;
	while ((t = strtok_r(NULL, " ", &save))) {
		if (!strncmp(t, "want=", 5))
			o = put_option(o, 50, t + 5);
		else if (!strncmp(t, "server=", 7))
			o = put_option(o, 54, t + 7);
		else if (!strncmp(t, "client=", 7) && parse_addr(t + 7, a) == 4)
			memcpy(b + 12, a, 4);
		else if (!strncmp(t, "id=", 3)) {
			*o++ = 61;
			*o++ = (uint8_t)strlen(t + 3);
			memcpy(o, t + 3, strlen(t + 3));
			o += strlen(t + 3);
		} else if (!strcmp(t, "othermac"))
			b[33] ^= 1;
		else if (!strcmp(t, "badoption"))
			memcpy(o, (uint8_t[]){ 12, 200 }, 2);
		else
			return false;
	}
	*o = *o ? *o : 255;
	put16(out->b + 14 + 20 + 6, 0);
	return true;
}

static const uint8_t *find(const uint8_t *o, const uint8_t *end, uint8_t code)
{
	while (o + 2 <= end && *o != 255) {
		if (*o == code)
			return o + 2;
		o += *o ? o[1] + 2 : 1;
	}
	return NULL;
}

void describe_dhcp(char *out, unsigned int size, const uint8_t *frame, uint32_t len)
{
	const uint8_t *b = frame + AT, *o = b + 240, *end = frame + len, *v;
	char addr[64], *at = out + snprintf(out, size, "dhcp ");
	char *const stop = out + size;

	v = find(o, end, 53);
	at += snprintf(at, (size_t)(stop - at), "%s", v && v[0] < TYPES ? types[v[0]] : "?");
	if (get16(b + 16) || get16(b + 18))
		at += snprintf(at, (size_t)(stop - at), " your=%s", craft_show4(b + 16, addr));
	static const struct {
		uint8_t code;
		const char *name;
	} addrs[] = { { 54, "server" }, { 1, "mask" }, { 3, "router" }, { 6, "dns" } };
	for (unsigned int i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		v = find(o, end, addrs[i].code);
		if (v)
			at += snprintf(at, (size_t)(stop - at), " %s=%s", addrs[i].name, craft_show4(v, addr));
	}
	v = find(o, end, 51);
	if (v)
		at += snprintf(at, (size_t)(stop - at), " lease=%u", get16(v) << 16 | get16(v + 2));
	v = find(o, end, 26);
	if (v)
		at += snprintf(at, (size_t)(stop - at), " mtu=%u", get16(v));
	v = find(o, end, 61);
	if (v)
		at += snprintf(at, (size_t)(stop - at), " id=%.*s", v[-1], (const char *)v);
	v = find(o, end, 159);
	if (v)
		snprintf(at, (size_t)(stop - at), " ports=%u/%u/%04x", v[0], v[1], get16(v + 2));
}
