/* SPDX-License-Identifier: BSD-2-Clause */
/* Text and its meaning: addresses, sizes, rates, times, protocols, names. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vfrc.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool vfrc_ip_is_v4(const struct vc_ip *ip)
{
	return !memcmp(ip->b, mapped, 12);
}

bool vfrc_ip_is_zero(const struct vc_ip *ip)
{
	static const struct vc_ip zero;

	return !memcmp(ip, &zero, sizeof(zero));
}

int vfrc_parse_ip(const char *s, struct vc_ip *ip)
{
	if (inet_pton(AF_INET, s, ip->b + 12) == 1) {
		memcpy(ip->b, mapped, 12);
		return 0;
	}
	return inet_pton(AF_INET6, s, ip->b) == 1 ? 0 : -1;
}

int vfrc_parse_prefix(const char *s, struct vc_ip *ip, uint8_t *len, bool *given)
{
	char buf[64];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	uint64_t bits;

	if (n >= sizeof(buf))
		return -1;
	memcpy(buf, s, n);
	buf[n] = 0;
	if (vfrc_parse_ip(buf, ip))
		return -1;
	bits = vfrc_ip_is_v4(ip) ? 32 : 128;
	if (slash && vfrc_parse_count(slash + 1, bits, &bits))
		return -1;
	*len = bits;
	if (given)
		*given = slash != NULL;
	return 0;
}

void vfrc_format_ip(const struct vc_ip *ip, char *out, size_t n)
{
	if (vfrc_ip_is_v4(ip))
		inet_ntop(AF_INET, ip->b + 12, out, n);
	else
		inet_ntop(AF_INET6, ip->b, out, n);
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A number, perhaps with a fraction, and one of the units; "" is the factor of a bare number where it is listed. */
static int parse_unit(const char *s, const struct unit *units, size_t n, uint64_t *out)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	v = strtod(s, &end);
	if (errno)
		return -1;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(end, units[i].name))
			continue;
		if (v * units[i].factor > 9e18)
			return -1;
		*out = v * units[i].factor + 0.5;
		return 0;
	}
	return -1;
}

int vfrc_parse_size(const char *s, uint64_t *bytes)
{
	static const struct unit u[] = {
		{"", 1}, {"k", 1 << 10}, {"kib", 1 << 10}, {"m", 1 << 20}, {"mib", 1 << 20}, {"g", 1 << 30}, {"gib", 1 << 30},
		{"t", 1ull << 40},
	};

	return parse_unit(s, u, sizeof(u) / sizeof(*u), bytes);
}

int vfrc_parse_rate(const char *s, uint64_t *bps)
{
	static const struct unit u[] = {{"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {"bit/s", 1},
		{"kbit/s", 1000}, {"mbit/s", 1000000}, {"gbit/s", 1000000000}};

	return parse_unit(s, u, sizeof(u) / sizeof(*u), bps);
}

int vfrc_parse_duration(const char *s, uint64_t *ms)
{
	static const struct unit u[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}};

	return parse_unit(s, u, sizeof(u) / sizeof(*u), ms);
}

int vfrc_parse_count(const char *s, uint64_t max, uint64_t *n)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || v > max || (*end && strcmp(end, "/s")))
		return -1;
	*n = v;
	return 0;
}

int vfrc_parse_mac(const char *s, uint8_t mac[6])
{
	int n = 0;

	return sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &n) == 6 &&
		!s[n] ? 0 : -1;
}

/* "", Z, UTC, GMT, +0100, +01:00 => seconds to take off for UTC */
static int parse_zone(const char *s, long *off)
{
	int hours, minutes, n = 0;

	s += strspn(s, " ");
	*off = 0;
	if (!*s || !strcmp(s, "Z") || !strcmp(s, "UTC") || !strcmp(s, "GMT"))
		return 0;
	if ((*s != '+' && *s != '-') || strspn(s + 1, "0123456789:") != strlen(s + 1))
		return -1;
	if ((sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 && sscanf(s + 1, "%2d%2d%n", &hours, &minutes, &n) != 2) || s[1 + n])
		return -1;
	if (hours > 14 || minutes > 59)
		return -1;
	*off = (*s == '-' ? -60l : 60l) * (hours * 60 + minutes);
	return 0;
}

/* As people, mails and web servers write it. */
static const char *const time_forms[] = {
	"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S",
};

int vfrc_parse_time(const char *s, uint64_t *utc_ns)
{
	const char *end = NULL;
	uint64_t sec, ns = 0, unit = 100000000;
	struct tm tm, back;
	time_t t;
	long off;

	if (*s == '@')
		return vfrc_parse_count(s + 1, UINT64_MAX / 1000000000, &sec) ? -1 : (*utc_ns = sec * 1000000000, 0);
	for (size_t i = 0; !end && i < sizeof(time_forms) / sizeof(*time_forms); i++) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(s, time_forms[i], &tm);
	}
	if (!end)
		return -1;
	if (*end == '.' || *end == ',')
		for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
			ns += unit * (*end - '0');
	back = tm;
	t = timegm(&back);
	/* A 31st of February would have become another day. */
	if (parse_zone(end, &off) || back.tm_mday != tm.tm_mday || t < off)
		return -1;
	*utc_ns = (uint64_t)(t - off) * 1000000000 + ns;
	return 0;
}

void vfrc_format_time(uint64_t utc_ns, char *out, size_t n)
{
	time_t t = utc_ns / 1000000000;
	struct tm tm;
	char buf[32];

	gmtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, n, "%s.%03uZ", buf, (unsigned int)(utc_ns / 1000000 % 1000));
}

void vfrc_format_size(uint64_t bytes, char *out, size_t n)
{
	static const char units[] = "BKMGT";
	unsigned int u = 0;

	while (bytes >= 1024 && bytes % 1024 == 0 && u < 4) {
		bytes /= 1024;
		u++;
	}
	if (u)
		snprintf(out, n, "%llu%c", (unsigned long long)bytes, units[u]);
	else
		snprintf(out, n, "%llu", (unsigned long long)bytes);
}

void vfrc_format_rate(uint64_t bps, char *out, size_t n)
{
	static const char *const units[] = {"bit", "kbit", "mbit", "gbit"};
	unsigned int u = 0;

	while (bps && bps % 1000 == 0 && u < 3) {
		bps /= 1000;
		u++;
	}
	snprintf(out, n, "%llu%s", (unsigned long long)bps, units[u]);
}

static const struct {
	const char *name;
	unsigned int bit;
	int number;
} protos[] = {
	{"tcp", VC_PROTO_TCP, 6}, {"udp", VC_PROTO_UDP, 17}, {"icmp", VC_PROTO_ICMP, 1}, {"sctp", VC_PROTO_SCTP, 132},
	{"icmpv6", 0, 58}, {"gre", 0, 47}, {"esp", 0, 50}, {"ah", 0, 51}, {"ipip", 0, 4}, {"6in4", 0, 41},
};
#define NPROTOS (sizeof(protos) / sizeof(*protos))

int vfrc_proto_number(const char *name)
{
	uint64_t n;

	for (size_t i = 0; i < NPROTOS; i++)
		if (!strcasecmp(name, protos[i].name))
			return protos[i].number;
	return vfrc_parse_count(name, 255, &n) ? -1 : (int)n;
}

unsigned int vfrc_proto_bit(const char *name)
{
	for (size_t i = 0; i < NPROTOS; i++)
		if (!strcasecmp(name, protos[i].name))
			return protos[i].bit;
	return 0;
}

void vfrc_format_protos(unsigned int set, char *out, size_t n)
{
	size_t len = 0;

	out[0] = 0;
	for (size_t i = 0; i < NPROTOS && len < n; i++)
		if (set & protos[i].bit)
			len += snprintf(out + len, n - len, "%s%s", len ? "+" : "", protos[i].name);
}

bool vfrc_name_ok(const char *s, size_t size)
{
	size_t n = strlen(s);

	if (!n || n >= size)
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static unsigned int distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned int row[65];

	if (na > 64 || nb > 64)
		return 99;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int diag = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned int best = diag + (a[i - 1] != b[j - 1]);

			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *vfrc_suggest(const char *word, const char *const *candidates, size_t n)
{
	unsigned int best = strlen(word) < 4 ? 1 : strlen(word) / 2;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned int d = distance(word, candidates[i]);

		if (d <= best && (!found || d < best)) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
