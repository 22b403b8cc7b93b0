/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the wire: through the scheduler into the card's send ring.
 *
 * Frames that were sent are collected under tx_lock and freed after it. While somebody waits for them (frames that did not
 * fit, guests whose pages are lent out), the ring is watched as the receive ring is; the card is asked for an interrupt
 * only before a CPU sleeps.
 */
#include <errno.h>

#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <sched_pkt.h>
#include <shape.h>
#include <uplink.h>

static void on_drop(void *ctx, struct netsched_item *item, enum netsched_verdict why)
{
	struct uplink *up = ctx;

	net_drop(&up->tx, sched_pkt_drop(why));
	pktq_push(&up->lost, pkt_of_item(item));
}

static void on_resume(void *ctx, uint32_t class_id)
{
	struct netif *vif = net_vif_of((uint16_t)class_id);

	if (!vif)
		return;
	vif->stopped = false;
	net_schedule(vif);
}

static void enqueue(struct uplink *up, struct pkt *p, uint64_t now)
{
	struct netif *vif;
	enum netsched_verdict v;

	sched_pkt_fill(p, p->v.src_dom < MAX_DOMAINS ? p->v.src_dom : 0);
	v = netsched_enqueue(up->sched, &p->item, now);
	if (v == NETSCHED_OK)
		return;
	if (v == NETSCHED_STOP) {
		vif = net_vif_of((uint16_t)p->item.class_id);
		if (vif)
			vif->stopped = true;
		return;
	}
	on_drop(up, &p->item, v);
}

static int give_to_card(struct uplink *up, struct pkt *p)
{
	static const uint8_t csum[] = {
		[VFR_CSUM_FULL] = NIC_CSUM_FULL, [VFR_CSUM_PARTIAL] = NIC_CSUM_PARTIAL, [VFR_CSUM_VERIFIED] = NIC_CSUM_FULL,
	};
	static const uint8_t gso[] = {
		[VFR_GSO_NONE] = NIC_GSO_NONE, [VFR_GSO_TCPV4] = NIC_GSO_TCPV4, [VFR_GSO_TCPV6] = NIC_GSO_TCPV6,
		[VFR_GSO_UDP] = NIC_GSO_NONE,
	};
	struct nic_meta meta = {
		.csum = csum[p->v.csum],
		.gso = gso[p->v.gso],
		.gso_size = p->v.gso_size,
		.csum_start = p->v.csum_start,
		.csum_offset = p->v.csum_offset,
	};
	struct pkt_piece piece[PKT_SEGS];
	struct vq_seg segs[PKT_SEGS];
	unsigned int n = pkt_pieces(p, piece);

	if (meta.gso)
		meta.hdr_len = (uint16_t)pkt_headers_len(p);
	for (unsigned int i = 0; i < n; i++)
		segs[i] = (struct vq_seg){ piece[i].pa, piece[i].len };
	return up->nic->ops->tx(up->nic, segs, n, p->v.head - NIC_HEADROOM, &meta, p);
}

static void reap(struct uplink *up, struct pktq *done)
{
	struct pkt *p;

	while ((p = up->nic->ops->tx_pop(up->nic))) {
		if (p->vif)
			up->lent--;
		pktq_push(done, p);
	}
}

static void pace(struct uplink *up, uint64_t next)
{
	if (next >= up->pace_at)
		return;
	up->pace_at = next;
	timer_set(&up->pace, next);
}

static struct pkt *next_to_send(struct uplink *up, uint64_t now)
{
	struct pkt *p = up->head;
	struct netsched_item *item;
	uint64_t next;

	if (p) {
		up->head = NULL;
		return p;
	}
	item = netsched_dequeue(up->sched, now, &next);
	if (item)
		return pkt_of_item(item);
	pace(up, next);
	return NULL;
}

/* From the scheduler to the card, as far as it has room. */
static void drain(struct uplink *up, uint64_t now, struct pktq *done)
{
	struct pkt *p;

	while ((p = next_to_send(up, now))) {
		int rc = give_to_card(up, p);

		if (rc == -ENOSPC) {
			up->head = p;
			break;
		}
		if (rc) {
			net_drop(&up->tx, NET_DROP_UPLINK_DOWN);
			pktq_push(done, p);
			continue;
		}
		if (p->vif)
			up->lent++;
		up->tx.packets++;
		up->tx.bytes += p->v.len;
	}
	up->nic->ops->tx_kick(up->nic);
}

/* => how many further frames sent should interrupt; 0: none. Three quarters of what the card holds: few interrupts, and
 *    the guest's next packets are there before the card runs dry. */
static unsigned int irq_after(const struct uplink *up)
{
	unsigned int pending = up->nic->ops->tx_pending(up->nic);

	if (!up->lent && !up->head)
		return 0;
	return (pending * 3 + 3) / 4;
}

/* => somebody waits for what the card sends: watch its ring, or ask for an interrupt. True: it is done already. */
static bool await(struct uplink *up, uint32_t lent_before, uint64_t now)
{
	bool waits = up->lent || up->head;

	up->tx_watched = waits && net_is_busy(&up->tx_traffic, up->lent > lent_before ? up->lent - lent_before : 0, now);
	if (up->tx_watched)
		net_watch();
	return !up->tx_watched && up->nic->ops->tx_irq(up->nic, waits ? irq_after(up) : 0);
}

/* => what was sent comes back, what waits goes out. tx_lock is held. */
static void pump(struct uplink *up, uint64_t now, struct pktq *done)
{
	uint32_t lent_before;

	do {
		reap(up, done);
		lent_before = up->lent;
		drain(up, now, done);
	} while (await(up, lent_before, now));
	while (up->lost.head)
		pktq_push(done, pktq_pop(&up->lost));
}

void uplink_tx_look(struct uplink *up, bool sure)
{
	if (!up->tx_watched || (!sure && !up->nic->ops->tx_done(up->nic)))
		return;
	up->tx_work = true;
	softirq_raise(SOFTIRQ_NET_TX);
}

bool uplink_tx_idle(struct uplink *up)
{
	bool done;

	up->tx_traffic.burst = 0;
	if (!up->tx_watched)
		return false;
	env_lock(&up->tx_lock);
	done = up->nic->ops->tx_irq(up->nic, irq_after(up));
	env_unlock(&up->tx_lock);
	if (done)
		uplink_tx_look(up, true);
	return done;
}

/* What this card cannot do, or the line is too slow for, is done here. => false: for lack of memory not all of it. */
static bool suit(struct uplink *up, struct pkt *p, struct pktq *out)
{
	uint32_t can = up->nic->tx_features;

	if (p->v.gso && (up->split || !(can & (p->v.gso == VFR_GSO_TCPV6 ? NIC_TX_TSO6 : NIC_TX_TSO4))))
		return pkt_segment(p, out);
	if (p->v.csum == VFR_CSUM_PARTIAL && !(can & NIC_TX_CSUM))
		pkt_csum_finish(p);
	pktq_push(out, p);
	return true;
}

void uplink_send(struct uplink *up, struct pktq *q)
{
	uint64_t now = time_now_ns();
	unsigned int short_of = 0;
	struct pktq in, done;
	struct pkt *p;

	pktq_init(&in);
	pktq_init(&done);
	while ((p = pktq_pop(q)))
		short_of += !suit(up, p, &in);
	env_lock(&up->tx_lock);
	while (short_of--)
		net_drop(&up->tx, NET_DROP_NO_BUFFER);
	while ((p = pktq_pop(&in))) {
		if (up->nic->link_up) {
			enqueue(up, p, now);
		} else {
			net_drop(&up->tx, NET_DROP_UPLINK_DOWN);
			pktq_push(&done, p);
		}
	}
	pump(up, now, &done);
	env_unlock(&up->tx_lock);
	pktq_free(&done);
}

void uplinks_tx_poll(void)
{
	shape_poll();
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		struct uplink *up = &uplinks[i];
		struct pktq done;

		if (!atomic_exchange(&up->tx_work, false))
			continue;
		pktq_init(&done);
		env_lock(&up->tx_lock);
		pump(up, time_now_ns(), &done);
		env_unlock(&up->tx_lock);
		pktq_free(&done);
	}
}

static void on_pace(struct timer *t)
{
	struct uplink *up = (struct uplink *)((char *)t - offsetof(struct uplink, pace));

	up->pace_at = NETSCHED_FOREVER;
	up->tx_work = true;
	softirq_raise(SOFTIRQ_NET_TX);
}

int uplink_tx_init(struct uplink *up)
{
	struct netsched_link link = { .rate_bps = SCHED_LINK_BPS, .max_classes = MAX_DOMAINS, .late_ns = sched_link_late_ns() };
	struct netsched_host host = { .ctx = up, .drop = on_drop, .mark = sched_pkt_mark, .resume = on_resume };
	struct netsched_params router_class = { .weight = NET_WEIGHT_DEFAULT };
	struct netsched_refusal why = { "" };
	int rc;

	pktq_init(&up->lost);
	up->pace_at = NETSCHED_FOREVER;
	timer_init(&up->pace, on_pace);
	rc = netsched_create(netsched_find("hfq"), &link, &host, &up->sched, &why);

	if (!rc) /* class 0: what the router itself sends */
		rc = netsched_class_set(up->sched, 0, &router_class, time_now_ns(), &why);
	if (rc)
		log_error("%s: no scheduler: %s", up->nic->name, why.text);
	return rc;
}
