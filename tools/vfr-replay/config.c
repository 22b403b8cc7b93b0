/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of a replay: one directive a line, words apart by blanks, # to the end of the line is a remark. See usage() in
 * main.c.
 */
#include "replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 8

static bool read_mac(const char *t, uint8_t mac[6])
{
	unsigned int m[6];

	if (!t || sscanf(t, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
	return true;
}

static bool read_ip(const char *t, uint32_t *a)
{
	struct in_addr in;

	if (!t || inet_pton(AF_INET, t, &in) != 1)
		return false;
	*a = ntohl(in.s_addr);
	return true;
}

/* ADDR/LEN of either family; => 4, 6 or 0. */
static int read_prefix(char *t, uint32_t *v4, uint8_t v6[16], uint8_t *plen)
{
	char *slash = t ? strchr(t, '/') : NULL;

	if (!slash)
		return 0;
	*slash = 0;
	*plen = (uint8_t)atoi(slash + 1);
	if (read_ip(t, v4))
		return 4;
	return inet_pton(AF_INET6, t, v6) == 1 ? 6 : 0;
}

static unsigned int read_protos(const char *t)
{
	static const char *const names[4] = { "tcp", "udp", "icmp", "sctp" };
	unsigned int p = !strcmp(t, "all") ? VFR_PROTOS_ALL : 0;

	for (unsigned int i = 0; i < 4; i++)
		if (strstr(t, names[i]))
			p |= 1u << i;
	return p;
}

static void read_set(const char *t, struct vfr_portset *ps)
{
	unsigned int a, k, psid, first, last;

	memset(ps, 0, sizeof(*ps));
	if (sscanf(t, "map:%u/%u/%u", &a, &k, &psid) == 3) {
		ps->kind = VFR_PS_MAP;
		ps->offset = (uint8_t)a;
		ps->psid_len = (uint8_t)k;
		ps->psid = (uint16_t)psid;
		return;
	}
	int n = sscanf(t, "%u-%u", &first, &last);
	ps->first = (uint16_t)first;
	ps->last = (uint16_t)(n == 2 ? last : first);
}

static int do_port(struct replay *r, char **w)
{
	struct vfr_port_cfg cfg = { .kind = !strcmp(w[2], "guest") ? VFR_PORT_GUEST : VFR_PORT_UPLINK };
	unsigned int id = (unsigned int)atoi(w[1]);
	unsigned int at = 4;

	if (!read_mac(w[3], cfg.mac) || id >= REPLAY_PORTS)
		return -EINVAL;
	if (cfg.kind == VFR_PORT_GUEST)
		cfg.domid = (uint16_t)atoi(w[at++] ? w[4] : "0");
	if (w[at])
		cfg.mtu = (uint16_t)atoi(w[at]);
	memcpy(r->mac[id], cfg.mac, 6);
	r->used[id] = true;
	r->guest[id] = cfg.kind == VFR_PORT_GUEST;
	return vfr_port_attach(r->v, (uint16_t)id, &cfg);
}

static int do_addr(struct replay *r, char **w)
{
	uint16_t dom = (uint16_t)(w[2] ? atoi(w[2]) : 0);
	uint32_t a;

	if (!read_ip(w[1], &a))
		return -EINVAL;
	if (!strcmp(w[0], "shared"))
		return vfr_shared_add(r->v, a);
	if (!strcmp(w[0], "self"))
		return vfr_self_add(r->v, a);
	if (!strcmp(w[0], "dedicated"))
		return vfr_dedicated_add(r->v, a, dom, NULL);
	return vfr_internal_add(r->v, a, dom, NULL);
}

static int do_prefix6(struct replay *r, char **w)
{
	uint8_t v6[16], plen;
	uint32_t v4;

	if (read_prefix(w[1], &v4, v6, &plen) != 6 || !w[2])
		return -EINVAL;
	return vfr_prefix6_add(r->v, v6, plen, (uint16_t)atoi(w[2]), NULL);
}

static int do_slice(struct replay *r, char **w)
{
	struct vfr_portset ps;
	uint32_t a;

	if (!read_ip(w[1], &a) || !w[2] || !w[3] || !w[4])
		return -EINVAL;
	read_set(w[3], &ps);
	return vfr_slice_claim(r->v, 0, a, read_protos(w[2]), &ps, (uint16_t)atoi(w[4]), NULL);
}

static int do_route(struct replay *r, char **w)
{
	uint8_t v6[16], hop6[16] = { 0 }, plen;
	uint32_t v4, hop = 0;
	int family = read_prefix(w[1], &v4, v6, &plen);

	if (!family || !w[2])
		return -EINVAL;
	if (w[3] && !(family == 4 ? read_ip(w[3], &hop) : inet_pton(AF_INET6, w[3], hop6) == 1))
		return -EINVAL;
	if (family == 6)
		return vfr_route6_add(r->v, v6, plen, (uint16_t)atoi(w[2]), hop6);
	return vfr_route_add(r->v, v4, plen, (uint16_t)atoi(w[2]), hop, 0);
}

static int do_neigh(struct replay *r, char **w)
{
	uint8_t mac[6], v6[16];
	uint32_t a;

	if (!w[1] || !w[2] || !read_mac(w[3], mac))
		return -EINVAL;
	if (read_ip(w[2], &a))
		return vfr_neigh_static(r->v, (uint16_t)atoi(w[1]), a, NULL, mac);
	return inet_pton(AF_INET6, w[2], v6) == 1 ? vfr_neigh_static(r->v, (uint16_t)atoi(w[1]), 0, v6, mac) : -EINVAL;
}

static int do_nat(struct replay *r, char **w)
{
	struct vfr_domain_cfg cfg;

	vfr_domain_defaults(&cfg);
	if (!w[1] || !read_ip(w[2], &cfg.nat_addr))
		return -EINVAL;
	return vfr_domain_set(r->v, (uint16_t)atoi(w[1]), &cfg);
}

static const struct {
	const char *name;
	unsigned int words;
	int (*run)(struct replay *r, char **w);
} directives[] = {
	{ "port", 4, do_port }, { "shared", 2, do_addr }, { "self", 2, do_addr }, { "dedicated", 3, do_addr },
	{ "internal", 3, do_addr }, { "prefix6", 3, do_prefix6 }, { "slice", 5, do_slice }, { "route", 3, do_route },
	{ "neigh", 4, do_neigh }, { "nat", 3, do_nat },
};

static int run_line(struct replay *r, char *line)
{
	char *w[WORDS + 1] = { NULL }, *save = NULL;
	unsigned int n = 0;

	line[strcspn(line, "#\n")] = 0;
	for (char *t = strtok_r(line, " \t", &save); t && n < WORDS; t = strtok_r(NULL, " \t", &save))
		w[n++] = t;
	if (!n)
		return 0;
	for (unsigned int i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (!strcmp(directives[i].name, w[0]))
			return n < directives[i].words ? -EINVAL : directives[i].run(r, w);
	return -EINVAL;
}

bool replay_config(struct replay *r, const char *path)
{
	char line[512], copy[512];
	unsigned int nr = 0;
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), f)) {
		nr++;
		snprintf(copy, sizeof(copy), "%s", line);
		int e = run_line(r, line);
		if (e) {
			copy[strcspn(copy, "\n")] = 0;
			fprintf(stderr, "%s:%u: \"%s\": %s\n", path, nr, copy, strerror(-e));
			fclose(f);
			return false;
		}
	}
	fclose(f);
	return true;
}
