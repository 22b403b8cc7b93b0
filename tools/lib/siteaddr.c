/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's part of a site file: its addresses, its uplinks and the schedulers. */
#include <stdio.h>
#include <string.h>

#include "site.h"

#define DEFAULT_UPLINK "net0"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* As the hypervisor's registries have them: a typo should not wait for the day it boots. */
static const char *const net_policies[] = {"rr", "tbf", "drr", "hfq"};
static const char *const cpu_policies[] = {"rr", "share"};

/* => a policy's name copied; an error where there is none of that name */
static void read_policy(struct site *s, yaml_node_t *n, const char *const *names, size_t count, char *out, size_t size)
{
	char all[100] = "";

	read_name(s, n, "a scheduler", out, size);
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(out, names[i]))
			return;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", names[i]);
	}
	node_error(s, n, "there is no scheduler '%s' here: there are %s", out, all);
}

/* Cards are net0, net1 and so on, in the order in which they are found. Only the machine knows how many it has. */
static void read_uplink_name(struct site *s, yaml_node_t *n, char *out, size_t size)
{
	const char *t = node_text(s, n, "an uplink");

	read_name(s, n, "an uplink", out, size);
	if (strncmp(t, "net", 3) || !t[3] || strspn(t + 3, "0123456789") != strlen(t + 3))
		node_error(s, n, "'%s' is no uplink: they are called net0, net1 and so on, a card each", t);
}

struct address {
	struct vc_addr_add m;
	unsigned int ndns;
};

static void addr_uplink(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	read_uplink_name(s, n, a->m.uplink, sizeof(a->m.uplink));
}

static void addr_shared(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (read_bool(s, n, "shared"))
		a->m.flags |= VC_ADDR_SHARED;
	else
		a->m.flags &= ~VC_ADDR_SHARED;
}

static void addr_gateway(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (vfrc_parse_ip(node_text(s, n, "a gateway"), &a->m.gateway))
		node_error(s, n, "a gateway is an IP address");
	else if (vfrc_ip_is_v4(&a->m.gateway) != vfrc_ip_is_v4(&a->m.addr))
		node_error(s, n, "the gateway is not of the address's family");
	else if (!memcmp(&a->m.gateway, &a->m.addr, sizeof(a->m.addr)))
		node_error(s, n, "the gateway is another machine: it cannot have the address itself");
}

static void addr_dns(struct site *s, yaml_node_t *n, void *ctx)
{
	struct address *a = ctx;

	if (a->ndns == 2)
		node_error(s, n, "two name servers at most");
	else if (vfrc_parse_ip(node_text(s, n, "a name server"), &a->m.dns[a->ndns++]))
		node_error(s, n, "a name server is an IP address");
}

static void addr_dns_list(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, addr_dns, "dns", ctx);
}

static const struct key addr_keys[] = {
	{"uplink", addr_uplink}, {"shared", addr_shared}, {"gateway", addr_gateway}, {"dns", addr_dns_list},
};

/* An address that a host can have: not 0/8, 127/8, groups, broadcast; not ::, ::1, ff00::/8. */
static bool host_address(const struct vc_ip *ip)
{
	static const struct vc_ip one = {{[15] = 1}};
	uint8_t first = ip->b[12];

	if (vfrc_ip_is_v4(ip))
		return first && first != 127 && first < 224;
	return !vfrc_ip_is_zero(ip) && memcmp(ip, &one, sizeof(one)) && ip->b[0] != 0xff;
}

static void read_address(struct site *s, yaml_node_t *key, yaml_node_t *value)
{
	const char *text = node_text(s, key, "an address");
	struct address a = {.m.uplink = DEFAULT_UPLINK};

	if (vfrc_parse_prefix(text, &a.m.addr, &a.m.prefix, NULL)) {
		node_error(s, key, "'%s' is not an address: write 203.0.113.7 or 203.0.113.7/24, or an IPv6 prefix", text);
		return;
	}
	if (!host_address(&a.m.addr))
		node_error(s, key, "'%s' is not an address that a host can have", text);
	if (vfrc_ip_is_v4(&a.m.addr))
		a.m.flags = VC_ADDR_SHARED;
	if (value->type != YAML_SCALAR_NODE || value->data.scalar.length)
		read_mapping(s, value, addr_keys, sizeof(addr_keys) / sizeof(*addr_keys), "an address", &a);
	if (!vfrc_ip_is_v4(&a.m.addr) && (a.m.flags & VC_ADDR_SHARED))
		node_error(s, key, "IPv6 addresses are not shared by port: give each domain its own prefix");
	objects_add(&s->objects, VC_ADDR_ADD, &a.m, sizeof(a.m), node_line(key), node_col(key));
}

void read_addresses(struct site *s, yaml_node_t *n, void *ctx)
{
	if (!mapping_only(s, n, "addresses"))
		return;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
		read_address(s, node_at(s, p->key), node_at(s, p->value));
}

/* --- uplinks ---------------------------------------------------------------------------------------------------------- */

static void uplink_sched(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set *m = ctx;

	read_policy(s, n, net_policies, COUNT(net_policies), m->policy, sizeof(m->policy));
}

static void uplink_rate(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set *m = ctx;
	uint64_t bps;

	if (!strcmp(node_text(s, n, "a rate"), "none"))
		m->rate_bps = 0;
	else if (vfrc_parse_rate(node_text(s, n, "a rate"), &bps) || !bps)
		node_error(s, n, "a rate is wanted here, as in 100mbit or 1gbit, or none");
	else
		m->rate_bps = bps;
}

static const struct key uplink_keys[] = {{"scheduler", uplink_sched}, {"rate", uplink_rate}};

void read_uplinks(struct site *s, yaml_node_t *n, void *ctx)
{
	if (!mapping_only(s, n, "uplinks"))
		return;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *key = node_at(s, p->key);
		struct vc_sched_set m = {.kind = VC_SCHED_NET, .policy = "hfq"};

		if (!strcmp(node_text(s, key, "an uplink"), "guests"))	/* the side towards them */
			set_name(m.target, sizeof(m.target), "guests");
		else
			read_uplink_name(s, key, m.target, sizeof(m.target));
		read_mapping(s, node_at(s, p->value), uplink_keys, 2, "an uplink", &m);
		objects_add(&s->objects, VC_SCHED_SET, &m, sizeof(m), node_line(key), node_col(key));
	}
}

void read_cpu_sched(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_sched_set m = {.kind = VC_SCHED_CPU};

	read_policy(s, n, cpu_policies, COUNT(cpu_policies), m.policy, sizeof(m.policy));
	objects_add(&s->objects, VC_SCHED_SET, &m, sizeof(m), node_line(n), node_col(n));
}
