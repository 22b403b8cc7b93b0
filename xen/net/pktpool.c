/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of packet objects: a short list a CPU, which needs no lock, and one common list. Pages come from the machine's
 * memory as they are first needed and stay in the pool.
 */
#include <env.h>
#include <hv/cpu.h>
#include <hv/mm.h>
#include <netif.h>
#include <pkt.h>

#define LOCAL_MAX 256 /* then half of them go to the common list */
#define BATCH     (LOCAL_MAX / 2)

struct local_pool {
	struct pkt *free;
	uint32_t n;
} __attribute__((aligned(ENV_CACHE_LINE)));

static struct local_pool local[MAX_CPUS]; /* by its CPU only: no interrupt handler allocates */

static struct env_lock common_lock;       /* nothing is locked under it */
static struct pkt *common;                /* by common_lock */
static uint32_t common_n;                 /* by common_lock */
static _Atomic uint32_t made;
static uint32_t made_max;
static _Atomic bool dry;                  /* there was no memory for one more */

void pktpool_init(uint32_t max)
{
	made_max = max;
}

static void take_common(struct local_pool *l)
{
	env_lock(&common_lock);
	while (common && l->n < BATCH) {
		struct pkt *p = common;

		common = p->next;
		common_n--;
		p->next = l->free;
		l->free = p;
		l->n++;
	}
	env_unlock(&common_lock);
}

static void give_common(struct local_pool *l)
{
	env_lock(&common_lock);
	while (l->n > BATCH) {
		struct pkt *p = l->free;

		l->free = p->next;
		l->n--;
		p->next = common;
		common = p;
		common_n++;
	}
	env_unlock(&common_lock);
}

static struct pkt *make(void)
{
	struct pkt *p;

	if (atomic_fetch_add(&made, 1) >= made_max) {
		atomic_fetch_sub(&made, 1);
		return NULL;
	}
	p = page_alloc_raw(0);
	dry = !p;
	if (!p)
		atomic_fetch_sub(&made, 1);
	return p;
}

struct pkt *pkt_alloc(void)
{
	struct local_pool *l = &local[this_cpu()->id];
	struct pkt *p;

	if (!l->free)
		take_common(l);
	p = l->free;
	if (p) {
		l->free = p->next;
		l->n--;
	} else {
		p = make();
		if (!p)
			return NULL;
	}
	p->cont = NULL;
	p->vif = NULL;
	p->bufs = 1;
	p->nr_frags = 0;
	p->nr_ids = 0;
	p->nr_extras = 0;
	p->v.priv = NULL;
	return p;
}

void pkt_free(struct pkt *p)
{
	struct local_pool *l = &local[this_cpu()->id];

	if (p->vif)
		netif_tx_done(p);
	while (p) {
		struct pkt *cont = p->cont;

		p->next = l->free;
		l->free = p;
		l->n++;
		p = cont;
	}
	if (l->n > LOCAL_MAX)
		give_common(l);
}

void pktq_free(struct pktq *q)
{
	struct pkt *p;

	while ((p = pktq_pop(q)))
		pkt_free(p);
}

void pktpool_usage(uint32_t *out, uint32_t *max)
{
	*out = made - common_n;
	*max = made_max;
}

enum pktpool_level pktpool_level(void)
{
	struct local_pool *l = &local[this_cpu()->id];
	struct pkt *p = dry ? make() : NULL; /* is it still so? */
	uint32_t used, max;

	if (p) {
		p->next = l->free;
		l->free = p;
		l->n++;
	}
	used = made - common_n - l->n;
	max = dry ? made : made_max;
	return used <= max / 2 ? PKTPOOL_PLENTY : used <= max - max / 8 ? PKTPOOL_TIGHT : PKTPOOL_SHORT;
}
