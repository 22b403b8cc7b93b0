/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of table rows that change the configuration: see world.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfr/vfr.h>

#include "craft.h"
#include "ruletext.h"
#include "world_priv.h"

static unsigned int protos_of(const char *t)
{
	return (strstr(t, "tcp") ? VFR_TCP : 0) | (strstr(t, "udp") ? VFR_UDP : 0) | (strstr(t, "icmp") ? VFR_ICMP : 0) |
	       (strstr(t, "sctp") ? VFR_SCTP : 0) | (!strcmp(t, "all") ? VFR_PROTOS_ALL : 0);
}

static struct vfr_portset set_of(const char *t)
{
	struct vfr_portset ps = { .kind = VFR_PS_RANGE };
	unsigned int a, b, c;

	if (sscanf(t, "%u/%u/%u", &a, &b, &c) == 3)
		return (struct vfr_portset){ .kind = VFR_PS_MAP, .offset = (uint8_t)a, .psid_len = (uint8_t)b, .psid = (uint16_t)c };
	ps.first = ps.last = (uint16_t)atoi(t);
	if (strchr(t, '-'))
		ps.last = (uint16_t)atoi(strchr(t, '-') + 1);
	return ps;
}

static int error_of(const char *t)
{
	static const struct {
		const char *name;
		int value;
	} e[] = { { "0", 0 }, { "EEXIST", -EEXIST }, { "EINVAL", -EINVAL }, { "ENOENT", -ENOENT }, { "EACCES", -EACCES }, { "EBUSY",
		-EBUSY } };

	for (unsigned int i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		if (!strcmp(e[i].name, t))
			return e[i].value;
	return -9999;
}

void cmd_claim(struct world *w, char *rest)
{
	char dom[8] = "", addr[32] = "", protos[32] = "", set[32] = "", want[16] = "", who[8] = "";
	struct vfr_conflict x = { 0 };
	unsigned int port = 0;

	sscanf(rest, "%7s %31s %31s %31s = %15s %7s %u", dom, addr, protos, set, want, who, &port);
	struct vfr_portset ps = set_of(set);
	int r = vfr_slice_claim(w->v, w->now, ip4(addr), protos_of(protos), &ps, (uint16_t)port_of(dom), &x);
	if (r != error_of(want) || (who[0] && (x.domid != port_of(who) || x.port != port)))
		fail(w, "%d, in the way: domain %u port %u", r, x.domid, x.port);
}

void cmd_free(struct world *w, char *rest)
{
	char dom[8] = "", addr[32] = "", protos[32] = "", set[32] = "", want[16] = "";

	sscanf(rest, "%7s %31s %31s %31s = %15s", dom, addr, protos, set, want);
	struct vfr_portset ps = set_of(set);
	int r = vfr_slice_free(w->v, w->now, ip4(addr), protos_of(protos), &ps, (uint16_t)port_of(dom));
	if (r != error_of(want))
		fail(w, "%d", r);
}

void cmd_settle(struct world *w, char *rest)
{
	char addr[32] = "", protos[32] = "", set[32] = "";

	sscanf(rest, "%31s %31s %31s", addr, protos, set);
	struct vfr_portset ps = set_of(set);
	if (vfr_slice_settle(w->v, ip4(addr), protos_of(protos), &ps))
		fail(w, "refused");
}

void cmd_rule(struct world *w, char *rest)
{
	char dom[8] = "";
	uint32_t bad = 0;
	int n = 0;

	sscanf(rest, "%7s %n", dom, &n);
	int d = !strcmp(dom, "all") ? DOMS : port_of(dom);
	struct vfr_rule *r = &w->rules[d][w->nrules[d]];
	if (!rule_from_text(r, rest + n)) {
		fail(w, "cannot be read");
		return;
	}
	if (!r->id)
		r->id = w->nrules[d] + 1;
	w->nrules[d]++;
	int e = vfr_rules_set(w->v, d == DOMS ? VFR_GLOBAL : (uint16_t)d, w->rules[d], w->nrules[d], &bad);
	if (e)
		fail(w, "refused: %d (rule %u)", e, bad);
}

void cmd_norules(struct world *w, char *rest)
{
	int d = !strcmp(rest, "all") ? DOMS : port_of(rest);

	w->nrules[d] = 0;
	vfr_rules_set(w->v, d == DOMS ? VFR_GLOBAL : (uint16_t)d, NULL, 0, NULL);
}

void cmd_domain(struct world *w, char *rest)
{
	struct vfr_domain_cfg cfg;
	char *save = NULL, *t = strtok_r(rest, " ", &save);
	uint16_t domid = (uint16_t)port_of(t);

	if (vfr_domain_get(w->v, domid, &cfg))
		vfr_domain_defaults(&cfg);
	while ((t = strtok_r(NULL, " ", &save))) {
		unsigned int n = strchr(t, '=') ? (unsigned int)atoi(strchr(t, '=') + 1) : 0;

		if (!strncmp(t, "flows=", 6))
			cfg.new_flows_per_s = cfg.new_flows_burst = n;
		else if (!strncmp(t, "burst=", 6))
			cfg.new_flows_burst = n;
		else if (!strncmp(t, "conns=", 6))
			cfg.max_conns = n;
		else if (!strncmp(t, "frags=", 6))
			cfg.max_frags = n;
		else if (!strncmp(t, "maxnat=", 7))
			cfg.max_nat = n;
		else if (!strncmp(t, "ipid=", 5))
			cfg.ipid_block = n;
		else if (!strncmp(t, "mcast=", 6))
			cfg.allow_multicast = n;
		else if (!strcmp(t, "nodeny"))
			cfg.egress_denies = 0;
		else if (!strcmp(t, "nonat"))
			cfg.nat_addr = 0;
		else if (!strncmp(t, "nat=", 4))
			cfg.nat_addr = ip4(t + 4);
		else
			fail(w, "no such field: %s", t);
	}
	if (vfr_domain_set(w->v, domid, &cfg))
		fail(w, "refused");
}

/* ADDR DOM|-: the private address changes hands. */
void cmd_internal(struct world *w, char *rest)
{
	char addr[32] = "", dom[8] = "";

	sscanf(rest, "%31s %7s", addr, dom);
	if (vfr_addr_del(w->v, ip4(addr)) || (dom[0] != '-' && vfr_internal_add(w->v, ip4(addr), (uint16_t)port_of(dom), NULL)))
		fail(w, "refused");
}

void cmd_port(struct world *w, char *rest)
{
	attach(w, (uint16_t)port_of(rest));
}

void cmd_detach(struct world *w, char *rest)
{
	if (vfr_port_detach(w->v, (uint16_t)port_of(rest), w->now))
		fail(w, "refused");
}

void cmd_mtu(struct world *w, char *rest)
{
	char port[8] = "";
	unsigned int mtu = 0;

	sscanf(rest, "%7s %u", port, &mtu);
	if (vfr_port_mtu_set(w->v, (uint16_t)port_of(port), (uint16_t)mtu))
		fail(w, "refused");
}

void cmd_del(struct world *w, char *rest)
{
	if (vfr_domain_del(w->v, (uint16_t)port_of(rest), w->now))
		fail(w, "refused");
	memset(&w->want[port_of(rest)], 0, sizeof(w->want[0]));
}

void cmd_announce(struct world *w, char *rest)
{
	vfr_announce(w->v);
}

void cmd_noneigh(struct world *w, char *rest)
{
	uint8_t a[16];

	vfr_neigh_static(w->v, 0, ip4("U"), NULL, NULL);
	parse_addr("U6", a);
	vfr_neigh_static(w->v, 0, 0, a, NULL);
}

void cmd_owner(struct world *w, char *rest)
{
	char addr[32] = "", protos[32] = "", who[8] = "";
	unsigned int port = 0;

	sscanf(rest, "%31s %31s %u = %7s", addr, protos, &port, who);
	uint16_t d = vfr_slice_owner(w->v, ip4(addr), protos_of(protos), (uint16_t)port);
	if (d != (!strcmp(who, "-") ? VFR_NODOM : (unsigned int)port_of(who)))
		fail(w, "domain %u", d);
}

void cmd_proto(struct world *w, char *rest)
{
	char dom[8] = "", addr[32] = "", want[16] = "";
	unsigned int num = 0;

	sscanf(rest, "%7s %31s %u = %15s", dom, addr, &num, want);
	int r = num < 256 ? vfr_proto_claim(w->v, ip4(addr), (uint8_t)num, (uint16_t)port_of(dom), NULL) :
			    vfr_spi_claim(w->v, ip4(addr), num, (uint16_t)port_of(dom), NULL);
	if (r != error_of(want))
		fail(w, "%d", r);
}

void cmd_ra(struct world *w, char *rest)
{
	struct vfr_ra_cfg cfg = { .on = !strstr(rest, " off") };

	rest[strcspn(rest, " ")] = 0;
	vfr_ra_set(w->v, (uint16_t)port_of(rest), &cfg);
}

/* [-]DOM ADDR/BITS */
void cmd_prefix(struct world *w, char *rest)
{
	char dom[8] = "", addr[64] = "";
	unsigned int plen = 64;
	uint8_t a[16];

	sscanf(rest, "%7s %63[^/]/%u", dom, addr, &plen);
	parse_addr(addr, a);
	if (dom[0] == '-' ? vfr_prefix6_del(w->v, a, (uint8_t)plen) :
			    vfr_prefix6_add(w->v, a, (uint8_t)plen, (uint16_t)port_of(dom), NULL))
		fail(w, "refused");
}

/* DOM [FIELD ...]: what the row wants otherwise. */
void cmd_dhcp(struct world *w, char *rest)
{
	struct vfr_dhcp_cfg cfg = { .addr = ip4("S"), .mask = 0xffffffff, .router = ip4("G"), .lease_s = 3600, .port_params = true,
				    .psid_offset = 6, .psid_len = 8, .psid = 0x34 };

	char *save = NULL, *t = strtok_r(rest, " ", &save);
	uint16_t dom = (uint16_t)port_of(t);

	while ((t = strtok_r(NULL, " ", &save)))
		if (!strcmp(t, "noports"))
			cfg.port_params = false;
		else if (!strncmp(t, "mtu=", 4))
			cfg.mtu = (uint16_t)atoi(t + 4);
		else if (!strncmp(t, "addr=", 5))
			cfg.addr = ip4(t + 5);
		else if (!strncmp(t, "router=", 7))
			cfg.router = ip4(t + 7);
		else if (!strncmp(t, "dns=", 4))
			cfg.dns[0] = ip4(t + 4);
		else if (sscanf(t, "ports=%hhu/%hhu/%hx", &cfg.psid_offset, &cfg.psid_len, &cfg.psid) != 3)
			fail(w, "no such field: %s", t);
	vfr_dhcp_set(w->v, dom, &cfg);
}
