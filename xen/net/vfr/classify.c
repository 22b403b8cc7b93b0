/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classifier: which is the first of many rules that has this packet?
 *
 * Overview: a rule is a box in 5 (IPv4) or 11 (IPv6) dimensions. Boxes are parted into up to five groups by how wide they are
 * in source and in destination, because a wide box cut together with narrow ones would be copied into every piece. Each
 * group becomes a tree: a node looks at up to CUT_BITS bits of one dimension, a leaf lists the few boxes left, in order. The
 * region that a node cuts is shrunk to what its boxes share, so bits in which they agree cost nothing; a key outside that
 * region ends in some leaf, whose boxes then refuse it, since every leaf compares in full.
 *
 * A lookup walks down all trees, then looks into their leaves in order of the best rule each could give, and stops when no better
 * one is possible.
 *
 * Life-cycle: built once, never changed, freed whole. It has no lock because nothing in it moves.
 */
#include <string.h>

#include <env.h>
#include <vfr/classify.h>

#define LEAF_MAX	3u	/* boxes of a leaf that is not worth cutting */
#define CUT_BITS	6u
#define GROUPS		5u
#define DEPTH_MAX	24u
#define LEAF_REF	0x80000000u
#define NARROW		0xffffu		/* how far a box may span an address to be narrow there: a /16 */
#define HALF_WIDE	0xffffffu	/* or neither narrow nor wide: a /8 */

/* A box as a leaf compares it; IPv4: four words and a bit make 36 bytes. */
struct box4 {
	uint32_t src, src_span, dst, dst_span;
	uint16_t sport, sport_span, dport, dport_span;
	uint8_t proto, proto_span;
	uint16_t last;		/* the last of its leaf */
	uint32_t index;
};

struct node {
	uint32_t child;		/* first of its children in child[] */
	uint8_t dim, shift, mask;
};

struct tree {
	uint32_t root, best;	/* best: the lowest index in it */
};

struct classifier {
	unsigned int dims, trees;
	struct tree tree[GROUPS];
	struct node *node;
	uint32_t *child;
	struct box4 *box4;	/* dims 5: leaves, one after the other */
	uint32_t *refs;		/* else: box numbers + 1, each leaf ends with 0 */
	struct class_box *box;	/* dims 11 */
	uint32_t n, nodes, children, leaves;	/* in use */
	uint32_t max_nodes, max_children, max_leaves;
	bool full;
};

/* What building needs besides. */
struct builder {
	struct classifier *cl;
	const struct class_box *box;
	uint32_t *stack;	/* lists of box numbers, one behind the other */
	uint32_t top, size;
	uint32_t node_limit;	/* of the tree being built: wide boxes must not eat up the room of all */
};

/* A box list in the builder's stack and the region that it is looked at in. */
struct area {
	uint32_t from, n;
	uint32_t lo[CLASS_DIMS], hi[CLASS_DIMS];
	unsigned int depth;
};

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* --- leaves ----------------------------------------------------------------------------------------------------------- */

static void write_box4(struct box4 *to, const struct class_box *b, bool last)
{
	*to = (struct box4){
		.src = b->lo[0], .src_span = b->hi[0] - b->lo[0], .dst = b->lo[1], .dst_span = b->hi[1] - b->lo[1],
		.sport = (uint16_t)b->lo[2], .sport_span = (uint16_t)(b->hi[2] - b->lo[2]),
		.dport = (uint16_t)b->lo[3], .dport_span = (uint16_t)(b->hi[3] - b->lo[3]),
		.proto = (uint8_t)b->lo[4], .proto_span = (uint8_t)(b->hi[4] - b->lo[4]), .last = last, .index = b->index,
	};
}

static uint32_t make_leaf(struct builder *bd, const struct area *a)
{
	struct classifier *cl = bd->cl;
	uint32_t at = cl->leaves;

	/* An empty leaf is one box that nothing matches: it says so by its index. */
	if (at + a->n + 1 > cl->max_leaves) {
		cl->full = true;
		return LEAF_REF;
	}
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t nr = bd->stack[a->from + i];

		if (cl->dims == 5)
			write_box4(&cl->box4[at + i], &bd->box[nr], i + 1 == a->n);
		else
			cl->refs[at + i] = nr + 1;
	}
	if (cl->dims == 5 && !a->n)
		cl->box4[at] = (struct box4){ .last = 1, .index = UINT32_MAX };
	cl->leaves += cl->dims == 5 ? max32(a->n, 1) : a->n + 1;
	return LEAF_REF | at;
}

/* --- cutting ---------------------------------------------------------------------------------------------------------- */

struct cut {
	unsigned int dim, shift, bits;
	uint32_t base;		/* of the region that is cut */
	uint64_t cost;
};

/* => the smallest aligned block in dimension `d` that holds what the boxes cover of the area. */
static unsigned int shared_block(const struct builder *bd, const struct area *a, unsigned int d, uint32_t *base)
{
	uint32_t lo = UINT32_MAX, hi = 0;
	unsigned int bits = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		const struct class_box *b = &bd->box[bd->stack[a->from + i]];

		lo = min32(lo, max32(b->lo[d], a->lo[d]));
		hi = max32(hi, min32(b->hi[d], a->hi[d]));
	}
	while (bits < 32 && (lo >> bits) != (hi >> bits))
		bits++;
	*base = bits < 32 ? lo >> bits << bits : 0;
	return bits;
}

/* => what it costs to look here: boxes that a random piece still has, and copies made. */
static uint64_t cut_cost(const struct builder *bd, const struct area *a, const struct cut *cut)
{
	uint32_t count[(1u << CUT_BITS) + 1] = { 0 }, pieces = 1u << cut->bits, sum = 0;
	uint64_t squares = 0, total = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		const struct class_box *b = &bd->box[bd->stack[a->from + i]];
		uint32_t lo = max32(b->lo[cut->dim], a->lo[cut->dim]), hi = min32(b->hi[cut->dim], a->hi[cut->dim]);

		lo = (lo - cut->base) >> cut->shift;
		hi = (hi - cut->base) >> cut->shift;
		count[lo]++;
		count[hi + 1]--;
		total += hi - lo + 1;
	}
	for (uint32_t i = 0; i < pieces; i++) {
		sum += count[i];
		squares += (uint64_t)sum * sum;
	}
	/* Copies are paid for by memory: three for one is the most. */
	if (total > 3ull * a->n + pieces)
		return UINT64_MAX;
	return squares * 16 / pieces + total + pieces;
}

static bool choose_cut(const struct builder *bd, const struct area *a, struct cut *best)
{
	*best = (struct cut){ .cost = (uint64_t)a->n * a->n * 15 };
	for (unsigned int d = 0; d < bd->cl->dims; d++) {
		struct cut cut = { .dim = d };
		unsigned int width = shared_block(bd, a, d, &cut.base);

		for (unsigned int bits = 1; bits <= CUT_BITS && bits <= width; bits++) {
			if (bits != width && bits != CUT_BITS && bits != 4 && bits != 2)
				continue;
			cut.bits = bits;
			cut.shift = width - bits;
			cut.cost = cut_cost(bd, a, &cut);
			if (cut.cost < best->cost)
				*best = cut;
		}
	}
	return best->bits;
}

/* => the boxes of piece `i` on top of the stack. */
static bool take_piece(struct builder *bd, const struct area *a, const struct cut *cut, uint32_t i, struct area *piece)
{
	memcpy(piece, a, sizeof(*piece));
	piece->from = bd->top;
	piece->n = 0;
	piece->depth = a->depth + 1;
	piece->lo[cut->dim] = max32(a->lo[cut->dim], cut->base + (i << cut->shift));
	piece->hi[cut->dim] = min32(a->hi[cut->dim], cut->base + (i << cut->shift) + ((1u << cut->shift) - 1));
	for (uint32_t k = 0; k < a->n; k++) {
		uint32_t nr = bd->stack[a->from + k];
		const struct class_box *b = &bd->box[nr];

		if (b->lo[cut->dim] > piece->hi[cut->dim] || b->hi[cut->dim] < piece->lo[cut->dim])
			continue;
		if (bd->top == bd->size)
			return false;
		bd->stack[bd->top++] = nr;
		piece->n++;
	}
	return true;
}

static bool same_list(const struct builder *bd, const struct area *x, const struct area *y)
{
	return x->n == y->n && !memcmp(&bd->stack[x->from], &bd->stack[y->from], x->n * sizeof(uint32_t));
}

static uint32_t build(struct builder *bd, const struct area *a)
{
	struct classifier *cl = bd->cl;
	struct area piece, before = { .n = UINT32_MAX };
	uint32_t kept = bd->top, pieces;
	struct cut cut;

	if (a->n <= LEAF_MAX || a->depth == DEPTH_MAX || !choose_cut(bd, a, &cut))
		return make_leaf(bd, a);
	pieces = 1u << cut.bits;
	if (cl->nodes >= bd->node_limit || cl->children + pieces > cl->max_children)
		return make_leaf(bd, a);
	uint32_t nr = cl->nodes++, first = cl->children;
	cl->children += pieces;
	cl->node[nr] = (struct node){ .child = first, .dim = (uint8_t)cut.dim, .shift = (uint8_t)cut.shift,
		.mask = (uint8_t)(pieces - 1) };
	for (uint32_t i = 0; i < pieces && !cl->full; i++) {
		if (!take_piece(bd, a, &cut, i, &piece)) {
			cl->full = true;
			break;
		}
		/* Pieces side by side with the same small list share one leaf. */
		if (piece.n <= LEAF_MAX && before.n != UINT32_MAX && same_list(bd, &piece, &before)) {
			cl->child[first + i] = cl->child[first + i - 1];
			bd->top = piece.from;
			continue;
		}
		cl->child[first + i] = build(bd, &piece);
		if (piece.n <= LEAF_MAX) {
			/* its list must outlive the next piece */
			memmove(&bd->stack[kept], &bd->stack[piece.from], piece.n * sizeof(uint32_t));
			before = piece;
			before.from = kept;
			bd->top = kept + piece.n;
		} else {
			before.n = UINT32_MAX;
			bd->top = kept;
		}
	}
	bd->top = kept;
	return nr;
}

/* --- making ----------------------------------------------------------------------------------------------------------- */

/* => how wide a box is in the address at `at`: 0 narrow, 1, 2 wide. IPv6: by how many of the first two words are given. */
static unsigned int width(const struct class_box *b, unsigned int words, unsigned int at)
{
	uint32_t span = b->hi[at] - b->lo[at];

	if (words == 1)
		return (span > NARROW) + (span > HALF_WIDE);
	return (b->lo[at + 1] != b->hi[at + 1]) + (span > HALF_WIDE);
}

/* Boxes that can be told apart by the same address well belong together: narrow in both, in one; half wide in one; wide. */
static unsigned int group_of(const struct classifier *cl, const struct class_box *b)
{
	static const uint8_t group[3][3] = { { 0, 0, 0 }, { 1, 2, 2 }, { 1, 3, 4 } };
	unsigned int words = cl->dims == 5 ? 1 : 4;

	return group[width(b, words, 0)][width(b, words, words)];
}

static void add_tree(struct builder *bd, unsigned int group, uint32_t n)
{
	struct classifier *cl = bd->cl;
	struct area a = { .from = 0 };

	bd->top = 0;
	for (uint32_t i = 0; i < n; i++)
		if (group == GROUPS || group_of(cl, &bd->box[i]) == group)
			bd->stack[bd->top++] = i;
	if (!bd->top)
		return;
	a.n = bd->top;
	memset(a.hi, 0xff, sizeof(a.hi));
	bd->node_limit = min32(cl->nodes + a.n * 4 + 4, cl->max_nodes);
	struct tree t = { .best = bd->box[bd->stack[0]].index };
	t.root = build(bd, &a);
	unsigned int at = cl->trees++;
	while (at > 0 && cl->tree[at - 1].best > t.best) {
		cl->tree[at] = cl->tree[at - 1];
		at--;
	}
	cl->tree[at] = t;
}

static size_t leaf_size(const struct classifier *cl)
{
	return cl->dims == 5 ? sizeof(struct box4) : sizeof(uint32_t);
}

static void *leaf_memory(const struct classifier *cl)
{
	return cl->dims == 5 ? (void *)cl->box4 : (void *)cl->refs;
}

void vfr_classifier_free(struct classifier *cl)
{
	if (!cl)
		return;
	env_free(cl->node, cl->max_nodes * sizeof(*cl->node));
	env_free(cl->child, cl->max_children * sizeof(*cl->child));
	env_free(leaf_memory(cl), cl->max_leaves * leaf_size(cl));
	env_free(cl->box, cl->box ? cl->n * sizeof(*cl->box) : 0);
	env_free(cl, sizeof(*cl));
}

static bool allocate(struct classifier *cl, uint32_t n, uint32_t scale)
{
	cl->max_nodes = n * 4 + 16;
	cl->max_children = (n + 16) * scale * 2;
	cl->max_leaves = (n + 64) * scale * 2;
	cl->node = env_alloc(cl->max_nodes * sizeof(*cl->node));
	cl->child = env_alloc(cl->max_children * sizeof(*cl->child));
	void *leaf = env_alloc(cl->max_leaves * leaf_size(cl));
	if (cl->dims == 5)
		cl->box4 = leaf;
	else
		cl->refs = leaf;
	return cl->node && cl->child && leaf;
}

/* One try; `grouped` false puts all boxes in one leaf, which always fits. */
static struct classifier *try_make(const struct class_box *boxes, uint32_t n, unsigned int dims, uint32_t scale, bool grouped)
{
	struct classifier *cl = env_alloc(sizeof(*cl));
	struct builder bd = { .cl = cl, .box = boxes, .size = n * 16 + 4096 };

	if (!cl)
		return NULL;
	cl->dims = dims;
	cl->n = n;
	bd.stack = env_alloc(bd.size * sizeof(uint32_t));
	bool ok = allocate(cl, n, scale) && bd.stack;
	if (ok && dims != 5) {
		cl->box = env_alloc(n * sizeof(*cl->box));
		ok = cl->box;
		if (ok)
			memcpy(cl->box, boxes, n * sizeof(*cl->box));
	}
	if (ok && !grouped)
		cl->max_nodes = 0;
	for (unsigned int g = 0; ok && g < GROUPS && !cl->full; g++)
		if (grouped || g == 0)
			add_tree(&bd, grouped ? g : GROUPS, n);
	if (ok && !grouped)
		cl->max_nodes = n * 4 + 16;
	env_free(bd.stack, bd.size * sizeof(uint32_t));
	if (ok && !cl->full)
		return cl;
	vfr_classifier_free(cl);
	return NULL;
}

struct classifier *vfr_classifier_make(const struct class_box *boxes, uint32_t n, unsigned int dims)
{
	struct classifier *cl = try_make(boxes, n, dims, 8, true);

	if (!cl)
		cl = try_make(boxes, n, dims, 32, true);
	return cl ? cl : try_make(boxes, n, dims, 2, false);
}

/* --- looking up ------------------------------------------------------------------------------------------------------- */

/* One branch for all five, because none of them alone can be guessed. */
static inline bool in_box4(const struct box4 *b, const uint32_t *w)
{
	return (w[0] - b->src <= b->src_span) & (w[1] - b->dst <= b->dst_span) & ((uint16_t)(w[2] - b->sport) <= b->sport_span) &
	       ((uint16_t)(w[3] - b->dport) <= b->dport_span) & ((uint8_t)(w[4] - b->proto) <= b->proto_span);
}

/* => the first box from `from` on and before `best`. */
static inline uint32_t search4(const struct box4 *b, const uint32_t *w, uint32_t from, uint32_t best)
{
	for (; b->index < best; b++) {
		if (in_box4(b, w) && b->index >= from)
			return b->index;
		if (b->last)
			break;
	}
	return UINT32_MAX;
}

static uint32_t search(const struct classifier *cl, const uint32_t *ref, const uint32_t *w, uint32_t from)
{
	for (; *ref; ref++) {
		const struct class_box *b = &cl->box[*ref - 1];
		unsigned int d = 0;

		while (d < cl->dims && w[d] >= b->lo[d] && w[d] <= b->hi[d])
			d++;
		if (d == cl->dims && b->index >= from)
			return b->index;
	}
	return UINT32_MAX;
}

uint32_t vfr_classify(const struct classifier *cl, const struct class_key *key, uint32_t from)
{
	uint32_t best = UINT32_MAX, leaf[GROUPS];

	/* All trees first, so that the leaves' memory comes while the next tree is walked. */
	for (unsigned int t = 0; t < cl->trees; t++) {
		uint32_t at = cl->tree[t].root;

		while (!(at & LEAF_REF)) {
			const struct node *n = &cl->node[at];

			at = cl->child[n->child + ((key->w[n->dim] >> n->shift) & n->mask)];
		}
		leaf[t] = at & ~LEAF_REF;
		if (cl->dims == 5)
			__builtin_prefetch(&cl->box4[leaf[t]]);
	}
	for (unsigned int t = 0; t < cl->trees && cl->tree[t].best < best; t++) {
		uint32_t got = cl->dims == 5 ? search4(&cl->box4[leaf[t]], key->w, from, best) :
					       search(cl, &cl->refs[leaf[t]], key->w, from);

		if (got < best)
			best = got;
	}
	return best;
}
