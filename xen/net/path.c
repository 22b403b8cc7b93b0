/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the router's verdicts to the ports, and what the router itself sends, gives back and reports.
 */
#include <string.h>

#include <hv/domain.h>
#include <netcpu.h>
#include <shape.h>

static void (*audit_sink)(const struct vfr_event *ev);

void net_audit_to(void (*fn)(const struct vfr_event *ev))
{
	audit_sink = fn;
}

static unsigned int output(uint16_t port, struct pktq *q)
{
	struct uplink *up = uplink_of(port);
	struct netif *vif = up ? NULL : net_vif_of((uint16_t)(port - NET_UPLINKS_MAX));

	if (up)
		uplink_send(up, q);
	else if (vif)
		return shape_has(vif->d->id) ? shape_push(vif->d->id, q) : netif_rx_push(vif, q);
	else
		pktq_free(q); /* the domain went between the verdict and now */
	return 0;
}

static _Atomic(void (*)(const struct vfr_pkt *)) tap;

void net_tap(void (*fn)(const struct vfr_pkt *pkt))
{
	atomic_store(&tap, fn);
}

static void show_tap(struct vfr_pkt *const *pkts, unsigned int n)
{
	void (*fn)(const struct vfr_pkt *) = atomic_load_explicit(&tap, memory_order_relaxed);

	for (unsigned int i = 0; fn && i < n; i++)
		if (pkts[i])
			fn(pkts[i]);
}

unsigned int net_dispatch(struct vfr_pkt **pkts, unsigned int n)
{
	uint16_t port = VFR_NOPORT;
	unsigned int full = 0;
	struct pktq q;

	show_tap(pkts, n);
	pktq_init(&q);
	for (unsigned int i = 0; i < n; i++) {
		struct pkt *p = pkt_of(pkts[i]);

		if (!p)
			continue; /* held: the router's, until on_release() */
		if (p->v.verdict != VFR_FORWARD) {
			pkt_free(p);
			continue;
		}
		if (q.n && port != p->v.out_port) {
			full += output(port, &q);
			pktq_init(&q);
		}
		port = p->v.out_port;
		pktq_push(&q, p);
	}
	if (q.n)
		full += output(port, &q);
	return full;
}

/* What the schedulers ask of a packet is as in `as`. */
static void send_frame(const struct vfr_pkt *as, const uint8_t *frame, uint32_t len)
{
	struct pkt *p;
	struct pktq q;

	if (len > PKT_DATA_MAX)
		return;
	p = pkt_alloc();
	if (!p)
		return;
	memcpy(pkt_data(p), frame, len);
	pkt_frame(p, len, len);
	p->v.out_port = as->out_port;
	p->v.src_dom = as->src_dom;
	p->v.dscp = as->dscp;
	p->v.ecn = as->ecn;
	p->v.sched_class = as->sched_class;
	p->v.flow_hash = as->flow_hash;
	p->v.flags = as->flags & VFR_PF_IPV4;
	p->v.l3 = as->l3;
	pktq_init(&q);
	pktq_push(&q, p);
	net_enter();
	output(as->out_port, &q);
	net_leave();
}

static void on_emit(void *host, uint16_t out_port, const uint8_t *frame, uint32_t len)
{
	const struct vfr_pkt own = { .out_port = out_port, .src_dom = VFR_NODOM };

	send_frame(&own, frame, len);
}

/* Else a domain could send past its rate by sending what must be split. */
static void on_piece(void *host, const struct vfr_pkt *of, const uint8_t *frame, uint32_t len)
{
	send_frame(of, frame, len);
}

static void on_release(void *host, struct vfr_pkt *pkt)
{
	net_enter();
	net_dispatch(&pkt, 1);
	net_leave();
}

static void on_event(void *host, const struct vfr_event *ev)
{
	if (audit_sink)
		audit_sink(ev);
}

struct vfr *net_path_init(const struct vfr_params *params)
{
	static const struct vfr_ops ops = { .emit = on_emit, .piece = on_piece, .release = on_release, .audit = on_event };

	return vfr_create(params, &ops, NULL);
}
