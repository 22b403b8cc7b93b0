/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classifier: which is the first of many rules that has this packet?
 *
 * Overview: a rule is a box in 5 (IPv4) or 11 (IPv6) dimensions. Boxes are parted into up to six groups by how wide they are in
 * source and in destination, because a wide box cut together with narrow ones would be copied into every piece. What the boxes
 * of a group are narrow in selects a slot of the group; a slot holds nothing, a leaf, or, where many boxes agree so far, a tree
 * that is cut through all dimensions (classcut.c).
 *
 * Nothing on the way can be guessed: which slots hold something, how high a tree is, how many boxes a leaf has, which of them has
 * the packet. So nothing on the way is a branch. Many questions are answered at once, in three loops that are long and simple: the
 * slots of all questions; a step for all that is in a tree, until nothing is; a comparison for all that is in a leaf, likewise.
 * What goes on is written behind what does already, always, and then counted, or not.
 *
 * Life-cycle: built once, never changed, freed whole. It has no lock because nothing in it moves.
 */
#include <vfr/classtree.h>

#define AT_ONCE		32u

/* Where a question stands in one of its groups: the reference, and the question's number above it. */
typedef uint64_t place_t;
#define NEXT_PLACE	1ull
#define QUERY(p)	((p) >> 32)

/* Each list has room for one more, which is written and not counted. */
struct work {
	place_t inner[AT_ONCE * GROUPS + 1], leaf[AT_ONCE * GROUPS + 1];
	uint32_t inners, leaves;
	uint64_t key4[AT_ONCE][2];	/* IPv4: as boxes are compared */
};

/* Sorts a place into the list that it is for; the two lengths stay in registers. */
static inline void go_on(struct work *k, place_t p, uint32_t *inners, uint32_t *leaves)
{
	k->inner[*inners] = p;
	*inners += (uint32_t)p >> 31;
	k->leaf[*leaves] = p;
	*leaves += (uint32_t)p >> 30 & 1;
}

static void start(struct work *k, struct class_query *q, uint32_t n)
{
	uint32_t inners = 0, leaves = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct classifier *cl = q[i].cl;
		const uint32_t *w = q[i].key.w;
		uint64_t lead = class_lead(w, cl->dims);

		q[i].best = UINT32_MAX;
		k->key4[i][0] = box4_word(w, 0) | BOX4_IN;
		k->key4[i][1] = box4_word(w, 1) | BOX4_IN;
		for (const struct group *g = cl->group; g < cl->group + cl->groups; g++) {
			place_t p = cl->slot[class_slot(g, lead)] | (place_t)i << 32;

			go_on(k, p, &inners, &leaves);
		}
	}
	k->inners = inners;
	k->leaves = leaves;
}

/* One step down for each that is in a tree. */
static void descend(struct work *k, const struct class_query *q)
{
	uint32_t n = k->inners, inners = 0, leaves = k->leaves;

	for (uint32_t i = 0; i < n; i++) {
		place_t p = k->inner[i];
		const struct class_query *of = &q[QUERY(p)];
		const struct node *nd = &of->cl->node[p & REF_NR];
		uint32_t piece = (of->key.w[nd->dim] >> nd->shift) & nd->mask;

		p = of->cl->child[nd->child + piece] | QUERY(p) << 32;
		go_on(k, p, &inners, &leaves);
	}
	k->inners = inners;
	k->leaves = leaves;
}

static inline bool in_box4(const struct box4 *b, const uint64_t *key)
{
	uint64_t in = (key[0] - b->lo[0]) & (b->hi[0] - key[0]) & (key[1] - b->lo[1]) & (b->hi[1] - key[1]);

	return (in & BOX4_IN) == BOX4_IN;
}

static bool in_box6(const struct class_box *b, const uint32_t *w)
{
	unsigned int d = 0;

	while (d < CLASS_DIMS && w[d] >= b->lo[d] && w[d] <= b->hi[d])
		d++;
	return d == CLASS_DIMS;
}

/* One box for each that is in a leaf; on with the next one, unless it is the last or cannot be better. */
static void compare(struct work *k, struct class_query *q)
{
	uint32_t n = k->leaves, leaves = 0;

	for (uint32_t i = 0; i < n; i++) {
		place_t p = k->leaf[i];
		struct class_query *of = &q[QUERY(p)];
		uint32_t index, stop;
		bool in;

		if (of->cl->box4) {
			const struct box4 *b = &of->cl->box4[p & REF_NR];

			in = in_box4(b, k->key4[QUERY(p)]);
			index = b->index;
			stop = b->stop;
		} else {
			uint32_t ref = of->cl->refs[p & REF_NR];
			const struct class_box *b = &of->cl->box[ref & ~LAST_BOX];

			in = in_box6(b, of->key.w);
			index = b->index;
			stop = ref & LAST_BOX ? UINT32_MAX : index;
		}
		uint32_t got = index | -(uint32_t)(!in | (index < of->from));
		uint32_t best = got < of->best ? got : of->best;

		of->best = best;
		k->leaf[leaves] = p + NEXT_PLACE;
		leaves += stop < best;
	}
	k->leaves = leaves;
}

void vfr_classify_batch(struct class_query *q, uint32_t n)
{
	struct work k;

	for (; n; q += AT_ONCE) {
		uint32_t some = n < AT_ONCE ? n : AT_ONCE;

		start(&k, q, some);
		while (k.inners)
			descend(&k, q);
		while (k.leaves)
			compare(&k, q);
		n -= some;
	}
}

unsigned int vfr_classifier_dims(const struct classifier *cl)
{
	return cl->dims;
}

uint32_t vfr_classify(const struct classifier *cl, const struct class_key *key, uint32_t from)
{
	struct class_query q = { .key = *key, .from = from, .cl = cl };

	vfr_classify_batch(&q, 1);
	return q.best;
}
