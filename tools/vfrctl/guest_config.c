/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest-config: what a stock Linux guest must set to live on its slice. Its own connections must leave from its ports
 * (ip_local_port_range, and ip_local_reserved_ports for what lies between scattered sets); packets to the shared address that are for
 * other ports must go out to the router instead of to itself (rules ahead of the local table); and answers from there must be let in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct guest {
	char name[VC_NAME];
	char addr[64], gateway[64];
	unsigned int prefix, n;
	struct {
		uint16_t first, last;
		uint8_t protos;
	} r[1024];
	char dns[2][64];
};

struct adding {
	struct guest *g;
	unsigned int protos;
};

static void add_range(void *ctx, unsigned int first, unsigned int last)
{
	const struct adding *a = ctx;
	struct guest *g = a->g;

	if (g->n == sizeof(g->r) / sizeof(*g->r))
		return;
	g->r[g->n].first = first;
	g->r[g->n].last = last;
	g->r[g->n++].protos = a->protos;
}

static void add_slice(struct guest *g, const struct vc_slice_add *s)
{
	if (s->protos & (VC_PROTO_TCP | VC_PROTO_UDP))
		vfrc_each_run(s, add_range, &(struct adding){g, s->protos});
}

static int range_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void find_address(struct guest *g, const struct objects *all, const struct vc_ip *ip)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct vc_addr_add *a = (const void *)all->v[i]->body;

		if (all->v[i]->type != VC_ADDR_ADD || memcmp(&a->addr, ip, sizeof(*ip)))
			continue;
		vfrc_format_ip(&a->addr, g->addr, sizeof(g->addr));
		g->prefix = a->prefix;
		if (!vfrc_ip_is_zero(&a->gateway))
			vfrc_format_ip(&a->gateway, g->gateway, sizeof(g->gateway));
		for (unsigned int k = 0; k < 2; k++)
			if (!vfrc_ip_is_zero(&a->dns[k]))
				vfrc_format_ip(&a->dns[k], g->dns[k], sizeof(g->dns[k]));
	}
}

/* 0, or 1 where the domain has no ports of an address. */
static int collect(struct guest *g, const struct objects *all)
{
	const struct vc_ip *ip = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct vc_slice_add *s = (const void *)all->v[i]->body;

		if (all->v[i]->type != VC_SLICE_ADD || strcmp(s->dom, g->name) || s->kind > VC_SLICE_MAPE)
			continue;
		if (!ip) {
			ip = &s->addr;
			find_address(g, all, ip);
		}
		if (!memcmp(ip, &s->addr, sizeof(*ip)))
			add_slice(g, s);
	}
	qsort(g->r, g->n, sizeof(*g->r), range_cmp);
	return !g->n;
}

/* The widest ports to connect from, and what lies in it that is not ours. */
static void print_ports(const struct guest *g, const char *before)
{
	unsigned int lo = g->r[0].first, hi = g->r[g->n - 1].last, big = 0;

	for (unsigned int i = 0; i < g->n; i++)
		if (g->r[i].last - g->r[i].first > g->r[big].last - g->r[big].first)
			big = i;
	/* One large range is better alone than with holes to name. */
	if (g->n > 1 && g->r[big].last - g->r[big].first >= 256)
		lo = g->r[big].first, hi = g->r[big].last;
	printf("%snet.ipv4.ip_local_port_range = %u %u\n", before, lo, hi);
	for (unsigned int i = 0, n = 0; i + 1 < g->n; i++) {
		if (g->r[i].last < lo || g->r[i + 1].first > hi || g->r[i + 1].first == g->r[i].last + 1)
			continue;
		if (n++)
			printf(",%u-%u", g->r[i].last + 1, g->r[i + 1].first - 1);
		else
			printf("%snet.ipv4.ip_local_reserved_ports = %u-%u", before, g->r[i].last + 1, g->r[i + 1].first - 1);
		if (i + 2 >= g->n || g->r[i + 1].last >= hi)
			putchar('\n');
	}
}

static void print_hairpin(const struct guest *g, const char *before)
{
	static const char *const protos[] = {"tcp", "udp"};

	for (unsigned int p = 0; p < 2; p++)
		for (unsigned int i = 0; i < g->n; i++)
			if (g->r[i].protos & (p ? VC_PROTO_UDP : VC_PROTO_TCP))
				printf("%sip rule add pref 10 ipproto %s dport %u-%u to %s lookup local\n", before, protos[p],
				       g->r[i].first, g->r[i].last, g->addr);
	printf("%sip rule add pref 20 iif lo to %s ipproto tcp lookup main\n", before, g->addr);
	printf("%sip rule add pref 21 iif lo to %s ipproto udp lookup main\n", before, g->addr);
	printf("%sip rule add pref 100 lookup local\n", before);
	printf("%sip rule del pref 0\n", before);
}

static void print_sysctl(const struct guest *g, const char *before)
{
	print_ports(g, before);
	printf("%snet.ipv4.conf.all.accept_local = 1\n%snet.ipv4.conf.all.rp_filter = 0\n%snet.ipv4.conf.default.rp_filter = 0\n", before,
	       before, before);
}

static void print_sh(const struct guest *g)
{
	printf("#!/bin/sh\n# The network of %s on its slice of %s.\nset -e\ndev=${1:-eth0}\n", g->name, g->addr);
	printf("ip link set \"$dev\" up\nip addr add %s/%u dev \"$dev\"\n", g->addr, g->prefix);
	if (g->gateway[0])
		printf("ip route replace default via %s dev \"$dev\" onlink\n", g->gateway);
	printf("sysctl -q -p - <<'END'\n");
	print_sysctl(g, "");
	printf("END\nsysctl -q -w \"net.ipv4.conf.$dev.rp_filter=0\"\n");
	print_hairpin(g, "");
}

static void print_networkd(const struct guest *g)
{
	printf("# /etc/systemd/network/10-vfr.network\n[Match]\nType=ether\n\n[Network]\nAddress=%s/%u\n", g->addr, g->prefix);
	if (g->gateway[0])
		printf("Gateway=%s\n", g->gateway);
	for (unsigned int k = 0; k < 2; k++)
		if (g->dns[k][0])
			printf("DNS=%s\n", g->dns[k]);
	for (unsigned int i = 0; i < g->n; i++)
		printf("\n[RoutingPolicyRule]\nTo=%s\nDestinationPort=%u-%u\nTable=local\nPriority=10\n", g->addr, g->r[i].first,
		       g->r[i].last);
	printf("\n[RoutingPolicyRule]\nTo=%s\nIncomingInterface=lo\nTable=main\nPriority=20\n", g->addr);
	printf("\n[RoutingPolicyRule]\nTable=local\nPriority=100\n\n# /etc/sysctl.d/10-vfr.conf\n");
	print_sysctl(g, "");
	printf("\n# once at boot, ahead of the network: ip rule del pref 0\n");
}

static void print_cloud(const struct guest *g)
{
	printf("#cloud-config\nwrite_files:\n  - path: /etc/sysctl.d/10-vfr.conf\n    content: |\n");
	print_sysctl(g, "      ");
	printf("runcmd:\n  - sysctl --system\n  - ip addr replace %s/%u dev eth0\n", g->addr, g->prefix);
	if (g->gateway[0])
		printf("  - ip route replace default via %s dev eth0 onlink\n", g->gateway);
	print_hairpin(g, "  - ");
}

static int print_json(const struct guest *g)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < g->n; i++)
		json_array_append_new(ports, json_pack("{s:i, s:i}", "first", g->r[i].first, "last", g->r[i].last));
	return cli_json(json_pack("{s:s, s:s, s:i, s:s, s:o}", "domain", g->name, "address", g->addr, "prefix", (int)g->prefix, "gateway",
				  g->gateway, "ports", ports));
}

int cmd_guest_config(struct cli *cli)
{
	bool cloud = cli_flag(cli, "--cloud-init"), networkd = cli_flag(cli, "--networkd");
	static struct guest g;
	struct objects all;
	struct vfrc_reply r;
	int rc;

	cli_flag(cli, "--sh");
	rc = cli_words(cli, 1, 1);
	if (!rc)
		rc = cli_domain(cli, cli->argv[0], g.name);
	if (!rc)
		rc = cli_known(cli, g.name);
	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, 0, 0, &all, &r), &r);
	if (rc)
		return rc;
	if (collect(&g, &all))
		rc = cli_refuse(cli, "no-ports", ENOENT, "%s has no ports of a shared address", g.name);
	else if (cli->json)
		rc = print_json(&g);
	else
		(cloud ? print_cloud : networkd ? print_networkd : print_sh)(&g);
	objects_free(&all);
	return rc;
}
