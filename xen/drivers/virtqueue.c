/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue. The free descriptors are a list through desc[].next; our own copies of the indices are the truth,
 * what the device wrote is checked before it is used: a broken device stops its queue, never the machine.
 */
#include <errno.h>

#include <env.h>
#include <hv/io.h>
#include <hv/log.h>
#include <drivers/virtqueue.h>

#define DESC_NEXT  1
#define DESC_WRITE 2

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

#define RING_ALIGN(n) (((n) + 63u) & ~63u)

static unsigned int order_of(size_t bytes)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

int virtqueue_alloc(struct virtqueue *vq, uint16_t index, uint16_t size, bool event_idx)
{
	size_t avail_at = RING_ALIGN(sizeof(struct vring_desc) * size);
	size_t used_at = RING_ALIGN(avail_at + sizeof(struct vring_avail) + 2 * size + 2);
	size_t bytes = used_at + sizeof(struct vring_used) + sizeof(struct vring_used_elem) * size + 2;
	uint8_t *mem = page_alloc(order_of(bytes));
	void **token = env_alloc(sizeof(*token) * size);
	uint16_t *chain_len = env_alloc(sizeof(*chain_len) * size);

	if (!mem || !token || !chain_len) {
		if (mem)
			page_free(mem, order_of(bytes));
		env_free(token, sizeof(*token) * size);
		env_free(chain_len, sizeof(*chain_len) * size);
		return -ENOMEM;
	}
	*vq = (struct virtqueue){
		.desc = (struct vring_desc *)mem,
		.avail = (struct vring_avail *)(mem + avail_at),
		.used = (struct vring_used *)(mem + used_at),
		.token = token,
		.chain_len = chain_len,
		.size = size,
		.index = index,
		.free = size,
		.event_idx = event_idx,
	};
	vq->used_event = &vq->avail->ring[size];
	vq->avail_event = (volatile uint16_t *)&vq->used->ring[size];
	for (unsigned int i = 0; i < size; i++)
		vq->desc[i].next = (uint16_t)(i + 1);
	virtqueue_irq_off(vq);
	return 0;
}

int virtqueue_add(struct virtqueue *vq, const struct vq_seg *segs, unsigned int out, unsigned int in, void *token)
{
	unsigned int n = out + in;
	uint16_t head = vq->free_head, d = head, last = head;

	if (vq->broken)
		return -EIO;
	if (n > vq->free)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_desc *desc = &vq->desc[d];

		desc->addr = segs[i].pa;
		desc->len = segs[i].len;
		desc->flags = (uint16_t)(DESC_NEXT | (i < out ? 0 : DESC_WRITE));
		last = d;
		d = desc->next;
	}
	vq->desc[last].flags &= (uint16_t)~DESC_NEXT;
	vq->free_head = d;
	vq->free = (uint16_t)(vq->free - n);
	vq->token[head] = token;
	vq->chain_len[head] = (uint16_t)n;
	vq->avail->ring[vq->avail_idx & (vq->size - 1)] = head;
	vq->avail_idx++;
	return 0;
}

bool virtqueue_kick(struct virtqueue *vq)
{
	uint16_t old = vq->kicked_idx, new = vq->avail_idx;
	bool wanted;

	if (old == new)
		return false;
	io_wmb(); /* descriptors and ring entries before the index that shows them */
	vq->avail->idx = new;
	vq->kicked_idx = new;
	io_mb(); /* the index before the look at what the device wants: it does the same in the other order */
	if (vq->event_idx)
		wanted = (uint16_t)(new - *vq->avail_event - 1) < (uint16_t)(new - old);
	else
		wanted = !(vq->used->flags & USED_NO_NOTIFY);
	if (wanted)
		mmio_write16(vq->doorbell, vq->index);
	return wanted;
}

static void *broken(struct virtqueue *vq, const char *why)
{
	vq->broken = why;
	log_error("virtqueue %u: %s: not used any more", vq->index, why);
	return NULL;
}

void *virtqueue_pop(struct virtqueue *vq, uint32_t *written)
{
	const volatile struct vring_used_elem *e;
	uint16_t tail;
	uint32_t id;
	void *token;

	if (!virtqueue_more(vq))
		return NULL;
	io_rmb(); /* the index before the entry it shows */
	e = &vq->used->ring[vq->used_idx & (vq->size - 1)];
	id = e->id;
	*written = e->len;
	if (id >= vq->size)
		return broken(vq, "the device returned a descriptor that does not exist");
	token = vq->token[id];
	if (!token)
		return broken(vq, "the device returned a descriptor that it does not hold");
	vq->token[id] = NULL;
	tail = (uint16_t)id;
	for (unsigned int i = 1; i < vq->chain_len[id]; i++)
		tail = vq->desc[tail].next;
	vq->desc[tail].next = vq->free_head;
	vq->free_head = (uint16_t)id;
	vq->free = (uint16_t)(vq->free + vq->chain_len[id]);
	vq->used_idx++;
	return token;
}

void virtqueue_irq_off(struct virtqueue *vq)
{
	if (vq->event_idx)
		*vq->used_event = (uint16_t)(vq->used_idx - 1);
	else
		vq->avail->flags = AVAIL_NO_INTERRUPT;
}

bool virtqueue_irq_on(struct virtqueue *vq, uint16_t more)
{
	if (vq->event_idx)
		*vq->used_event = (uint16_t)(vq->used_idx + more - 1);
	else
		vq->avail->flags = 0;
	io_mb(); /* the wish before the look: the device writes its index, then reads the wish */
	return (uint16_t)(vq->used->idx - vq->used_idx) >= more && !vq->broken;
}
