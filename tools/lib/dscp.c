/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of DSCPs as text: ef,af41,cs5,10-12. The names are those of RFC 2474, 2597, 3246, 5865 and 8622. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

static const struct {
	const char *name;
	uint8_t dscp;
} names[] = {
	{"le", 1}, {"cs1", 8}, {"af11", 10}, {"af12", 12}, {"af13", 14}, {"cs2", 16}, {"af21", 18}, {"af22", 20}, {"af23", 22}, {"cs3", 24},
	{"af31", 26}, {"af32", 28}, {"af33", 30}, {"cs4", 32}, {"af41", 34}, {"af42", 36}, {"af43", 38}, {"cs5", 40}, {"va", 44},
	{"ef", 46}, {"cs6", 48}, {"cs7", 56}, {"cs0", 0},
};

static int parse_one(const char *s, uint64_t *set)
{
	unsigned int first, last;
	int n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(s, names[i].name))
			continue;
		*set |= 1ull << names[i].dscp;
		return 0;
	}
	if (s[0] < '0' || s[0] > '9')
		return -1;
	if (sscanf(s, "%2u%n", &first, &n) != 1)
		return -1;
	last = first;
	if (s[n] == '-' && s[n + 1] >= '0' && s[n + 1] <= '9') {
		s += n + 1;
		if (sscanf(s, "%2u%n", &last, &n) != 1)
			return -1;
	}
	if (s[n] || first > last || last > 63)
		return -1;
	for (; first <= last; first++)
		*set |= 1ull << first;
	return 0;
}

int vfrc_parse_dscps(const char *s, uint64_t *set)
{
	char buf[256];

	*set = 0;
	if (strlen(s) >= sizeof(buf) || !*s)
		return -1;
	strcpy(buf, s);
	for (char *w = buf, *end; w; w = end) {
		end = strchr(w, ',');
		if (end)
			*end++ = 0;
		if (parse_one(w, set))
			return -1;
	}
	return 0;
}

static const char *name_of(unsigned int dscp)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].dscp == dscp)
			return names[i].name;
	return NULL;
}

void vfrc_format_dscps(uint64_t set, char *out, size_t n)
{
	size_t len = 0;

	if (n)
		*out = 0;
	for (unsigned int d = 0; d < 64 && len < n; d++) {
		unsigned int last = d;

		if (!(set >> d & 1))
			continue;
		while (last < 63 && set >> (last + 1) & 1)
			last++;
		if (last > d + 1)
			len += snprintf(out + len, n - len, "%s%u-%u", len ? "," : "", d, last);
		else if (name_of(d))
			len += snprintf(out + len, n - len, "%s%s", len ? "," : "", name_of(d));
		else
			len += snprintf(out + len, n - len, "%s%u", len ? "," : "", d);
		if (last > d + 1)
			d = last;
	}
}
