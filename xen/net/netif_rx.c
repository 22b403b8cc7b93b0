/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the guest: its receive ring.
 *
 * A packet is copied once, from where it is (the card's buffer, another guest's pages) into pages that the guest has
 * granted for it: one slot for each 4096 bytes, and one more that tells the segment size. Slots are answered in the order
 * in which they were requested, which is what frontends rely on.
 *
 * What the ring has no room for waits in a queue that is bounded in objects, more tightly while the pool is short; then
 * the ring is watched, or the guest asked for an event. While nothing waits, neither is done.
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/io.h>
#include <netif.h>

#define QUEUE_BUFS       512u /* pool objects that may wait for one guest */
#define QUEUE_BUFS_TIGHT 32u
#define MANY_SLOTS       (NETIF_RING * 3 / 4)

static volatile netif_rx_sring_t *ring(const struct netif *vif)
{
	return vif->rx_shared;
}

static uint32_t slots_of(const struct pkt *p)
{
	return (p->v.len + PAGE_SIZE - 1) / PAGE_SIZE + (p->v.gso ? 1 : 0);
}

/* => free request slots; NULL *why unless the index makes no sense. */
static uint32_t slots_free(struct netif *vif, const char **why)
{
	uint32_t prod = ring(vif)->req_prod;

	io_rmb(); /* the index before the requests it shows */
	if (prod - vif->rx.req_cons > NETIF_RING) {
		*why = "the receive ring's request index is out of range";
		return 0;
	}
	return prod - vif->rx.req_cons;
}

/* => slots that may be used now; NULL *why unless the index makes no sense. */
static uint32_t slots_usable(struct netif *vif, const char **why)
{
	return netif_ration(vif, slots_free(vif, why));
}

/* What waits will go without an event of the guest's: it gives buffers, or is given packets in portions. */
static bool waits_awake(const struct netif *vif)
{
	return vif->rxq.head && (vif->rx_moving || vif->ration.full_ns);
}

static int16_t slot_status(struct netif *vif, int rc, uint32_t n)
{
	if (!rc)
		return (int16_t)n;
	net_drop(&vif->count[VFR_IN], NET_DROP_VIF_BAD_GRANT);
	return NETIF_RSP_ERROR;
}

/* => fill one slot; its status for the guest. */
static int16_t fill_slot(struct netif *vif, uint32_t gref, struct pkt_cursor *c, uint32_t n)
{
	struct grant_use use;
	int rc = grant_borrow(vif->d, gref, true, &use);

	if (!rc) {
		pkt_cursor_copy(c, use.va, n);
		grant_release(vif->d, &use);
	}
	return slot_status(vif, rc, n);
}

static void put_response(struct netif *vif, uint16_t id, uint16_t flags, int16_t status)
{
	volatile struct netif_rx_response *r = &ring(vif)->ring[vif->rx.rsp_prod & (NETIF_RING - 1)].rsp;

	r->id = id;
	r->offset = 0;
	r->flags = flags;
	r->status = status;
	vif->rx.rsp_prod++;
}

/* The segment size takes the place of a response; the request there goes unused, and the frontend keeps its page. */
static void put_gso(struct netif *vif, const struct pkt *p)
{
	volatile struct netif_extra_info *e =
		(volatile struct netif_extra_info *)&ring(vif)->ring[vif->rx.rsp_prod & (NETIF_RING - 1)].rsp;

	e->type = XEN_NETIF_EXTRA_TYPE_GSO;
	e->flags = 0;
	e->u.gso.size = p->v.gso_size;
	e->u.gso.type = p->v.gso == VFR_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	e->u.gso.pad = 0;
	e->u.gso.features = 0;
	vif->rx.req_cons++;
	vif->rx.rsp_prod++;
}

static uint16_t first_flags(const struct pkt *p)
{
	uint16_t flags = 0;

	if (p->v.csum == VFR_CSUM_PARTIAL)
		flags = NETRXF_csum_blank | NETRXF_data_validated;
	else if (p->v.csum == VFR_CSUM_VERIFIED)
		flags = NETRXF_data_validated;
	if (p->v.gso)
		flags |= NETRXF_extra_info;
	return flags;
}

/* The short way of a packet in one piece that fits one slot. */
static void deliver_one(struct netif *vif, struct pkt *p)
{
	const volatile struct netif_rx_request *r = &ring(vif)->ring[vif->rx.req_cons & (NETIF_RING - 1)].req;
	uint16_t id = r->id;
	int rc = grant_copy(vif->d, r->gref, 0, p->v.head, p->v.len, true);

	vif->rx.req_cons++;
	put_response(vif, id, first_flags(p), slot_status(vif, rc, p->v.len));
}

static void deliver_chain(struct netif *vif, struct pkt *p)
{
	uint32_t left = p->v.len;
	uint16_t flags = first_flags(p);
	struct pkt_cursor c;
	bool first = true;

	pkt_cursor_init(&c, p);
	do {
		const volatile struct netif_rx_request *r = &ring(vif)->ring[vif->rx.req_cons & (NETIF_RING - 1)].req;
		uint16_t id = r->id;
		uint32_t gref = r->gref, n = left < PAGE_SIZE ? left : PAGE_SIZE;
		int16_t status;

		vif->rx.req_cons++;
		status = fill_slot(vif, gref, &c, n);
		left -= n;
		if (left)
			flags |= NETRXF_more_data;
		put_response(vif, id, flags, status);
		if (first && p->v.gso)
			put_gso(vif, p);
		first = false;
		flags = 0;
	} while (left);
}

/* => the ring has the slots. */
static void deliver(struct netif *vif, struct pkt *p)
{
	if (p->room_len == p->v.len && !p->v.gso)
		deliver_one(vif, p);
	else
		deliver_chain(vif, p);
	vif->ration.given += slots_of(p);
	vif->count[VFR_IN].packets++;
	vif->count[VFR_IN].bytes += p->v.len;
}

static void publish(struct netif *vif, uint32_t old)
{
	uint32_t new = vif->rx.rsp_prod;

	if (old == new)
		return;
	io_wmb(); /* responses before the index that shows them */
	ring(vif)->rsp_prod = new;
	vif->ration.shown = true;
	io_mb(); /* the index before the look at the wish */
	if (new - ring(vif)->rsp_event < new - old)
		net_touch(vif, NETIF_NOTIFY_RX);
}

static bool queue_has_room(const struct netif *vif, const struct pkt *p)
{
	static const uint32_t most[] = { [PKTPOOL_PLENTY] = QUEUE_BUFS, [PKTPOOL_TIGHT] = QUEUE_BUFS_TIGHT, [PKTPOOL_SHORT] = 0 };

	return vif->rxq_bufs + p->bufs <= most[pktpool_level()];
}

static void enqueue(struct netif *vif, struct pkt *p)
{
	vif->rxq_bufs += p->bufs;
	vif->rxq_bytes += p->v.len;
	pktq_push(&vif->rxq, p);
}

/*
 * A guest that gives buffers at all is watched, and asked for an event only when there are many; one that has given none
 * of late is asked for an event with the first that help.
 */
static void ask_for_slots(struct netif *vif, uint32_t need)
{
	uint32_t prod = ring(vif)->req_prod;
	uint64_t now = time_now_ns();

	if (prod != vif->rx_last_prod)
		vif->rx_moved_ns = now;
	vif->rx_last_prod = prod;
	vif->rx_moving = now - vif->rx_moved_ns < WATCH_END_NS;
	ring(vif)->req_event = vif->rx.req_cons + (vif->rx_moving && need < MANY_SLOTS ? MANY_SLOTS : need);
	io_mb(); /* the wish before the look */
}

/* Deliver what waits as far as the ring reaches; ask for an event if something is left. rx_lock is held. */
static const char *drain_queue(struct netif *vif, struct pktq *done)
{
	const char *why = NULL;
	uint32_t room = slots_usable(vif, &why);

	while (!why && vif->rxq.head) {
		struct pkt *p = vif->rxq.head;
		uint32_t need = slots_of(p);

		if (need > room) {
			ask_for_slots(vif, need);
			room = slots_usable(vif, &why);
			if (need > room)
				break;
		}
		pktq_pop(&vif->rxq);
		vif->rxq_bufs -= p->bufs;
		vif->rxq_bytes -= p->v.len;
		deliver(vif, p);
		room -= need;
		pktq_push(done, p);
	}
	return why;
}

void netif_rx_flush(struct netif *vif, struct pktq *out)
{
	struct pkt *p;

	while ((p = pktq_pop(&vif->rxq))) {
		net_drop(&vif->count[VFR_IN], NET_DROP_VIF_DOWN);
		pktq_push(out, p);
	}
	vif->rxq_bufs = 0;
	vif->rxq_bytes = 0;
}

/* A segment, or a blank checksum, that this frontend can take. */
static bool suits(const struct netif *vif, const struct pkt *p)
{
	if (p->v.gso == VFR_GSO_TCPV6)
		return vif->feat.gso6;
	if (p->v.gso)
		return vif->feat.gso4;
	return (p->v.flags & VFR_PF_IPV6) ? vif->feat.csum6 : !vif->feat.no_csum;
}

/* What this frontend cannot take is made into what it can. => false: for lack of memory not all of it. */
static bool suit(struct netif *vif, struct pkt *p, struct pktq *out)
{
	if (p->v.csum == VFR_CSUM_PARTIAL && !suits(vif, p)) {
		if (p->v.gso)
			return pkt_segment(p, out);
		pkt_csum_finish(p);
	}
	pktq_push(out, p);
	return true;
}

/* What stays in the queue must not keep another guest's pages: that guest would wait for this one. */
static void own_what_waits(struct netif *vif, struct pktq *done)
{
	struct pktq all;
	struct pkt *p;

	pktq_init(&all);
	while ((p = pktq_pop(&vif->rxq)))
		pktq_push(&all, p);
	vif->rxq_bufs = 0;
	vif->rxq_bytes = 0;
	while ((p = pktq_pop(&all)))
		if (pkt_detach(p)) {
			enqueue(vif, p);
		} else {
			net_drop(&vif->count[VFR_IN], NET_DROP_NO_BUFFER);
			pktq_push(done, p);
		}
}

static bool lent_one_waits(const struct netif *vif)
{
	for (const struct pkt *p = vif->rxq.head; p; p = p->next)
		if (p->nr_frags)
			return true;
	return false;
}

/* => packets into the ring, or into the queue; rx_lock is held. */
static const char *push_locked(struct netif *vif, struct pktq *in, struct pktq *done, unsigned int *full)
{
	const char *why = vif->rxq.head ? drain_queue(vif, done) : NULL;
	uint32_t room = why ? 0 : slots_usable(vif, &why), need;
	struct pkt *p;

	while (!why && (p = pktq_pop(in))) {
		need = slots_of(p);
		if (!vif->rxq.head && need <= room) {
			deliver(vif, p);
			room -= need;
			pktq_push(done, p);
		} else if (queue_has_room(vif, p)) {
			enqueue(vif, p);
		} else {
			net_drop(&vif->count[VFR_IN], pktpool_level() == PKTPOOL_SHORT ? NET_DROP_NO_BUFFER : NET_DROP_VIF_RING_FULL);
			vif->ration.full_ns = time_now_ns();
			++*full;
			pktq_push(done, p);
		}
	}
	return why || !vif->rxq.head ? why : drain_queue(vif, done);
}

static bool suits_all(const struct netif *vif, const struct pktq *q)
{
	for (const struct pkt *p = q->head; p; p = p->next)
		if (p->v.csum == VFR_CSUM_PARTIAL && !suits(vif, p))
			return false;
	return true;
}

unsigned int netif_rx_push(struct netif *vif, struct pktq *q)
{
	unsigned int full = 0, short_of = 0;
	bool waits;
	struct pktq in, done;
	const char *why = NULL;
	struct pkt *p;

	pktq_init(&in);
	pktq_init(&done);
	if (!suits_all(vif, q)) {
		while ((p = pktq_pop(q)))
			short_of += !suit(vif, p, &in);
		q = &in;
	}
	env_lock(&vif->rx_lock);
	while (short_of--)
		net_drop(&vif->count[VFR_IN], NET_DROP_NO_BUFFER);
	if (vif->state == NETIF_CONNECTED) {
		uint32_t old = vif->rx.rsp_prod;

		why = push_locked(vif, q, &done, &full);
		publish(vif, old);
		if (lent_one_waits(vif))
			own_what_waits(vif, &done);
	}
	while ((p = pktq_pop(q))) {
		net_drop(&vif->count[VFR_IN], NET_DROP_VIF_DOWN);
		pktq_push(&done, p);
	}
	waits = waits_awake(vif);
	env_unlock(&vif->rx_lock);
	pktq_free(&done);
	if (why)
		netif_fault(vif, why);
	else if (waits)
		net_watch_vif(vif);
	return full;
}

bool netif_rx_pending(struct netif *vif)
{
	const char *why = NULL;
	bool pending = false;

	env_lock(&vif->rx_lock);
	if (vif->state == NETIF_CONNECTED && vif->rxq.head)
		pending = slots_usable(vif, &why) >= slots_of(vif->rxq.head);
	env_unlock(&vif->rx_lock);
	return pending || why;
}

bool netif_rx_drain(struct netif *vif)
{
	bool waits;

	const char *why = NULL;
	struct pktq done;
	uint32_t old;

	pktq_init(&done);
	env_lock(&vif->rx_lock);
	if (vif->state == NETIF_CONNECTED && vif->rxq.head) {
		old = vif->rx.rsp_prod;
		why = drain_queue(vif, &done);
		publish(vif, old);
	}
	waits = waits_awake(vif);
	env_unlock(&vif->rx_lock);
	pktq_free(&done);
	if (why)
		netif_fault(vif, why);
	return waits;
}
