/* SPDX-License-Identifier: BSD-2-Clause */
/* What a classifier is made of: written by classbuild.c, read by classify.c. */
#ifndef VFR_CLASSTREE_H
#define VFR_CLASSTREE_H

#include <vfr/classify.h>

#define GROUPS		6u
/* A reference: to a node, to the first box of a leaf, or to nothing. */
#define NODE_REF	0x80000000u
#define LEAF_REF	0x40000000u
#define NO_REF		0u
#define REF_NR		(LEAF_REF - 1)

#define LAST_BOX	0x80000000u	/* in refs[]: the last of its leaf */

/*
 * A box of IPv4 as a leaf compares it: its bounds packed into two words of three fields, with two bits above each field. The lower
 * one of them is 1 in a key, the upper one in an upper bound. So key - lo and hi - key leave the lower one 1 in just the fields that
 * are within the bound, and no field needs a branch.
 *
 *	bits	0..31		34..49		52..59
 *	word 0	source		source port	-
 *	word 1	destination	dest. port	protocol
 */
struct box4 {
	uint64_t lo[2], hi[2];
	uint32_t index;
	uint32_t stop;		/* the rest of the leaf is pointless with this or a lower index found; UINT32_MAX: no rest */
};
#define BOX4_IN		(1ull << 32 | 1ull << 50 | 1ull << 60)

struct node {
	uint32_t child;		/* first of its children in child[] */
	uint8_t dim, shift, mask;
};

/*
 * Boxes that agree with a key in the same leading bits of the addresses, in as many slots as there may be values. Two values that
 * fall into one slot share its tree, which is right all the same, since every leaf compares in full.
 */
struct group {
	uint64_t mask;			/* of class_lead() */
	uint32_t first;			/* slot 0 in slot[] */
	uint32_t best;			/* the lowest index of its boxes */
	uint8_t shift;			/* 64 - log2 of the number of slots */
};

struct classifier {
	unsigned int dims, groups;
	struct group group[GROUPS];
	uint32_t *slot;		/* references */
	struct node *node;
	uint32_t *child;	/* references */
	struct box4 *box4;	/* dims 5: leaves, one after the other */
	uint32_t *refs;		/* dims 11: leaves, as numbers of boxes */
	struct class_box *box;
	uint32_t slots, nodes, children, leaves, boxes;
};

/* => the first 32 bits of both addresses. */
static inline uint64_t class_lead(const uint32_t *w, unsigned int dims)
{
	return w[0] | (uint64_t)w[dims == 5 ? 1 : 4] << 32;
}

/* => the slot for a pair of addresses. */
static inline uint32_t class_slot(const struct group *g, uint64_t lead)
{
	return g->first + (uint32_t)((lead & g->mask) * 0x9e3779b97f4a7c15ull >> g->shift);
}

/* => word `i` of a key or a bound, its fields alone. */
static inline uint64_t box4_word(const uint32_t *w, unsigned int i)
{
	return w[i] | (uint64_t)(uint16_t)w[2 + i] << 34 | (i ? (uint64_t)(uint8_t)w[4] << 52 : 0);
}

#endif
