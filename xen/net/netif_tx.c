/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the guest: its transmit ring, slot by slot.
 *
 * A packet is a chain of slots: the first carries the length of the whole, then extra infos (segmentation), then one
 * slot for each further piece. Each slot is read once into a local copy; the chain is checked as a whole; only then are
 * the pages borrowed. A packet of at most TX_COPY bytes is copied and its slots are answered at once; of a longer one
 * the head is copied, so that what the router checks is what is sent, and the rest is sent from the guest's own pages.
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/io.h>
#include <netif.h>

/* Copying costs less than borrowing, describing and answering late, up to about here. */
#define TX_COPY 2048u
_Static_assert(TX_COPY <= PKT_DATA_MAX, "a copied packet fits its object");

#define ETH_HEADER 14u

struct chain {
	struct netif_tx_request slot[PKT_SLOTS];
	unsigned int slots;     /* pieces, also those beyond PKT_SLOTS */
	unsigned int extras;
	bool gso;
	uint8_t gso_type;
	uint16_t gso_size;
};

static volatile netif_tx_sring_t *ring(const struct netif *vif)
{
	return vif->tx_shared;
}

/* The response takes the place of a request that has been read: there is always room. */
static void respond(struct netif *vif, uint16_t id, int16_t status)
{
	volatile struct netif_tx_response *r = &ring(vif)->ring[vif->tx.rsp_prod & (NETIF_RING - 1)].rsp;

	r->id = id;
	r->status = status;
	vif->tx.rsp_prod++;
}

/* => show the guest the responses; note whether it wants an event. tx_lock is held. */
static void publish(struct netif *vif, uint32_t old)
{
	uint32_t new = vif->tx.rsp_prod;

	if (old == new)
		return;
	io_wmb(); /* responses before the index that shows them */
	ring(vif)->rsp_prod = new;
	io_mb(); /* the index before the look at the wish: the guest does the same in the other order */
	if (new - ring(vif)->rsp_event < new - old)
		net_touch(vif, NETIF_NOTIFY_TX);
}

static void read_slot(struct netif *vif, struct netif_tx_request *out)
{
	const volatile struct netif_tx_request *r = &ring(vif)->ring[vif->tx.req_cons & (NETIF_RING - 1)].req;

	out->gref = r->gref;
	out->offset = r->offset;
	out->flags = r->flags;
	out->id = r->id;
	out->size = r->size;
	vif->tx.req_cons++;
}

static bool read_extra(struct netif *vif, struct chain *c)
{
	const volatile struct netif_extra_info *e =
		(const volatile struct netif_extra_info *)&ring(vif)->ring[vif->tx.req_cons & (NETIF_RING - 1)].req;
	uint8_t type = e->type, flags = e->flags;

	if (type == XEN_NETIF_EXTRA_TYPE_GSO) {
		c->gso = true;
		c->gso_size = e->u.gso.size;
		c->gso_type = e->u.gso.type;
	}
	vif->tx.req_cons++;
	c->extras++;
	return flags & XEN_NETIF_EXTRA_FLAG_MORE;
}

/* => reads one chain; NULL, or why the ring makes no sense. `left`: requests that the guest has published. */
static const char *read_chain(struct netif *vif, uint32_t left, struct chain *c)
{
	struct netif_tx_request r;
	bool more;

	c->extras = 0;
	c->gso = false;
	read_slot(vif, &c->slot[0]);
	left--;
	if (c->slot[0].flags & NETTXF_extra_info) {
		do {
			if (!left--)
				return "a chain of transmit slots without its end";
			if (c->extras == XEN_NETIF_EXTRA_TYPE_MAX - 1)
				return "more extra infos than there are types";
			more = read_extra(vif, c);
		} while (more);
	}
	c->slots = 1;
	for (more = c->slot[0].flags & NETTXF_more_data; more; more = r.flags & NETTXF_more_data) {
		if (!left--)
			return "a chain of transmit slots without its end";
		read_slot(vif, &r);
		if (c->slots < PKT_SLOTS)
			c->slot[c->slots] = r;
		else
			respond(vif, r.id, NETIF_RSP_ERROR);
		c->slots++;
	}
	return NULL;
}

/* => the chain as a whole makes sense; turns slot[0].size, the total, into the size of the first piece. */
static bool check_chain(struct chain *c, uint32_t *len)
{
	uint32_t rest = 0;

	*len = c->slot[0].size;
	if (c->slots > PKT_SLOTS)
		return false;
	for (unsigned int i = 1; i < c->slots; i++) {
		if (!c->slot[i].size)
			return false;
		rest += c->slot[i].size;
	}
	if (rest >= *len || *len < ETH_HEADER)
		return false;
	c->slot[0].size = (uint16_t)(*len - rest);
	for (unsigned int i = 0; i < c->slots; i++)
		if ((uint32_t)c->slot[i].offset + c->slot[i].size > PAGE_SIZE)
			return false;
	return true;
}

static void answer_now(struct netif *vif, const struct chain *c, int16_t status)
{
	unsigned int n = c->slots < PKT_SLOTS ? c->slots : PKT_SLOTS;

	for (unsigned int i = 0; i < n; i++)
		respond(vif, c->slot[i].id, status);
	for (unsigned int i = 0; i < c->extras; i++)
		respond(vif, 0, NETIF_RSP_NULL);
}

static bool copy_whole(struct netif *vif, const struct chain *c, struct pkt *p, uint32_t len)
{
	uint8_t *to = pkt_data(p);

	for (unsigned int i = 0; i < c->slots; i++) {
		if (grant_copy(vif->d, c->slot[i].gref, c->slot[i].offset, to, c->slot[i].size, false))
			return false;
		to += c->slot[i].size;
	}
	pkt_frame(p, len, len);
	return true;
}

static void release_frags(struct netif *vif, struct pkt *p)
{
	struct pkt_frag *f = pkt_frags(p);

	for (unsigned int i = 0; i < p->nr_frags; i++)
		grant_release(vif->d, &f[i].use);
	p->nr_frags = 0;
}

/* Copy the head, borrow the rest. */
static bool borrow_rest(struct netif *vif, const struct chain *c, struct pkt *p, uint32_t len)
{
	struct pkt_frag *f = pkt_frags(p);
	uint32_t head = 0;

	for (unsigned int i = 0; i < c->slots; i++) {
		uint32_t part = c->slot[i].size, copy = PKT_HEAD - head;

		if (copy > part)
			copy = part;
		if (grant_borrow(vif->d, c->slot[i].gref, false, &f->use)) {
			release_frags(vif, p);
			return false;
		}
		memcpy(pkt_data(p) + head, f->use.va + c->slot[i].offset, copy);
		head += copy;
		if (copy == part) {
			grant_release(vif->d, &f->use);
			continue;
		}
		f->off = (uint16_t)(c->slot[i].offset + copy);
		f->len = (uint16_t)(part - copy);
		f++;
		p->nr_frags++;
	}
	pkt_frame(p, head, len);
	return true;
}

static void promise_answer(struct netif *vif, const struct chain *c, struct pkt *p)
{
	for (unsigned int i = 0; i < c->slots; i++)
		p->ids[i] = c->slot[i].id;
	p->nr_ids = (uint8_t)c->slots;
	p->nr_extras = (uint8_t)c->extras;
	p->connection = vif->connection;
	p->vif = vif;
	vif->in_flight++;
}

/* => what the guest asks the card to do with the packet fits the packet. */
static bool take_offload(const struct chain *c, struct pkt *p)
{
	uint16_t flags = c->slot[0].flags;

	if (c->gso) {
		if (c->gso_type == XEN_NETIF_GSO_TYPE_TCPV4)
			p->v.gso = VFR_GSO_TCPV4;
		else if (c->gso_type == XEN_NETIF_GSO_TYPE_TCPV6)
			p->v.gso = VFR_GSO_TCPV6;
		p->v.gso_size = p->v.gso ? c->gso_size : 0;
	}
	if (flags & NETTXF_csum_blank)
		return pkt_offload_locate(p);
	if (p->v.gso)
		return false;
	if (flags & NETTXF_data_validated)
		p->v.csum = VFR_CSUM_VERIFIED;
	return true;
}

/* => the packet of a chain, or NULL with the reason; its slots are answered unless the packet keeps them. */
static struct pkt *make_packet(struct netif *vif, struct chain *c, enum net_drop *why)
{
	uint32_t len;
	struct pkt *p;
	bool ok;

	*why = NET_DROP_VIF_BAD_CHAIN;
	if (!check_chain(c, &len)) {
		answer_now(vif, c, NETIF_RSP_ERROR);
		return NULL;
	}
	p = pkt_alloc();
	if (!p) {
		*why = NET_DROP_NO_BUFFER;
		answer_now(vif, c, NETIF_RSP_DROPPED);
		return NULL;
	}
	ok = len <= TX_COPY ? copy_whole(vif, c, p, len) : borrow_rest(vif, c, p, len);
	if (!ok) {
		*why = NET_DROP_VIF_BAD_GRANT;
		answer_now(vif, c, NETIF_RSP_ERROR);
		pkt_free(p);
		return NULL;
	}
	if (!take_offload(c, p)) {
		*why = NET_DROP_VIF_BAD_OFFLOAD;
		release_frags(vif, p);
		answer_now(vif, c, NETIF_RSP_ERROR);
		pkt_free(p);
		return NULL;
	}
	if (p->nr_frags)
		promise_answer(vif, c, p);
	else
		answer_now(vif, c, NETIF_RSP_OKAY);
	return p;
}

int netif_tx_read(struct netif *vif, struct vfr_pkt *out[VFR_BATCH], bool *more, const char **why)
{
	struct net_counters *count = &vif->count[VFR_OUT];
	uint32_t prod, old;
	struct chain c;
	int n = 0;

	*more = false;
	*why = NULL;
	env_lock(&vif->tx_lock);
	if (vif->state != NETIF_CONNECTED) {
		env_unlock(&vif->tx_lock);
		return 0;
	}
	old = vif->tx.rsp_prod;
	prod = ring(vif)->req_prod;
	io_rmb(); /* the index before the requests it shows */
	if (prod - vif->tx.req_cons > NETIF_RING || prod - vif->tx.rsp_prod > NETIF_RING)
		*why = "the transmit ring's request index is out of range";
	/* A chain that is refused counts too, so the work is bounded. */
	for (unsigned int i = 0; !*why && i < VFR_BATCH && prod != vif->tx.req_cons; i++) {
		enum net_drop drop;
		struct pkt *p;

		*why = read_chain(vif, prod - vif->tx.req_cons, &c);
		if (*why)
			break;
		p = make_packet(vif, &c, &drop);
		if (!p) {
			net_drop(count, drop);
			continue;
		}
		count->packets++;
		count->bytes += p->v.len;
		out[n++] = &p->v;
	}
	*more = !*why && prod != vif->tx.req_cons;
	publish(vif, old);
	env_unlock(&vif->tx_lock);
	return n;
}

bool netif_tx_pending(struct netif *vif)
{
	bool pending;

	env_lock(&vif->tx_lock);
	pending = vif->state == NETIF_CONNECTED && !vif->stopped && ring(vif)->req_prod != vif->tx.req_cons;
	env_unlock(&vif->tx_lock);
	return pending;
}

bool netif_tx_rearm(struct netif *vif)
{
	bool found = false;

	env_lock(&vif->tx_lock);
	if (vif->state == NETIF_CONNECTED) {
		ring(vif)->req_event = vif->tx.req_cons + 1;
		io_mb(); /* the wish before the look: the guest publishes, then reads the wish */
		found = ring(vif)->req_prod != vif->tx.req_cons;
	}
	env_unlock(&vif->tx_lock);
	return found;
}

void netif_tx_done(struct pkt *p)
{
	struct netif *vif = p->vif;
	uint32_t old;

	release_frags(vif, p);
	env_lock(&vif->tx_lock);
	if (vif->state == NETIF_CONNECTED && p->connection == vif->connection) {
		old = vif->tx.rsp_prod;
		for (unsigned int i = 0; i < p->nr_ids; i++)
			respond(vif, p->ids[i], NETIF_RSP_OKAY);
		for (unsigned int i = 0; i < p->nr_extras; i++)
			respond(vif, 0, NETIF_RSP_NULL);
		publish(vif, old);
	}
	env_unlock(&vif->tx_lock);
	p->vif = NULL;
	vif->in_flight--; /* last: from here the vif may go */
}
