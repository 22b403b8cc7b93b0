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

#include "fuzz.h"

struct held {
	struct vfr_pkt v;
	uint8_t b[2048];
	uint8_t *exact;
	unsigned int version;	/* of the model, when it came in */
};

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

const struct vfr_ops fuzz_ops = { .emit = on_emit, .release = on_release, .audit = on_event };

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
		fuzz_model_set(protos, &ps, freeing ? 0 : dom);
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
	touched.rules |= (uint8_t)(1u << dom);
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
	touched.domains |= (uint8_t)(1u << dom);
	vfr_domain_set(v, dom, &cfg);
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
	unsigned int n;

	switch (op & 31) {
	case 1:
		claim(r, false);
		break;
	case 2:
		claim(r, true);
		break;
	case 3:
		fuzz_attach(take(r) % (GUESTS + 1));
		break;
	case 4:
		n = take(r) % (GUESTS + 1);
		touched.ports |= (uint8_t)(1u << n);
		vfr_port_detach(v, (uint16_t)n, now);
		break;
	case 5:
		rules(r);
		break;
	case 6:
		domain(r);
		break;
	case 7:
		fuzz_remove_domain(1 + take(r) % GUESTS);
		break;
	case 8:
		now += (uint64_t)take(r) * 500000000u;
		vfr_timer(v, now);
		break;
	case 9:
		trace(r);
		break;
	case 10:
		n = take(r) % (GUESTS + 1);
		touched.ports |= (uint8_t)(1u << n);
		vfr_port_mtu_set(v, (uint16_t)n, (uint16_t)(60 + take(r) * 8));
		break;
	case 11:
		touched.neighbour = true;
		vfr_neigh_static(v, 0, GATEWAY, NULL, take(r) & 1 ? gateway_mac : NULL);
		break;
	default:
		packet(r);
		break;
	}
}

#define INPUTS_EACH 2000	/* that one router serves */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int inputs;
	struct reader r = { data, size };
	struct vfr_totals t;

	env_host_log_level(0);
	if (!v)
		fuzz_build();
	while (r.left)
		step(&r);
	vfr_totals_read(v, &t);
	CHECK(t.held == outstanding);
	if (++inputs % INPUTS_EACH) {
		fuzz_restore();
		return 0;
	}
	vfr_destroy(v);
	v = NULL;
	CHECK(!outstanding);
	CHECK(!env_host_live_blocks());
	return 0;
}
