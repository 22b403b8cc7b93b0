/* SPDX-License-Identifier: BSD-2-Clause */
/* The domains of a site file: each becomes a domain, its slices, its rates and its rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

struct domain {
	struct vc_dom_create m;
	const char *cmdline;
	struct vc_rate_set rate;
	bool has_rate;
	struct vc_ip addr;		/* that ports without an address are of */
	bool has_addr;
	yaml_node_t *ports, *rules, *rest, *subs;
	int line, col;
};

static void d_module(struct site *s, yaml_node_t *n, char *out, bool kernel)
{
	const char *path = node_text(s, n, kernel ? "a kernel's file" : "a ramdisk's file");

	if (n->type == YAML_SCALAR_NODE)
		set_name(out, VC_MODULE, site_module(s, path, kernel, node_line(n), node_col(n))->name);
}

static void d_kernel(struct site *s, yaml_node_t *n, void *ctx)
{
	d_module(s, n, ((struct domain *)ctx)->m.kernel, true);
}

static void d_ramdisk(struct site *s, yaml_node_t *n, void *ctx)
{
	d_module(s, n, ((struct domain *)ctx)->m.ramdisk, false);
}

static void d_cmdline(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;

	d->cmdline = node_text(s, n, "a command line");
	if (strlen(d->cmdline) > VC_CMDLINE_MAX) {
		node_error(s, n, "the command line has %zu bytes, %u at most", strlen(d->cmdline), VC_CMDLINE_MAX);
		d->cmdline = "";
	}
}

static void d_memory(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;
	uint64_t bytes = 0;

	if (vfrc_parse_size(node_text(s, n, "a size"), &bytes))
		node_error(s, n, "memory is a size: 256M, 1G");
	else if (bytes < VC_MEM_MIN || bytes > VC_MEM_MAX || bytes % 4096)
		node_error(s, n, "memory is 2M to 1T, in whole pages of 4096 bytes");
	d->m.mem_bytes = bytes;
}

static uint64_t number(struct site *s, yaml_node_t *n, uint64_t min, uint64_t max, const char *what)
{
	uint64_t v = 0;

	if (vfrc_parse_count(node_text(s, n, what), max, &v) || v < min)
		node_error(s, n, "%s is a number from %llu to %llu", what, (unsigned long long)min, (unsigned long long)max);
	return v;
}

static void d_vcpus(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.vcpus = number(s, n, 1, VC_VCPUS_MAX, "vcpus");
}

static void d_mac(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;

	if (vfrc_parse_mac(node_text(s, n, "a MAC"), d->m.mac) || d->m.mac[0] & 1)
		node_error(s, n, "a MAC is six bytes as 02:16:3e:00:00:01, not a group address");
}

static void d_mtu(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.mtu = number(s, n, 576, 9000, "mtu");
}

static unsigned int on_what(struct site *s, yaml_node_t *n)
{
	static const char *const words[] = {"destroy", "restart", "preserve"};
	const char *t = node_text(s, n, "destroy, restart or preserve");

	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(t, words[i]))
			return i;
	node_error(s, n, "'%s' is not destroy, restart or preserve", t);
	return 0;
}

static void d_on_poweroff(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.on_poweroff = on_what(s, n);
}

static void d_on_reboot(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.on_reboot = on_what(s, n);
}

static void d_on_crash(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.on_crash = on_what(s, n);
}

static void d_flag(struct site *s, yaml_node_t *n, struct domain *d, unsigned int flag, const char *what, bool inverse)
{
	if (read_bool(s, n, what) != inverse)
		d->m.flags |= flag;
}

static void d_control(struct site *s, yaml_node_t *n, void *ctx)
{
	d_flag(s, n, ctx, VC_DOM_CONTROL, "control", false);
}

static void d_paused(struct site *s, yaml_node_t *n, void *ctx)
{
	d_flag(s, n, ctx, VC_DOM_START_PAUSED, "paused", false);
}

static void d_network(struct site *s, yaml_node_t *n, void *ctx)
{
	d_flag(s, n, ctx, VC_DOM_NO_NET, "network", true);
}

static void d_weight(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.cpu_weight = number(s, n, 1, 65535, "weight");
}

static void d_cap(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->m.cpu_cap = number(s, n, 1, 6400, "cap");
}

static const struct key cpu_keys[] = {{"weight", d_weight}, {"cap", d_cap}};

static void d_cpu(struct site *s, yaml_node_t *n, void *ctx)
{
	read_mapping(s, n, cpu_keys, 2, "cpu", ctx);
}

/* --- network ---------------------------------------------------------------------------------------------------------- */

static void d_address(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;

	if (vfrc_parse_ip(node_text(s, n, "an address"), &d->addr))
		node_error(s, n, "'%s' is not an IP address", node_text(s, n, "an address"));
	d->has_addr = true;
}

static void add_slice(struct site *s, const struct domain *d, struct vc_slice_add *slice, yaml_node_t *n)
{
	memcpy(slice->dom, d->m.name, sizeof(slice->dom));
	objects_add(&s->objects, VC_SLICE_ADD, slice, sizeof(*slice), node_line(n), node_col(n));
}

static void d_whole(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_slice_add slice = {.kind = VC_SLICE_WHOLE};

	if (vfrc_parse_prefix(node_text(s, n, "an address"), &slice.addr, &slice.prefix, NULL))
		node_error(s, n, "an address, or an IPv6 prefix of 64 or 128 bits, is wanted here");
	else
		add_slice(s, ctx, &slice, n);
}

static void d_addresses(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, d_whole, "addresses", ctx);
}

static void d_internal(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_slice_add slice = {.kind = VC_SLICE_INTERNAL};

	if (vfrc_parse_ip(node_text(s, n, "an address"), &slice.addr) || !vfrc_ip_is_v4(&slice.addr))
		node_error(s, n, "internal is an IPv4 address");
	else
		add_slice(s, ctx, &slice, n);
}

/* The shared address that is meant where none is named: the only one. */
static const struct vc_addr_add *only_shared(struct site *s)
{
	const struct vc_addr_add *found = NULL;

	for (size_t i = 0; i < s->objects.n; i++) {
		const struct vc_addr_add *a = (const void *)s->objects.v[i]->body;

		if (s->objects.v[i]->type != VC_ADDR_ADD || !(a->flags & VC_ADDR_SHARED))
			continue;
		if (found)
			return NULL;
		found = a;
	}
	return found;
}

static bool slice_address(struct site *s, const struct domain *d, yaml_node_t *n, struct vc_ip *out)
{
	const struct vc_addr_add *a;

	if (d->has_addr) {
		*out = d->addr;
		return true;
	}
	a = only_shared(s);
	if (a)
		*out = a->addr;
	else
		node_error(s, n, "which address? There is not exactly one shared address: write ADDRESS:%s, or give %s an 'address'",
			   node_text(s, n, "ports"), d->m.name);
	return a != NULL;
}

static void d_port(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_slice_add slice = {.kind = VC_SLICE_RANGE};
	struct domain *d = ctx;
	const char *t = node_text(s, n, "ports");
	bool given;

	if (vfrc_parse_slice(t, &slice, &given)) {
		node_error(s, n,
			   "'%s' are no ports: write 80/tcp, 20000-20999, 53/tcp+udp, mape A/K/PSID, "
			   "split FIRST-LAST/SIZE/N, with ADDRESS: before it if need be",
			   t);
		return;
	}
	if (!slice.first && slice.kind == VC_SLICE_RANGE && slice.protos != VC_PROTO_ICMP) {
		node_error(s, n, "port 0 cannot be granted");
		return;
	}
	if (given || slice_address(s, d, n, &slice.addr))
		add_slice(s, d, &slice, n);
}

static void d_ports(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->ports = n;
}

static void d_protocol(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_slice_add slice = {0};

	if (vfrc_parse_protocol(node_text(s, n, "a protocol"), &slice))
		node_error(s, n, "a protocol without ports is wanted here: gre, esp, esp spi 0x1000, ah, ipip, 6in4, or a number");
	else if (slice_address(s, ctx, n, &slice.addr))
		add_slice(s, ctx, &slice, n);
}

static void d_protocols(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, d_protocol, "protocols", ctx);
}

/* --- rates ------------------------------------------------------------------------------------------------------------ */

static void rate_key(struct site *s, size_t which, yaml_node_t *n, void *ctx)
{
	char why[200];

	if (vfrc_rate_key(ctx, which, node_text(s, n, "a rate or limit"), why, sizeof(why)))
		node_error(s, n, "%s", why);
}

static void d_rate(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;
	const struct vc_rate_set *r = &d->rate;
	const char *names[VFRC_RATE_KEYS];
	size_t count = vfrc_rate_names(names);

	d->has_rate = true;
	read_names(s, n, names, count, "rate", rate_key, &d->rate);
	if ((r->out_bps && r->out_guarantee_bps > r->out_bps) || (r->in_bps && r->in_guarantee_bps > r->in_bps))
		node_error(s, n, "%s is guaranteed more than its ceiling", d->m.name);
}

static void d_deny(struct site *s, yaml_node_t *n, void *ctx)
{
	struct vc_slice_add ports = {.kind = VC_SLICE_RANGE};
	struct vc_rate_set *r = &((struct domain *)ctx)->rate;
	static const struct {
		unsigned int bit, number;
	} protos[] = {{VC_PROTO_TCP, 6}, {VC_PROTO_UDP, 17}, {VC_PROTO_SCTP, 132}};

	if (vfrc_parse_ports(node_text(s, n, "ports"), &ports) || ports.kind != VC_SLICE_RANGE) {
		node_error(s, n, "ports are wanted here, as in 25/tcp");
		return;
	}
	for (unsigned int i = 0; i < 3; i++) {
		if (!(ports.protos & protos[i].bit))
			continue;
		if (r->egress_count == VC_EGRESS_MAX) {
			node_error(s, n, "%d entries at most", VC_EGRESS_MAX);
			return;
		}
		r->egress[r->egress_count++] = (struct vc_egress){.proto = protos[i].number, .first = ports.first, .last = ports.last};
	}
}

static void d_egress_deny(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;

	d->has_rate = true;
	d->rate.egress_set = 1;
	read_list(s, n, d_deny, "egress-deny", ctx);
}

static void d_rules(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->rules = n;
}

static void d_subs(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->subs = n;
}

static void d_default(struct site *s, yaml_node_t *n, void *ctx)
{
	((struct domain *)ctx)->rest = n;
}

static void d_disk(struct site *s, yaml_node_t *n, void *ctx)
{
	struct domain *d = ctx;
	struct vc_disk_set m = {.index = 0};

	memcpy(m.dom, d->m.name, sizeof(m.dom));
	read_name(s, n, "a volume", m.volume, sizeof(m.volume));
	for (size_t i = 0; i < s->objects.n; i++)
		if (s->objects.v[i]->type == VC_DISK_SET && !strcmp(object_domain(s->objects.v[i]), d->m.name))
			m.index++;
	objects_add(&s->objects, VC_DISK_SET, &m, sizeof(m), node_line(n), node_col(n));
}

static void d_disks(struct site *s, yaml_node_t *n, void *ctx)
{
	read_list(s, n, d_disk, "disks", ctx);
}

static const struct key domain_keys[] = {
	{"kernel", d_kernel}, {"ramdisk", d_ramdisk}, {"cmdline", d_cmdline}, {"memory", d_memory}, {"vcpus", d_vcpus}, {"mac", d_mac},
	{"mtu", d_mtu}, {"on-poweroff", d_on_poweroff}, {"on-reboot", d_on_reboot}, {"on-crash", d_on_crash}, {"control", d_control},
	{"paused", d_paused}, {"network", d_network}, {"cpu", d_cpu}, {"address", d_address}, {"addresses", d_addresses},
	{"internal", d_internal}, {"ports", d_ports}, {"protocols", d_protocols}, {"rate", d_rate}, {"egress-deny", d_egress_deny},
	{"rules", d_rules}, {"default", d_default}, {"disks", d_disks}, {"sub-classes", d_subs},
};

void read_domain(struct site *s, const char *name, yaml_node_t *key, yaml_node_t *value)
{
	struct domain d = {.cmdline = "", .line = node_line(key), .col = node_col(key)};
	uint8_t body[sizeof(d.m) + VC_CMDLINE_MAX];

	read_name(s, key, "a domain", d.m.name, sizeof(d.m.name));
	if (!strcmp(name, "all"))
		node_error(s, key, "no domain can be called 'all': commands mean every domain by it");
	memcpy(d.rate.dom, d.m.name, sizeof(d.rate.dom));
	d.m.vcpus = 1;
	d.m.on_reboot = VC_ON_RESTART;
	read_mapping(s, value, domain_keys, sizeof(domain_keys) / sizeof(*domain_keys), "a domain", &d);
	if (value->type != YAML_MAPPING_NODE)
		return;
	if (!d.m.kernel[0])
		node_error(s, key, "the domain %s has no kernel", d.m.name);
	if (!d.m.mem_bytes)
		node_error(s, key, "the domain %s has no memory", d.m.name);
	if (d.ports)
		read_list(s, d.ports, d_port, "ports", &d);
	d.m.cmdline_len = strlen(d.cmdline);
	memcpy(body, &d.m, sizeof(d.m));
	memcpy(body + sizeof(d.m), d.cmdline, d.m.cmdline_len);
	objects_add(&s->objects, VC_DOM_CREATE, body, sizeof(d.m) + d.m.cmdline_len, d.line, d.col);
	if (d.has_rate)
		objects_add(&s->objects, VC_RATE_SET, &d.rate, sizeof(d.rate), d.line, d.col);
	if (d.subs)
		read_subs(s, d.m.name, d.subs);
	if (d.rules || d.rest)
		read_rules(s, d.m.name, d.rules, d.rest);
}
