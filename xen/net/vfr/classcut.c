/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting boxes into a tree. A node looks at up to CUT_BITS bits of one dimension; a leaf lists the few boxes left, in order. The
 * region that a node cuts is shrunk to what its boxes share, so bits in which they agree cost nothing; a key outside that region is
 * in none of them and ends in some leaf, whose boxes then refuse it.
 *
 * Memory: a wide box has a copy in every piece that it reaches into. Each area has a budget, in references, that its leaves and
 * its children together keep to: a cut that would not is not made, and what a cut leaves is shared out by the boxes in each piece.
 */
#include <string.h>

#include <vfr/classbuild.h>

#define CUT_BITS	6u
#define DEPTH_MAX	24u

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* --- leaves ----------------------------------------------------------------------------------------------------------- */

/* => the box has all of the area, in every dimension but `but`. */
static bool covers(const struct class_box *b, const struct area *a, unsigned int dims, unsigned int but)
{
	for (unsigned int d = 0; d < dims; d++)
		if (d != but && (b->lo[d] > a->lo[d] || b->hi[d] < a->hi[d]))
			return false;
	return true;
}

/* Nobody asks for what is behind a final box that has the whole area. */
static void drop_hidden(const struct builder *bd, struct area *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const struct class_box *b = &bd->box[bd->stack[a->from + i]];

		if (b->final && covers(b, a, bd->cl->dims, CLASS_DIMS))
			a->n = i + 1;
	}
}

static uint32_t make_leaf(struct builder *bd, const struct area *a)
{
	struct classifier *cl = bd->cl;
	uint32_t at = cl->leaves;

	if (!a->n)
		return NO_REF;
	for (uint32_t i = 0; i < a->n; i++)
		cl->refs[at + i] = bd->stack[a->from + i];
	cl->refs[at + a->n - 1] |= LAST_BOX;
	cl->leaves += a->n;
	return LEAF_REF | at;
}

/* --- cutting ---------------------------------------------------------------------------------------------------------- */

struct cut {
	unsigned int dim, shift, bits;
	uint32_t base;		/* of the region that is cut */
	uint32_t total;		/* boxes in all pieces */
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

/* The part of the area that piece `i` has in the dimension of the cut. */
static void piece_span(const struct area *a, const struct cut *cut, uint32_t i, uint32_t *lo, uint32_t *hi)
{
	uint32_t start = cut->base + (i << cut->shift);

	*lo = max32(a->lo[cut->dim], start);
	*hi = min32(a->hi[cut->dim], start + ((1u << cut->shift) - 1));
}

static uint64_t bits_to(uint32_t first, uint32_t last)
{
	return (~0ull >> (63 - (last - first))) << first;
}

/* => the pieces from `first` to `last`, which the box reaches into, that it has as a whole. */
static uint64_t whole_pieces(const struct class_box *b, const struct area *a, const struct cut *cut, uint32_t first, uint32_t last)
{
	uint64_t whole = bits_to(first, last);
	uint32_t lo, hi;

	piece_span(a, cut, first, &lo, &hi);
	if (b->lo[cut->dim] > lo || b->hi[cut->dim] < hi)
		whole &= ~(1ull << first);
	piece_span(a, cut, last, &lo, &hi);
	if (b->lo[cut->dim] > lo || b->hi[cut->dim] < hi)
		whole &= ~(1ull << last);
	return whole;
}

/* => what it costs to look here: boxes that a random piece still has, and copies made. Fills in the total. */
static uint64_t weigh(const struct builder *bd, const struct area *a, struct cut *cut)
{
	uint32_t count[1u << CUT_BITS] = { 0 }, pieces = 1u << cut->bits;
	uint64_t squares = 0, hidden = 0;

	cut->total = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct class_box *b = &bd->box[bd->stack[a->from + i]];
		uint32_t first = (max32(b->lo[cut->dim], a->lo[cut->dim]) - cut->base) >> cut->shift;
		uint32_t last = (min32(b->hi[cut->dim], a->hi[cut->dim]) - cut->base) >> cut->shift;

		for (uint64_t in = bits_to(first, last) & ~hidden; in; in &= in - 1) {
			count[__builtin_ctzll(in)]++;
			cut->total++;
		}
		if (cut->total + pieces > a->budget)
			return UINT64_MAX;
		if (b->final && covers(b, a, bd->cl->dims, cut->dim))
			hidden |= whole_pieces(b, a, cut, first, last);
	}
	for (uint32_t i = 0; i < pieces; i++)
		squares += (uint64_t)count[i] * count[i];
	return squares * 16 / pieces + cut->total + pieces;
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
			cut.cost = weigh(bd, a, &cut);
			if (cut.cost < best->cost)
				*best = cut;
		}
	}
	return best->bits;
}

/* => the boxes of piece `i` on top of the stack. */
static void take_piece(struct builder *bd, const struct area *a, const struct cut *cut, uint32_t i, struct area *piece)
{
	memcpy(piece, a, sizeof(*piece));
	piece->from = bd->top;
	piece->n = 0;
	piece->depth = a->depth + 1;
	piece_span(a, cut, i, &piece->lo[cut->dim], &piece->hi[cut->dim]);
	for (uint32_t k = 0; k < a->n; k++) {
		uint32_t nr = bd->stack[a->from + k];
		const struct class_box *b = &bd->box[nr];

		if (b->lo[cut->dim] > piece->hi[cut->dim] || b->hi[cut->dim] < piece->lo[cut->dim])
			continue;
		bd->stack[bd->top++] = nr;
		piece->n++;
	}
	drop_hidden(bd, piece);
	bd->top = piece->from + piece->n;
	piece->budget = (uint32_t)((uint64_t)(a->budget - (1u << cut->bits)) * piece->n / max32(cut->total, 1));
}

static bool same_list(const struct builder *bd, const struct area *x, const struct area *y)
{
	return x->n == y->n && !memcmp(&bd->stack[x->from], &bd->stack[y->from], x->n * sizeof(uint32_t));
}

static uint32_t build(struct builder *bd, const struct area *a)
{
	struct classifier *cl = bd->cl;
	struct area piece, before = { .n = UINT32_MAX };
	uint32_t kept = bd->top;
	struct cut cut;

	if (a->n <= LEAF_MAX || a->depth == DEPTH_MAX || bd->top + a->n + LEAF_MAX > bd->size || !choose_cut(bd, a, &cut))
		return make_leaf(bd, a);
	uint32_t nr = cl->nodes++, first = cl->children, pieces = 1u << cut.bits;
	cl->children += pieces;
	cl->node[nr] = (struct node){ .child = first, .dim = (uint8_t)cut.dim, .shift = (uint8_t)cut.shift,
		.mask = (uint8_t)(pieces - 1) };
	for (uint32_t i = 0; i < pieces; i++) {
		take_piece(bd, a, &cut, i, &piece);
		/* Pieces side by side with the same small list share one leaf. */
		if (piece.n <= LEAF_MAX && before.n != UINT32_MAX && same_list(bd, &piece, &before)) {
			cl->child[first + i] = cl->child[first + i - 1];
			bd->top = piece.from;
			continue;
		}
		cl->child[first + i] = build(bd, &piece);
		before.n = UINT32_MAX;
		bd->top = kept;
		if (piece.n > LEAF_MAX)
			continue;
		/* its list must outlive the next piece */
		memmove(&bd->stack[kept], &bd->stack[piece.from], piece.n * sizeof(uint32_t));
		before = piece;
		before.from = kept;
		bd->top = kept + piece.n;
	}
	bd->top = kept;
	return NODE_REF | nr;
}

uint32_t vfr_class_tree(struct builder *bd, struct area *a)
{
	drop_hidden(bd, a);
	return build(bd, a);
}
