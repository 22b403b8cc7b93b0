/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet in the hypervisor: the router's struct vfr_pkt, and where the bytes are.
 *
 * A packet is one pool object of a page: this struct, then room for bytes. A frame from the wire is received into such
 * objects (cont chains those of a long frame), so a short packet costs one page of TLB and no allocation of its own. A
 * frame from a guest has its head (or all of it, if short) copied into the room; the rest stays in the guest's granted
 * pages, which are borrowed until the packet is freed.
 *
 * Ownership: whoever holds the pointer; pkt_free() is the only place where packets end.
 */
#ifndef NET_PKT_H
#define NET_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/grant.h>
#include <hv/mm.h>
#include <drivers/nic.h>
#include <sched/net/netsched.h>
#include <vfr/vfr.h>

struct netif;

#define PKT_SIZE     PAGE_SIZE
#define PKT_ROOM     512                              /* offset of the room in the object */
#define PKT_DMA      (PKT_ROOM + 16 - NIC_HEADROOM)   /* where the card writes: the frame itself starts on 16 bytes */
#define PKT_DATA     (PKT_ROOM + 16)
#define PKT_DATA_MAX (PKT_SIZE - PKT_DATA)
#define PKT_DMA_MAX  (PKT_SIZE - PKT_DMA)

#define PKT_SLOTS 18                                  /* XEN_NETIF_NR_SLOTS_MIN: what a guest's packet may have */
#define PKT_SEGS  24                                  /* pieces of memory of any packet, at most */
#define PKT_LEN_MAX 65550u                            /* an IP datagram of 65535 bytes, and Ethernet */

struct pkt_frag {
	struct grant_use use;
	uint16_t off, len;
};

struct pkt {
	struct vfr_pkt v;          /* first: the router's pointer is ours */
	struct netsched_item item; /* in the uplink's scheduler */
	struct pkt *next;          /* in the queue of the owner */
	struct pkt *cont;          /* further objects of a frame from the wire */
	struct netif *vif;         /* guest's packet with unanswered slots: to whom the answer goes; counted there */
	uint32_t connection;       /* which of its connections the slots are of */
	uint32_t room_len;         /* bytes in the room of this object */
	uint16_t bufs;             /* pool objects in use, this one included */
	uint8_t nr_frags;          /* guest's packet: pieces in granted pages */
	uint8_t nr_ids, nr_extras; /* slots to answer */
	uint16_t ids[PKT_SLOTS];
};

/* A packet with frags has at most PKT_HEAD bytes in its room; the array stands behind them. */
#define PKT_HEAD      VFR_HEAD_MIN
#define PKT_FRAGS_AT  (PKT_DATA + PKT_HEAD)

_Static_assert(sizeof(struct pkt) <= PKT_ROOM, "the room starts behind the struct");
_Static_assert(PKT_FRAGS_AT % 8 == 0 && PKT_FRAGS_AT + PKT_SLOTS * sizeof(struct pkt_frag) <= PKT_SIZE, "frags fit behind the head");
_Static_assert(PKT_LEN_MAX / PKT_DMA_MAX + 2 <= PKT_SEGS && PKT_SLOTS + 1 <= PKT_SEGS, "enough pieces for the longest frame");

static inline struct pkt *pkt_of(struct vfr_pkt *v)
{
	return (struct pkt *)v;
}

static inline uint8_t *pkt_data(struct pkt *p)
{
	return (uint8_t *)p + PKT_DATA;
}

static inline struct pkt_frag *pkt_frags(struct pkt *p)
{
	return (struct pkt_frag *)((uint8_t *)p + PKT_FRAGS_AT);
}

struct pktq {
	struct pkt *head, **tail;
	uint32_t n;
};

static inline void pktq_init(struct pktq *q)
{
	*q = (struct pktq){ .tail = &q->head };
}

static inline void pktq_push(struct pktq *q, struct pkt *p)
{
	p->next = NULL;
	*q->tail = p;
	q->tail = &p->next;
	q->n++;
}

static inline struct pkt *pktq_pop(struct pktq *q)
{
	struct pkt *p = q->head;

	if (!p)
		return NULL;
	q->head = p->next;
	if (!q->head)
		q->tail = &q->head;
	q->n--;
	return p;
}

/* --- the pool (pktpool.c) --- */

/* => `cpus` local pools, at most `max` objects in all. */
void pktpool_init(uint32_t max);
/* => an object with nothing set but what pkt_reset() sets, or NULL. */
struct pkt *pkt_alloc(void);
/* => give the objects of a packet back, and answer the guest that waits for it. */
void pkt_free(struct pkt *p);
void pktq_free(struct pktq *q);
/* => objects in use or in local pools, and how many there may be. */
void pktpool_usage(uint32_t *out, uint32_t *max);
/* => how much of the pool is in use: of a tight one, queues that wait for guests take little; of a short one nothing, so that the
 *    cards have buffers. Memory that cannot be had is not counted on. */
enum pktpool_level { PKTPOOL_PLENTY, PKTPOOL_TIGHT, PKTPOOL_SHORT };
enum pktpool_level pktpool_level(void);

/* => the fields that the router reads, for a frame of `len` bytes of which `linear` are in the room. */
static inline void pkt_frame(struct pkt *p, uint32_t linear, uint32_t len)
{
	p->v.head = pkt_data(p);
	p->v.head_len = (uint16_t)linear;
	p->v.len = len;
	p->v.gso = VFR_GSO_NONE;
	p->v.gso_size = 0;
	p->v.csum = VFR_CSUM_FULL;
	p->room_len = linear;
}

/* --- the bytes (pkt.c) --- */

struct pkt_piece {
	uint8_t *va;
	paddr_t pa;
	uint32_t len;
};
/* => the pieces of memory in order; their number. */
unsigned int pkt_pieces(struct pkt *p, struct pkt_piece out[PKT_SEGS]);

/* => a guest's packet into memory of our own, its slots answered. False: without memory for that it is cut off, and is dropped. */
bool pkt_detach(struct pkt *p);

/* A place in a packet, for reading it from front to end. */
struct pkt_cursor {
	struct pkt_piece piece[PKT_SEGS];
	unsigned int n, at;
	uint32_t off;
};
void pkt_cursor_init(struct pkt_cursor *c, struct pkt *p);
/* => copies the next n bytes; the caller knows that they are there. */
void pkt_cursor_copy(struct pkt_cursor *c, void *dst, uint32_t n);

/* --- offload in software (offload.c) --- */

/* => a guest asked for a checksum (and segmentation): find where, set csum_start and csum_offset. False: it does not fit. */
bool pkt_offload_locate(struct pkt *p);
/* => bytes of all headers of a TCP packet that the router has parsed. */
uint32_t pkt_headers_len(const struct pkt *p);
/* => compute a partial checksum, for a receiver that cannot. */
void pkt_csum_finish(struct pkt *p);
/* => cut a TCP segment that is too long for its receiver into packets of gso_size, with full checksums; p is freed.
 *    False: without memory for all of them the rest is lost. */
bool pkt_segment(struct pkt *p, struct pktq *out);

#endif
