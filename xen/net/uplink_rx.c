/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the wire: the card's ring is kept full of pool objects; a poll takes a batch of frames, gives them to the router,
 * and fills the ring up again from the objects that came free meanwhile.
 *
 * After a poll with frames the ring is watched instead of the card being asked for an interrupt: whenever the CPU leaves a
 * guest, and by a timer. When a timer's poll finds nothing, or the CPU goes to sleep, the card is asked again. So a guest
 * that is at work is not thrown out for each frame, and one that waits gets it at once.
 */
#include <hv/irq.h>
#include <hv/log.h>
#include <uplink.h>

#define RX_FRAMES VFR_BATCH
#define RX_FRAMES_PROBE 16 /* after a batch for a guest that was full */
#define REFILL_NS 10000000UL

static void *dma_area(void *token)
{
	return (uint8_t *)token + PKT_DMA;
}

void uplink_fill(struct uplink *up)
{
	if (!up->rx_size)
		up->rx_size = up->nic->ops->rx_room(up->nic);
	for (unsigned int room = up->nic->ops->rx_room(up->nic); room; room--) {
		struct pkt *p = pkt_alloc();

		if (!p)
			break;
		if (up->nic->ops->rx_post(up->nic, virt_to_phys(p) + PKT_DMA, PKT_DMA_MAX, p)) {
			pkt_free(p);
			break;
		}
	}
	up->nic->ops->rx_kick(up->nic);
	/* A card without buffers brings no frame, so nothing else would come back to this. */
	if (up->nic->ops->rx_room(up->nic) > up->rx_size / 2)
		timer_set(&up->refill, time_now_ns() + REFILL_NS);
}

static void on_refill(struct timer *t)
{
	uplink_fill((struct uplink *)((char *)t - offsetof(struct uplink, refill)));
}

void uplink_rx_init(struct uplink *up)
{
	timer_init(&up->refill, on_refill);
}

/* Collect the further buffers of a long frame. False: the card did not deliver them all. */
static bool collect(struct uplink *up, struct pkt *p, unsigned int more, uint32_t *len)
{
	struct pkt **tail = &p->cont;
	bool whole = true;

	while (more--) {
		uint32_t part;
		struct pkt *c = up->nic->ops->rx_pop_more(up->nic, &part);

		if (!c)
			return false;
		if (part > PKT_DMA_MAX || p->bufs + 1u >= PKT_SEGS)
			whole = false;
		c->room_len = part;
		*tail = c;
		tail = &c->cont;
		p->bufs++;
		*len += part;
	}
	return whole;
}

static bool take_meta(struct pkt *p, const struct nic_meta *m)
{
	switch (m->gso) {
	case NIC_GSO_TCPV4:
		p->v.gso = VFR_GSO_TCPV4;
		break;
	case NIC_GSO_TCPV6:
		p->v.gso = VFR_GSO_TCPV6;
		break;
	default:
		break;
	}
	p->v.gso_size = m->gso_size;
	if (p->v.gso)
		return pkt_offload_locate(p);
	if (m->csum == NIC_CSUM_VERIFIED)
		p->v.csum = VFR_CSUM_VERIFIED;
	if (m->csum != NIC_CSUM_PARTIAL)
		return true;
	p->v.csum = VFR_CSUM_PARTIAL;
	p->v.csum_start = m->csum_start;
	p->v.csum_offset = m->csum_offset;
	return (uint32_t)m->csum_start + m->csum_offset + 2 <= p->v.head_len;
}

/* => the next frame of the card, or NULL; a bad one is dropped and the one after it taken. */
static struct pkt *next_frame(struct uplink *up)
{
	struct nic_meta meta;
	unsigned int more;
	uint32_t len;
	struct pkt *p;

	while ((p = up->nic->ops->rx_pop(up->nic, dma_area, &meta, &len, &more))) {
		uint32_t linear = len;
		bool whole = collect(up, p, more, &len);

		if (whole && linear && linear <= PKT_DATA_MAX && len <= PKT_LEN_MAX && (linear == len || linear >= VFR_HEAD_MIN)) {
			pkt_frame(p, linear, len);
			if (take_meta(p, &meta))
				return p;
		}
		net_drop(&up->rx, NET_DROP_UPLINK_BAD_FRAME);
		pkt_free(p);
	}
	return NULL;
}

/* => frames of one batch of at most `max`; *full: how many of them found their guest full. */
static unsigned int rx_batch(struct uplink *up, unsigned int max, unsigned int *full)
{
	struct vfr_pkt *batch[RX_FRAMES];
	unsigned int n = 0;
	struct pkt *p;

	while (n < max && (p = next_frame(up))) {
		up->rx.packets++;
		up->rx.bytes += p->v.len;
		batch[n++] = &p->v;
	}
	if (n) {
		vfr_input(net_router(), this_cpu()->id, time_now_ns(), up->port, batch, n);
		*full = net_dispatch(batch, n);
	}
	return n;
}

static void again(struct uplink *up)
{
	up->rx_work = true;
	softirq_raise(SOFTIRQ_NET_RX);
}

/* => the card interrupts with its next frame. */
static void watch_end(struct uplink *up)
{
	up->rx_watched = false;
	if (up->nic->ops->rx_irq_on(up->nic))
		again(up);
}

static void poll_one(struct uplink *up)
{
	unsigned int max = up->rx_rest_ns ? RX_FRAMES_PROBE : RX_FRAMES, n, full = 0;

	if (!atomic_exchange(&up->rx_work, false) || !up->rx_started)
		return;
	n = rx_batch(up, max, &full);
	/* A kick is dear, so buffers go to the card in large portions. */
	if (up->nic->ops->rx_room(up->nic) >= up->rx_size / 2)
		uplink_fill(up);
	/* Guests that are full need the CPU more than we do: what is left in the ring waits while they run. */
	up->rx_rest_ns = full > n / 2 ? time_now_ns() + net_watch_ns : 0;
	if (n == max && !up->rx_rest_ns) {
		again(up);
	} else if (net_is_busy(&up->rx_traffic, n, time_now_ns())) {
		up->rx_watched = true;
		net_watch();
	} else {
		watch_end(up);
	}
}

void uplinks_rx_poll(void)
{
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		struct uplink *up = &uplinks[i];

		if (atomic_exchange(&up->link_changed, false))
			log_info("%s: link %s", up->nic->name, up->nic->link_up ? "up" : "down");
		poll_one(up);
	}
}

void uplink_rx_look(struct uplink *up, bool sure)
{
	if (this_cpu()->id || !up->rx_watched)
		return;
	if (sure || (up->nic->ops->rx_pending(up->nic) && (!up->rx_rest_ns || time_now_ns() >= up->rx_rest_ns)))
		again(up);
}

bool uplink_rx_idle(struct uplink *up)
{
	if (this_cpu()->id)
		return false;
	up->rx_traffic.burst = 0;
	if (!up->rx_watched)
		return false;
	watch_end(up);
	return up->rx_work;
}
