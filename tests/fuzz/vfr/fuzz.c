/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target of the router: any packets and any configuration calls, in any order.
 *
 * The input is a list of records: an opcode byte, then its operands. Packets may ask for their IPv4 checksum to be mended, so
 * that the fuzzer gets past it. Checked after every step, by code of its own that shares nothing with the router's tables:
 * a packet from a guest that leaves by an uplink has a source that is this guest's; a packet that reaches a guest is for an
 * address and port of its own; every packet is accounted for; and at the end no memory is left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <vfr/vfr.h>

#define SHARED	0xcb007107u
#define DEDICATED 0xcb00711eu
#define INTERNAL 0x0a000004u
#define SELF	0x0a000001u
#define GATEWAY	0xc6336401u
#define GUESTS	4		/* ports 1 .. 4 are domains 1 .. 4 */

static const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0xff, 1 };

struct held {
	struct vfr_pkt v;
	uint8_t b[2048];
	uint8_t *exact;
	unsigned int version;	/* of the model, when it came in */
};

static struct vfr *v;
static uint64_t now;
static unsigned int outstanding;
static unsigned int version;
static uint8_t owner[4][65536];	/* the model: which domain has which port of SHARED */

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), abort()))

static unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static int proto_index(int proto)
{
	return proto == 6 ? 0 : proto == 17 ? 1 : proto == 1 ? 2 : proto == 132 ? 3 : -1;
}

/* => may domain d be at this end of the packet? `at`: 12 for source, 16 for destination. */
static bool end_is_own(const uint8_t *ip, uint32_t len, unsigned int at, unsigned int d)
{
	uint32_t a = get32(ip + at), h = (ip[0] & 15u) * 4;
	const uint8_t *l = ip + h;
	int proto = proto_index(ip[9]);

	if (a == DEDICATED)
		return d == 3;
	if (a == INTERNAL)
		return d == 4;
	if (a != SHARED || (get16(ip + 6) & 0x1fff))
		return a == SHARED;
	if (proto < 0 || len < h + 8)
		return false;
	if (proto == 2 && (l[0] == 3 || l[0] == 11 || l[0] == 12)) {
		const uint8_t *q = l + 8, *ql = q + (q[0] & 15u) * 4;
		int qp = proto_index(q[9]);

		/* the quote names our end on the other side */
		return qp >= 0 && owner[qp][qp == 2 ? get16(ql + 4) : get16(ql + (at == 12 ? 2 : 0))] == d;
	}
	return owner[proto][proto == 2 ? get16(l + 4) : get16(l + (at == 12 ? 0 : 2))] == d;
}

static void check_forwarded(const struct vfr_pkt *p)
{
	const uint8_t *ip = p->head + 14;

	CHECK(p->out_port <= GUESTS);
	if (get16(p->head + 12) != 0x0800)
		return;
	if (p->in_port && p->out_port == 0)
		CHECK(end_is_own(ip, p->len - 14, 12, p->in_port));
	if (p->out_port && p->out_port != p->in_port)
		CHECK(end_is_own(ip, p->len - 14, 16, p->out_port));
}

static void done(struct vfr_pkt *p)
{
	struct held *h = p->priv;

	CHECK(outstanding);
	outstanding--;
	free(h->exact);
	free(h);
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	static uint8_t copy[2048];

	CHECK(port <= GUESTS && len >= 14 + 20 && len <= sizeof(copy));
	memcpy(copy, f, len);
}

static void on_release(void *host, struct vfr_pkt *p)
{
	CHECK(p->verdict == VFR_FORWARD || p->verdict == VFR_DROP || p->verdict == VFR_CONSUMED);
	CHECK(p->verdict != VFR_DROP || p->drop);
	/* What was admitted while the port was its sender's may leave after that. */
	if (p->verdict == VFR_FORWARD && ((struct held *)p->priv)->version == version)
		check_forwarded(p);
	done(p);
}

static void on_event(void *host, const struct vfr_event *ev)
{
	CHECK(ev->type < VFR_EV_COUNT && ev->count);
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release, .audit = on_event };

/* --- the input -------------------------------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t left;
};

static uint8_t take(struct reader *r)
{
	if (!r->left)
		return 0;
	r->left--;
	return *r->p++;
}

static uint16_t take16(struct reader *r)
{
	uint8_t hi = take(r);

	return (uint16_t)(hi << 8 | take(r));
}

static void mend_checksum(uint8_t *f, uint32_t len)
{
	uint32_t h = (f[14] & 15u) * 4, s = 0;

	if (get16(f + 12) != 0x0800 || h < 20 || len < 14 + h)
		return;
	f[24] = f[25] = 0;
	for (uint32_t i = 0; i < h; i += 2)
		s += get16(f + 14 + i);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	f[24] = (uint8_t)(~s >> 8);
	f[25] = (uint8_t)~s;
}

static void link_addresses(uint8_t *f, unsigned int port)
{
	const uint8_t own[6] = { 2, 0, 0, 0, 1, (uint8_t)port };

	memcpy(f, port ? gateway_mac : own, 6);
	memcpy(f + 6, own, 6);
	if (!port)
		f[11] = 0xee;
}

static void packet(struct reader *r)
{
	uint8_t how = take(r);
	unsigned int port = how % (GUESTS + 1);
	uint32_t len = take16(r) % 1600;
	struct held *h = calloc(1, sizeof(*h));

	if (len > r->left)
		len = (uint32_t)r->left;
	memcpy(h->b, r->p, len);
	r->p += len;
	r->left -= len;
	if ((how & 0x80) && len >= 14)
		link_addresses(h->b, port);
	if (how & 0x40)
		mend_checksum(h->b, len);
	/* Bytes behind the frame belong to nobody: AddressSanitizer should see them touched. */
	h->exact = malloc(len ? len : 1);
	memcpy(h->exact, h->b, len);
	h->v.head = h->exact;
	h->v.priv = h;
	h->v.len = len;
	h->v.head_len = (uint16_t)((how & 0x20) && len > 256 ? 256 : len);
	if (how & 0x10) {
		h->v.gso = VFR_GSO_TCPV4;
		h->v.gso_size = 1448;
		h->v.csum = VFR_CSUM_PARTIAL;
	}
	outstanding++;
	h->version = version;
	struct vfr_pkt *batch[1] = { &h->v };
	vfr_input(v, 0, now, (uint16_t)port, batch, 1);
	if (!batch[0])
		return;
	CHECK(batch[0]->verdict >= VFR_FORWARD && batch[0]->verdict <= VFR_CONSUMED && batch[0]->verdict != VFR_HELD);
	if (batch[0]->verdict == VFR_FORWARD)
		check_forwarded(batch[0]);
	done(batch[0]);
}

static void model_set(unsigned int protos, const struct vfr_portset *ps, uint8_t dom)
{
	bool range = ps->kind == VFR_PS_RANGE;

	version++;
	for (unsigned int i = 0; i < 4; i++)
		for (uint32_t port = range ? ps->first : 0; (protos & 1u << i) && port <= (range ? ps->last : 65535u); port++)
			if (vfr_portset_has(ps, (uint16_t)port))
				owner[i][port] = dom;
}

static void claim(struct reader *r, bool freeing)
{
	struct vfr_portset ps = { .kind = take(r) & 1 };
	uint8_t dom = (uint8_t)(1 + take(r) % GUESTS);
	unsigned int protos = take(r) & 31;

	ps.offset = take(r) % 20;
	ps.psid_len = take(r) % 20;
	ps.psid = take16(r);
	ps.first = take16(r);
	ps.last = take16(r);
	int e = freeing ? vfr_slice_free(v, now, SHARED, protos, &ps, dom) : vfr_slice_claim(v, now, SHARED, protos, &ps, dom, NULL);
	if (!e)
		model_set(protos, &ps, freeing ? 0 : dom);
}

static void attach(unsigned int port)
{
	struct vfr_port_cfg cfg = { .kind = port ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .mac = { 2, 0, 0, 0, 1, (uint8_t)port },
		.domid = (uint16_t)port };

	vfr_port_attach(v, (uint16_t)port, &cfg);
}

static void rules(struct reader *r)
{
	struct vfr_rule set[8];
	unsigned int n = take(r) % 9;
	uint16_t dom = take(r) % 6;

	memset(set, 0, sizeof(set));
	for (unsigned int i = 0; i < n; i++) {
		struct vfr_rule *u = &set[i];

		u->dir = take(r) % 3;
		u->family = (uint8_t[]){ 0, 4, 6, 5 }[take(r) % 4];
		u->action = take(r) % 4;
		u->flags = take(r) & 15;
		u->proto = (uint8_t[]){ 0, 6, 17, 1, 58 }[take(r) % 5];
		u->state = take(r) & 15;
		u->icmp_type = -1;
		u->icmp_code = -1;
		u->src_plen = take(r) % 34;
		u->dst_plen = u->family ? take(r) % 34 : 0;
		u->src[0] = take(r);
		u->dst[0] = take(r);
		u->sport_last = 65535;
		u->dport_first = take16(r);
		u->dport_last = take16(r);
		u->rate = take(r);
		if (!u->family)
			u->src_plen = 0;
	}
	vfr_rules_set(v, dom == 5 ? VFR_GLOBAL : dom, set, n, NULL);
}

static void domain(struct reader *r)
{
	struct vfr_domain_cfg cfg;
	uint16_t dom = (uint16_t)(1 + take(r) % GUESTS);

	vfr_domain_defaults(&cfg);
	cfg.new_flows_per_s = take(r);
	cfg.max_frags = take(r);
	cfg.max_conns = take(r);
	cfg.ipid_block = take(r) & 1;
	cfg.nat_addr = dom == 4 ? SHARED : 0;
	vfr_domain_set(v, dom, &cfg);
}

static void remove_domain(unsigned int dom)
{
	/* Dedicated and internal addresses go too: the model has them fixed, so they come back at once. */
	if (vfr_domain_del(v, (uint16_t)dom, now))
		return;
	version++;
	for (unsigned int i = 0; i < 4; i++)
		for (uint32_t port = 0; port < 65536; port++)
			if (owner[i][port] == dom)
				owner[i][port] = 0;
	if (dom == 3)
		vfr_dedicated_add(v, DEDICATED, 3, NULL);
	if (dom == 4)
		vfr_internal_add(v, INTERNAL, 4, NULL);
}

static void trace(struct reader *r)
{
	uint8_t f[1600];
	unsigned int port = take(r) % (GUESTS + 1);
	uint32_t len = take16(r) % sizeof(f);
	struct vfr_totals before, after;
	struct vfr_trace t;

	if (len > r->left)
		len = (uint32_t)r->left;
	memcpy(f, r->p, len);
	if (len >= 14)
		link_addresses(f, port);
	mend_checksum(f, len);
	vfr_totals_read(v, &before);
	vfr_trace(v, now, (uint16_t)port, f, len, &t);
	vfr_totals_read(v, &after);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	CHECK(t.steps <= VFR_TRACE_STEPS);
}

static void step(struct reader *r)
{
	uint8_t op = take(r);

	switch (op & 31) {
	case 1:
		claim(r, false);
		break;
	case 2:
		claim(r, true);
		break;
	case 3:
		attach(take(r) % (GUESTS + 1));
		break;
	case 4:
		vfr_port_detach(v, take(r) % (GUESTS + 1), now);
		break;
	case 5:
		rules(r);
		break;
	case 6:
		domain(r);
		break;
	case 7:
		remove_domain(1 + take(r) % GUESTS);
		break;
	case 8:
		now += (uint64_t)take(r) * 500000000u;
		vfr_timer(v, now);
		break;
	case 9:
		trace(r);
		break;
	case 10:
		vfr_port_mtu_set(v, take(r) % (GUESTS + 1), (uint16_t)(60 + take(r) * 8));
		break;
	case 11:
		vfr_neigh_static(v, 0, GATEWAY, NULL, take(r) & 1 ? gateway_mac : NULL);
		break;
	default:
		packet(r);
		break;
	}
}

static void build(void)
{
	struct vfr_params par = { .cpus = 1, .max_ports = 8, .max_domains = 16, .max_conns = 64, .max_frags = 16, .max_nat = 16,
		.seed = { 9 } };
	uint8_t pfx[16] = { 0x20, 1, 0x0d, 0xb8, 0, 1 }, none[16] = { 0 }, gw[16] = { 0xfe, 0x80, [15] = 1 };

	memcpy(par.gateway_mac, gateway_mac, 6);
	v = vfr_create(&par, &ops, NULL);
	memset(owner, 0, sizeof(owner));
	for (unsigned int p = 0; p <= GUESTS; p++)
		attach(p);
	vfr_shared_add(v, SHARED);
	for (uint8_t d = 1; d <= GUESTS; d++) {
		struct vfr_portset ps = { .kind = VFR_PS_RANGE, .first = (uint16_t)(d * 1000), .last = (uint16_t)(d * 1000 + 49) };

		vfr_slice_claim(v, now, SHARED, VFR_PROTOS_ALL, &ps, d, NULL);
		model_set(VFR_PROTOS_ALL, &ps, d);
	}
	vfr_dedicated_add(v, DEDICATED, 3, NULL);
	vfr_internal_add(v, INTERNAL, 4, NULL);
	vfr_self_add(v, SELF);
	struct vfr_domain_cfg cfg;
	vfr_domain_defaults(&cfg);
	cfg.nat_addr = SHARED;
	vfr_domain_set(v, 4, &cfg);
	vfr_prefix6_add(v, pfx, 64, 1, NULL);
	vfr_route_add(v, 0, 0, 0, GATEWAY, 0);
	vfr_route6_add(v, none, 0, 0, gw);
	vfr_neigh_static(v, 0, GATEWAY, NULL, gateway_mac);
	struct vfr_dhcp_cfg dhcp = { .addr = SHARED, .mask = UINT32_MAX, .router = SELF, .lease_s = 60 };
	vfr_dhcp_set(v, 2, &dhcp);
	struct vfr_ra_cfg ra = { .on = true };
	vfr_ra_set(v, 1, &ra);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { data, size };
	struct vfr_totals t;

	env_host_log_level(0);
	now = 1000000000000ull;
	build();
	while (r.left)
		step(&r);
	vfr_totals_read(v, &t);
	CHECK(t.held == outstanding);
	vfr_destroy(v);
	CHECK(!outstanding);
	CHECK(!env_host_live_blocks());
	return 0;
}
