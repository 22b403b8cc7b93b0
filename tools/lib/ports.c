/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices as text, and the runs of ports that they are. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

/* What a slice without a protocol means. */
#define DEFAULT_PROTOS (VC_PROTO_TCP | VC_PROTO_UDP | VC_PROTO_ICMP)

static int parse_protos(char *s, uint8_t *set)
{
	*set = 0;
	for (char *w = strtok(s, "+"); w; w = strtok(NULL, "+")) {
		unsigned int bit = vfrc_proto_bit(w);

		if (!bit)
			return -1;
		*set |= bit;
	}
	return *set ? 0 : -1;
}

static int parse_mape(const char *s, struct vc_slice_add *slice)
{
	unsigned int a, k, psid;
	int n = 0;

	if (sscanf(s, "%u/%u/%u%n", &a, &k, &psid, &n) != 3 || s[n] || a > 16 || k > 16 || a + k > 16 || !k || psid >> k)
		return -1;
	slice->kind = VC_SLICE_MAPE;
	slice->a = a;
	slice->k = k;
	slice->psid = psid;
	slice->protos = DEFAULT_PROTOS;
	return 0;
}

/* RFC 7422: who is number N has the N-th of equal shares, and needs no record to be known by. */
static int parse_split(const char *s, struct vc_slice_add *slice)
{
	unsigned int first, last, size, index;
	int n = 0;

	if (sscanf(s, "%u-%u/%u/%u%n", &first, &last, &size, &index, &n) != 4 || s[n])
		return -1;
	if (first > last || last > 65535 || !size || index > 65535)
		return -1;
	if (first + (index + 1ull) * size - 1 > last)
		return -1;
	slice->kind = VC_SLICE_RANGE;
	slice->first = first + index * size;
	slice->last = slice->first + size - 1;
	slice->protos = DEFAULT_PROTOS;
	return 0;
}

int vfrc_parse_ports(const char *s, struct vc_slice_add *slice)
{
	char buf[96];
	char *slash, *dash;
	uint64_t first, last;

	if (!strncmp(s, "mape ", 5) || !strncmp(s, "mape:", 5))
		return parse_mape(s + 5, slice);
	if (!strncmp(s, "split ", 6) || !strncmp(s, "split:", 6))
		return parse_split(s + 6, slice);
	if (strlen(s) >= sizeof(buf))
		return -1;
	strcpy(buf, s);
	slash = strchr(buf, '/');
	if (slash)
		*slash = 0;
	dash = strchr(buf, '-');
	if (dash)
		*dash = 0;
	if (vfrc_parse_count(buf, 65535, &first) || strchr(buf, '/'))
		return -1;
	last = first;
	if (dash && vfrc_parse_count(dash + 1, 65535, &last))
		return -1;
	if (first > last)
		return -1;
	slice->kind = VC_SLICE_RANGE;
	slice->first = first;
	slice->last = last;
	slice->protos = DEFAULT_PROTOS;
	return slash ? parse_protos(slash + 1, &slice->protos) : 0;
}

void vfrc_format_ports(const struct vc_slice_add *s, char *out, size_t n)
{
	char p[40];

	vfrc_format_protos(s->protos, p, sizeof(p));
	switch (s->kind) {
	case VC_SLICE_RANGE:
		snprintf(out, n, s->first == s->last ? "%u%.0u/%s" : "%u-%u/%s", s->first, s->first == s->last ? 0 : s->last, p);
		break;
	case VC_SLICE_MAPE:
		snprintf(out, n, "mape %u/%u/%u", s->a, s->k, s->psid);
		break;
	case VC_SLICE_WHOLE:
		snprintf(out, n, "whole/%u", s->prefix);
		break;
	case VC_SLICE_PROTOCOL:
		snprintf(out, n, "protocol %u", s->protocol);
		break;
	case VC_SLICE_ESP_SPI:
		snprintf(out, n, "esp spi 0x%x", s->spi);
		break;
	default:
		snprintf(out, n, "internal");
	}
}

/* RFC 4303 section 2.1: SPIs below 256 are not for use on the wire. */
static int parse_spi(const char *s, struct vc_slice_add *slice)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (!isdigit((unsigned char)*s) || *end || n < 256 || n > UINT32_MAX)
		return -1;
	slice->kind = VC_SLICE_ESP_SPI;
	slice->spi = n;
	return 0;
}

int vfrc_parse_protocol(const char *s, struct vc_slice_add *slice)
{
	int number;

	if (!strncmp(s, "esp spi ", 8))
		return parse_spi(s + 8, slice);
	number = vfrc_proto_number(strncmp(s, "protocol ", 9) ? s : s + 9);
	if (number <= 0 || number == 1 || number == 6 || number == 17 || number == 132)
		return -1;
	slice->kind = VC_SLICE_PROTOCOL;
	slice->protocol = number;
	return 0;
}

int vfrc_parse_slice(const char *s, struct vc_slice_add *slice, bool *addr_given)
{
	const char *colon = strchr(s, ':');
	char addr[64];

	*addr_given = false;
	if (colon && strncmp(s, "mape:", 5) && strncmp(s, "split:", 6)) {
		if ((size_t)(colon - s) >= sizeof(addr))
			return -1;
		memcpy(addr, s, colon - s);
		addr[colon - s] = 0;
		if (vfrc_parse_ip(addr, &slice->addr) || !vfrc_ip_is_v4(&slice->addr))
			return -1;
		*addr_given = true;
		s = colon + 1;
	}
	/* A number is a port. */
	return !vfrc_parse_ports(s, slice) || (s[strspn(s, "0123456789")] && !vfrc_parse_protocol(s, slice)) ? 0 : -1;
}

/* RFC 7597, appendix B: with a offset bits each block of 2^(16-a) ports holds one run of 2^(16-a-k); block 0 is left out if a > 0. */
void vfrc_each_run(const struct vc_slice_add *s, void (*fn)(void *ctx, unsigned int first, unsigned int last), void *ctx)
{
	unsigned int width = 16 - s->a - s->k;

	if (s->kind == VC_SLICE_RANGE)
		fn(ctx, s->first, s->last);
	for (unsigned int j = s->a ? 1 : 0; s->kind == VC_SLICE_MAPE && j < 1u << s->a; j++) {
		unsigned int first = j << (16 - s->a) | s->psid << width;

		fn(ctx, first, first + (1u << width) - 1);
	}
}
