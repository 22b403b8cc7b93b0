/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's physical memory: the nested page table is the map itself (AMD manual volume 2, 15.25).
 *
 * RAM is given in 2 MiB pieces where it can be, which are cleared at the first touch (by the guest, a backend or the
 * builder): a domain starts in the time its own pages need. A piece is split into 4 KiB entries when one of them changes.
 */
#ifndef HV_P2M_H
#define HV_P2M_H

#include <stdbool.h>
#include <stdint.h>

#include <env.h>

#include <hv/mm.h>

struct domain;

#define P2M_PIECES_MAX 18

/* Bytes that RAM holds at first sight, in place of zeros. */
struct p2m_piece {
	uint64_t start, size; /* guest physical */
	const void *bytes;    /* valid as long as the domain */
};

#define P2M_REMOVE_MAX (1u << SUPER_ORDER)
#define P2M_HINTS 64 /* a power of two: this many 2 MiB are found without a walk */

struct p2m {
	struct env_lock lock;
	struct p2m_piece piece[P2M_PIECES_MAX]; /* by address, set before the first populate */
	unsigned nr_pieces;
	uint64_t *root;          /* level 4 table */
	paddr_t root_pa;
	_Atomic uint64_t flush_gen; /* raised by each removal; a vcpu flushes at entry when it is behind */
	uint64_t table_pages, table_max; /* a guest that scatters its frames gets no more tables than this */
	uint64_t changes;        /* raised by each removal, under the lock: what was found before may be gone */
	struct {
		uint64_t super;      /* gfn / 512 plus one; 0: empty */
		uint64_t *entry;
	} hint[P2M_HINTS];       /* where entries of 2 MiB stand: tables stay until the map goes */
};

enum p2m_type { P2M_NONE, P2M_RAM, P2M_FOREIGN_RW, P2M_FOREIGN_RO, P2M_SPECIAL };

int p2m_init(struct p2m *p2m);
/* Free the tables. => every entry has been removed. */
void p2m_destroy(struct p2m *p2m);

/*
 * Populate [gfn, gfn + count) with fresh RAM of the domain (zero at first sight, but for the pieces while it is BUILDING).
 * -ENOMEM: what was populated stays.
 * Entries that are already there are left alone (-EEXIST if any).
 */
int p2m_populate(struct domain *d, uint64_t gfn, uint64_t count);
/* Map one frame: a reference to the frame is taken for the entry. -EBUSY: there is something; -ENOMEM. */
int p2m_map_frame(struct domain *d, uint64_t gfn, mfn_t mfn, enum p2m_type type);
/* Remove one entry, drop its frame reference after every CPU has forgotten it. -ENOENT. */
int p2m_remove(struct domain *d, uint64_t gfn);
/*
 * Remove RAM from gfn on, up to the first entry that is none, with one flush for all. => how many frames went, at most
 * P2M_REMOVE_MAX.
 */
uint64_t p2m_remove_ram(struct domain *d, uint64_t gfn, uint64_t count);
/* What is there: type, and the frame, whose contents may not be the domain's yet. No reference is taken. */
enum p2m_type p2m_lookup(struct domain *d, uint64_t gfn, mfn_t *mfn);
/* RAM (cleared first if it was not yet) or a foreign frame, with a reference on it; put_page() returns it. NULL: nothing there. */
void *p2m_get_page(struct domain *d, uint64_t gfn, bool write);
/* As p2m_get_page() without a reference, for a copy under p2m.lock, which the caller holds. */
void *p2m_peek(struct domain *d, uint64_t gfn, bool write);
/* The same for RAM of the domain's own only: what it may lend to others. */
void *p2m_peek_ram(struct domain *d, uint64_t gfn);
/* Give RAM its first contents. Interrupts are taken meanwhile, so that it is no long wait where it would be one later. */
void p2m_fill(struct domain *d, uint64_t gfn);
/* Nested page fault: true if the access can be retried. Interrupts are taken meanwhile. => no lock is held. */
bool p2m_fault(struct domain *d, uint64_t gfn, bool write);
/* Remove up to `max` entries from *cursor on, for teardown; true when nothing is left. */
bool p2m_teardown(struct domain *d, uint64_t *cursor, unsigned max);

/* Frame references: a frame is freed when the last one goes. Frames of guests only (mm.h frames start with one). */
void frame_get(mfn_t mfn);
void frame_put(mfn_t mfn);

#endif
