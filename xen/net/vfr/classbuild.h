/* SPDX-License-Identifier: BSD-2-Clause */
/* What builds a classifier: classbuild.c its groups and slots, classcut.c the trees in them. */
#ifndef VFR_CLASSBUILD_H
#define VFR_CLASSBUILD_H

#include <vfr/classtree.h>

#define LEAF_MAX	3u	/* boxes of a leaf that is not worth cutting */

/* What building needs besides. */
struct builder {
	struct classifier *cl;	/* its leaves are in refs[] */
	const struct class_box *box;
	uint32_t n;		/* boxes */
	uint32_t *stack;	/* lists of box numbers, one behind the other */
	uint32_t *next;		/* of the boxes in one slot */
	uint32_t top, size;
};

/* A box list in the builder's stack and the region that it is looked at in. */
struct area {
	uint32_t from, n, budget;
	uint32_t lo[CLASS_DIMS], hi[CLASS_DIMS];
	unsigned int depth;
};

/* => the reference to a tree of the area's boxes, which are the last on the stack. */
uint32_t vfr_class_tree(struct builder *bd, struct area *a);

#endif
