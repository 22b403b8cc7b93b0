/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates and limits of a domain, word by word: the site file, `vfrctl rate set` and what is printed have this one table. */
#include <stdio.h>
#include <string.h>

#include "vfrc.h"

enum kind { BITS, BYTES, NUMBER, SWITCH };

static const struct {
	const char *name;
	uint8_t off, kind;
	uint32_t max;		/* of a NUMBER; the bit of a SWITCH */
} keys[] = {
	{"out", offsetof(struct vc_rate_set, out_bps), BITS, 0},
	{"in", offsetof(struct vc_rate_set, in_bps), BITS, 0},
	{"guarantee", offsetof(struct vc_rate_set, out_guarantee_bps), BITS, 0},
	{"in-guarantee", offsetof(struct vc_rate_set, in_guarantee_bps), BITS, 0},
	{"burst", offsetof(struct vc_rate_set, out_burst), BYTES, 0},
	{"in-burst", offsetof(struct vc_rate_set, in_burst), BYTES, 0},
	{"weight", offsetof(struct vc_rate_set, weight), NUMBER, 65535},
	{"packets", offsetof(struct vc_rate_set, out_pps), NUMBER, UINT32_MAX},
	{"in-packets", offsetof(struct vc_rate_set, in_pps), NUMBER, UINT32_MAX},
	{"new-flows", offsetof(struct vc_rate_set, new_flows), NUMBER, UINT32_MAX},
	{"connections", offsetof(struct vc_rate_set, max_conns), NUMBER, UINT32_MAX},
	{"ip-id-block", offsetof(struct vc_rate_set, flags), SWITCH, VC_RATE_IPID_BLOCK},
	{"multicast", offsetof(struct vc_rate_set, flags), SWITCH, VC_RATE_MULTICAST},
};
#define NKEYS (sizeof(keys) / sizeof(*keys))

static_assert(NKEYS <= VFRC_RATE_KEYS, "the array of names has room");

size_t vfrc_rate_names(const char *names[VFRC_RATE_KEYS])
{
	for (size_t i = 0; i < NKEYS; i++)
		names[i] = keys[i].name;
	return NKEYS;
}

static uint64_t get(const struct vc_rate_set *r, size_t i)
{
	uint64_t wide = 0;
	uint32_t narrow;

	if (keys[i].kind == SWITCH)
		return !!(r->flags & keys[i].max);
	if (keys[i].kind == BITS)
		return memcpy(&wide, (const char *)r + keys[i].off, sizeof(wide)), wide;
	memcpy(&narrow, (const char *)r + keys[i].off, sizeof(narrow));
	return narrow;
}

static void set(struct vc_rate_set *r, size_t i, uint64_t v)
{
	uint32_t narrow = v;

	if (keys[i].kind == SWITCH)
		r->flags = v ? r->flags | keys[i].max : r->flags & ~keys[i].max;
	else if (keys[i].kind == BITS)
		memcpy((char *)r + keys[i].off, &v, sizeof(v));
	else
		memcpy((char *)r + keys[i].off, &narrow, sizeof(narrow));
}

int vfrc_rate_key(struct vc_rate_set *r, size_t i, const char *value, char *why, size_t size)
{
	const char *name = keys[i].name;
	uint64_t v = 0;
	int rc;

	if (!strcmp(value, "none"))
		return set(r, i, 0), 0;
	if (keys[i].kind == SWITCH) {
		snprintf(why, size, "'%s': %s is yes or no", value, name);
		set(r, i, !strcmp(value, "yes") || !strcmp(value, "true"));
		return strcmp(value, "no") && strcmp(value, "false") && !get(r, i) ? -1 : 0;
	}
	switch (keys[i].kind) {
	case BITS:
		rc = vfrc_parse_rate(value, &v);
		snprintf(why, size, "'%s': a rate is wanted here, as in %s 50mbit", value, name);
		break;
	case BYTES:
		rc = vfrc_parse_size(value, &v) || v > UINT32_MAX;
		snprintf(why, size, "'%s': %s is a size in bytes, as in 64K", value, name);
		break;
	default:
		rc = vfrc_parse_count(value, keys[i].max, &v);
		snprintf(why, size, "'%s': %s is a number from 1 to %u", value, name, keys[i].max);
		break;
	}
	if (rc)
		return -1;
	/* On the wire 0 is no limit; who writes it may mean the opposite. */
	if (!v)
		return snprintf(why, size, "'%s': write none for no %s of one's own", value, name), -1;
	set(r, i, v);
	return 0;
}

static int format_value(size_t i, uint64_t v, char *out, size_t n)
{
	char text[32];

	if (keys[i].kind == BITS)
		vfrc_format_rate(v, text, sizeof(text));
	else if (keys[i].kind == BYTES)
		vfrc_format_size(v, text, sizeof(text));
	else if (keys[i].kind == SWITCH)
		snprintf(text, sizeof(text), "yes");
	else
		snprintf(text, sizeof(text), "%llu%s", (unsigned long long)v, strstr(keys[i].name, "flows") ? "/s" : "");
	return snprintf(out, n, "%s %s", keys[i].name, text);
}

/* The destination ports that are denied, where they are not the default. */
static void format_egress(const struct vc_rate_set *r, char *out, size_t n)
{
	size_t len = snprintf(out, n, "egress-deny%s", r->egress_count ? "" : " nothing");

	for (unsigned int i = 0; i < r->egress_count && i < VC_EGRESS_MAX && len < n; i++) {
		const struct vc_egress *e = &r->egress[i];

		len += snprintf(out + len, n - len, " %u", e->first);
		if (e->last != e->first && len < n)
			len += snprintf(out + len, n - len, "-%u", e->last);
		if (len < n)
			len += snprintf(out + len, n - len, "/%s", e->proto == 6 ? "tcp" : e->proto == 17 ? "udp" : "sctp");
	}
}

void vfrc_format_rates(const struct vc_rate_set *r, char *out, size_t n)
{
	size_t len = 0;

	snprintf(out, n, "no limits");
	for (size_t i = 0; i < NKEYS && len < n; i++) {
		if (!get(r, i))
			continue;
		len += snprintf(out + len, n - len, "%s", len ? ", " : "");
		if (len < n)
			len += format_value(i, get(r, i), out + len, n - len);
	}
	if (r->egress_set && len < n) {
		len += snprintf(out + len, n - len, "%s", len ? ", " : "");
		if (len < n)
			format_egress(r, out + len, n - len);
	}
}
