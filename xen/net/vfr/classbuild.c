/* SPDX-License-Identifier: BSD-2-Clause */
/* Building a classifier: boxes are parted into groups, a group's boxes into slots, and a slot's boxes are cut into a tree. */
#include <string.h>

#include <env.h>
#include <vfr/classbuild.h>

#define SLOTS_A_BOX	4u	/* at least: most slots hold one value or none */
#define BUDGET_A_BOX	4u
#define BUDGET_TO_SHARE	12u	/* a box again, among those that are wide in an address at least */
#define BUDGET_LEAST	1024u

/* --- groups and slots ------------------------------------------------------------------------------------------------- */

/* The leading bits that a narrow and a half wide address have: IPv4 /16 and /8, IPv6 /32 and /16; a wide one has none. */
static const uint32_t lead_bits[3][2] = { { 0xffff0000, 0xffffffff }, { 0xff000000, 0xffff0000 }, { 0, 0 } };

/* Boxes of a group agree in the leading bits of these widths. In order of how many there are of each width, mostly. */
static const uint8_t group_widths[GROUPS][2] = { { 0, 2 }, { 2, 0 }, { 1, 1 }, { 1, 2 }, { 2, 1 }, { 2, 2 } };
static const uint8_t group_of[3][3] = { { 0, 0, 0 }, { 1, 2, 3 }, { 1, 4, 5 } };
#define WIDE_GROUPS	3u	/* from this one on */

/* => 0: the box is narrow in an address with this first word, 1 half wide, 2 wide. */
static unsigned int width(const struct classifier *cl, uint32_t lo, uint32_t hi)
{
	unsigned int w = 0;

	while ((lo ^ hi) & lead_bits[w][cl->dims != 5])
		w++;
	return w;
}

static unsigned int group_nr(const struct classifier *cl, const struct class_box *b)
{
	unsigned int dst = cl->dims == 5 ? 1 : 4;

	return group_of[width(cl, b->lo[0], b->hi[0])][width(cl, b->lo[dst], b->hi[dst])];
}

/* The boxes of group `nr` are chained from their slots, in order. */
static void chain(struct builder *bd, struct group *g, unsigned int nr)
{
	struct classifier *cl = bd->cl;

	for (uint32_t i = bd->n; i-- > 0;) {
		const struct class_box *b = &bd->box[i];

		if (group_nr(cl, b) != nr)
			continue;
		uint32_t at = class_slot(g, class_lead(b->lo, cl->dims));
		bd->next[i] = cl->slot[at];
		cl->slot[at] = i + 1;
		g->best = b->index;
	}
}

/* => the tree of the boxes that are chained in a slot; `share` is what each of them adds to the budget. */
static uint32_t slot_tree(struct builder *bd, uint32_t head, uint32_t share)
{
	struct area a = { .from = 0 };

	bd->top = 0;
	for (; head; head = bd->next[head - 1])
		bd->stack[bd->top++] = head - 1;
	a.n = bd->top;
	a.budget = a.n * share;
	memset(a.hi, 0xff, sizeof(a.hi));
	a.hi[bd->cl->dims - 3] = a.hi[bd->cl->dims - 2] = UINT16_MAX;
	a.hi[bd->cl->dims - 1] = UINT8_MAX;
	return vfr_class_tree(bd, &a);
}

static void add_group(struct builder *bd, unsigned int nr, uint32_t n, uint32_t share)
{
	struct classifier *cl = bd->cl;
	unsigned int six = cl->dims != 5;
	struct group g = {
		.first = cl->slots, .shift = 63,
		.mask = lead_bits[group_widths[nr][0]][six] | (uint64_t)lead_bits[group_widths[nr][1]][six] << 32,
	};

	while (g.mask && n > LEAF_MAX && 1ull << (64 - g.shift) < n * SLOTS_A_BOX)
		g.shift--;
	cl->slots += 1u << (64 - g.shift);
	chain(bd, &g, nr);
	for (uint32_t i = g.first; i < cl->slots; i++)
		cl->slot[i] = cl->slot[i] ? slot_tree(bd, cl->slot[i], share) : NO_REF;
	unsigned int at = cl->groups++;
	for (; at > 0 && cl->group[at - 1].best > g.best; at--)
		cl->group[at] = cl->group[at - 1];
	cl->group[at] = g;
}

static void add_groups(struct builder *bd)
{
	uint32_t n[GROUPS] = { 0 }, wide = 0;

	for (uint32_t i = 0; i < bd->n; i++)
		n[group_nr(bd->cl, &bd->box[i])]++;
	for (unsigned int g = WIDE_GROUPS; g < GROUPS; g++)
		wide += n[g];
	for (unsigned int g = 0; g < GROUPS; g++) {
		uint32_t more = g >= WIDE_GROUPS && wide ? (bd->n * BUDGET_TO_SHARE + BUDGET_LEAST) / wide : 0;

		if (n[g])
			add_group(bd, g, n[g], BUDGET_A_BOX + more);
	}
}

/* --- making ----------------------------------------------------------------------------------------------------------- */

void vfr_classifier_free(struct classifier *cl)
{
	if (!cl)
		return;
	env_free(cl->slot, cl->slots * sizeof(*cl->slot));
	env_free(cl->node, cl->nodes * sizeof(*cl->node));
	env_free(cl->child, cl->children * sizeof(*cl->child));
	env_free(cl->box4, cl->leaves * sizeof(*cl->box4));
	env_free(cl->refs, cl->leaves * sizeof(*cl->refs));
	env_free(cl->box, cl->boxes * sizeof(*cl->box));
	env_free(cl, sizeof(*cl));
}

/* Room for the most that `bd->n` boxes may need. */
static bool scratch(struct builder *bd, struct classifier *room)
{
	room->slots = bd->n * SLOTS_A_BOX * 2 + GROUPS * 2;
	room->children = room->leaves = bd->n * (BUDGET_A_BOX + BUDGET_TO_SHARE) + BUDGET_LEAST;
	room->nodes = room->children / 2;	/* a node has two children at least */
	bd->size = bd->n * 16 + 4096;
	room->slot = env_alloc(room->slots * sizeof(*room->slot));
	room->node = env_alloc(room->nodes * sizeof(*room->node));
	room->child = env_alloc(room->children * sizeof(*room->child));
	room->refs = env_alloc(room->leaves * sizeof(*room->refs));
	bd->stack = env_alloc(bd->size * sizeof(*bd->stack));
	bd->next = env_alloc(bd->n * sizeof(*bd->next));
	return room->slot && room->node && room->child && room->refs && bd->stack && bd->next;
}

static void *copy_of(const void *from, uint32_t n, size_t size)
{
	void *to = env_alloc(n * size);

	if (to)
		memcpy(to, from, n * size);
	return to;
}

static void write_box4(struct box4 *to, const struct class_box *b, bool last)
{
	for (unsigned int i = 0; i < 2; i++) {
		to->lo[i] = box4_word(b->lo, i);
		to->hi[i] = box4_word(b->hi, i) + 2 * BOX4_IN;
	}
	to->index = b->index;
	to->stop = last ? UINT32_MAX : b->index;
}

/* What was built in `from`, in as much memory as it needs. */
static bool keep(struct classifier *cl, const struct builder *bd)
{
	const struct classifier *from = bd->cl;

	*cl = *from;
	cl->slot = copy_of(from->slot, from->slots, sizeof(*cl->slot));
	cl->node = copy_of(from->node, from->nodes, sizeof(*cl->node));
	cl->child = copy_of(from->child, from->children, sizeof(*cl->child));
	cl->refs = NULL;
	if (cl->dims == 5) {
		cl->box4 = env_alloc(cl->leaves * sizeof(*cl->box4));
		for (uint32_t i = 0; cl->box4 && i < cl->leaves; i++)
			write_box4(&cl->box4[i], &bd->box[from->refs[i] & ~LAST_BOX], from->refs[i] & LAST_BOX);
	} else {
		cl->refs = copy_of(from->refs, from->leaves, sizeof(*cl->refs));
		cl->boxes = bd->n;
		cl->box = copy_of(bd->box, bd->n, sizeof(*cl->box));
	}
	return cl->slot && cl->node && cl->child && (cl->box4 || (cl->refs && cl->box));
}

struct classifier *vfr_classifier_make(const struct class_box *boxes, uint32_t n, unsigned int dims)
{
	struct classifier *cl = env_alloc(sizeof(*cl)), room = { .dims = dims }, work;
	struct builder bd = { .cl = &work, .box = boxes, .n = n };
	bool ok = scratch(&bd, &room) && cl;

	if (ok) {
		work = room;
		work.slots = work.nodes = work.children = work.leaves = 0;
		add_groups(&bd);
		ok = keep(cl, &bd);
	}
	env_free(room.slot, room.slots * sizeof(*room.slot));
	env_free(room.node, room.nodes * sizeof(*room.node));
	env_free(room.child, room.children * sizeof(*room.child));
	env_free(room.refs, room.leaves * sizeof(*room.refs));
	env_free(bd.stack, bd.size * sizeof(*bd.stack));
	env_free(bd.next, n * sizeof(*bd.next));
	if (ok)
		return cl;
	vfr_classifier_free(cl);
	return NULL;
}
