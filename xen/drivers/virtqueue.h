/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue (virtio 1.1, 2.6), driver side.
 *
 * Synchronization: the owner of a queue serialises all calls on it.
 */
#ifndef DRIVERS_VIRTQUEUE_H
#define DRIVERS_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <hv/mm.h>

struct vq_seg {
	paddr_t pa;
	uint32_t len;
};

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct vring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* then used_event */
};

struct vring_used_elem {
	uint32_t id;
	uint32_t len;
};

struct vring_used {
	uint16_t flags;
	uint16_t idx;
	struct vring_used_elem ring[]; /* then avail_event */
};

_Static_assert(sizeof(struct vring_desc) == 16, "virtio 1.1, 2.6.5");
_Static_assert(sizeof(struct vring_used_elem) == 8, "virtio 1.1, 2.6.8");

struct virtqueue {
	struct vring_desc *desc;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	volatile uint16_t *used_event;  /* ours to write: interrupt when used passes it */
	volatile uint16_t *avail_event; /* the device's: notify when avail passes it */
	volatile uint16_t *doorbell;
	void **token;                   /* by head descriptor; NULL: not in flight */
	uint16_t *chain_len;            /* by head descriptor */
	uint16_t size, index;
	uint16_t free_head, free;
	uint16_t avail_idx;             /* ours, published by virtqueue_kick() */
	uint16_t kicked_idx;            /* avail_idx at the last kick */
	uint16_t used_idx;              /* ours: next used entry to look at */
	bool event_idx;
	const char *broken;             /* the device wrote nonsense: why; nothing is taken from it any more */
};

/* Memory for `size` descriptors (a power of two, at most 1024). 0 or -ENOMEM. */
int virtqueue_alloc(struct virtqueue *vq, uint16_t index, uint16_t size, bool event_idx);

/* => queues a chain: `out` segments that the device reads, then `in` that it writes. Not NULL `token` comes back from
 *    virtqueue_pop(). -ENOSPC: not enough descriptors; -EIO: broken. The device sees it at the next virtqueue_kick(). */
int virtqueue_add(struct virtqueue *vq, const struct vq_seg *segs, unsigned int out, unsigned int in, void *token);
/* => show the device all chains that were added, and ring its doorbell if it wants that; true when it was rung. */
bool virtqueue_kick(struct virtqueue *vq);
/* => the token of the next chain that the device is done with and the bytes it wrote, or NULL. */
void *virtqueue_pop(struct virtqueue *vq, uint32_t *written);
/* => no interrupt is wanted for now. With EVENT_IDX that is a promise of silence for most of 65536 chains. */
void virtqueue_irq_off(struct virtqueue *vq);
/* => interrupt once `more` chains after those popped are used; true when as many are used already (look again). */
bool virtqueue_irq_on(struct virtqueue *vq, uint16_t more);

static inline bool virtqueue_more(const struct virtqueue *vq)
{
	return vq->used->idx != vq->used_idx && !vq->broken;
}

/* Chains that the device holds. */
static inline uint16_t virtqueue_in_flight(const struct virtqueue *vq)
{
	return (uint16_t)(vq->avail_idx - vq->used_idx);
}

#endif
