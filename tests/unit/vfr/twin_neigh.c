/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin's neighbours outside: a list of (address, MAC), who waits for whom, and when somebody is asked. */
#include "twin_priv.h"

#define ANSWER_LASTS	300	/* 30 s */
#define ASK_AGAIN	10	/* 1 s */
#define QUESTIONS	4
#define WAITING		16u

static struct twin_neighbour *find(struct twin *t, int family, const uint8_t *addr)
{
	for (int i = 0; i < TWIN_NEIGHBOURS; i++)
		if (t->neighbour[i].family == family && !memcmp(t->neighbour[i].addr, addr, family == 4 ? 4 : 16))
			return &t->neighbour[i];
	return NULL;
}

static struct twin_neighbour *add(struct twin *t, int family, const uint8_t *addr)
{
	struct twin_neighbour *n = t->neighbour;

	while (n->family)
		n++;
	memset(n, 0, sizeof(*n));
	n->family = family;
	memcpy(n->addr, addr, family == 4 ? 4 : 16);
	return n;
}

/* Who is known is asked in person, others by a call to all. */
static void ask(const struct twin *t, const struct twin_neighbour *n, struct twin_answer *a)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	uint8_t own[16], group[16] = { 0xff, 2, [11] = 1, [12] = 0xff, n->addr[13], n->addr[14], n->addr[15] };
	uint8_t group_mac[6] = { 0x33, 0x33, 0xff, n->addr[13], n->addr[14], n->addr[15] };
	struct twin_frame *m = &a->made[a->mades++];

	m->port = 0;
	if (n->family == 4) {
		put32(own, t->shared[0]);
		twin_put_arp(m, 1, n->known ? n->mac : all, t->mac[0], own, NULL, n->addr);
	} else {
		twin_link_local(own, t->mac[0]);
		twin_put_nd(m, 135, 0, n->known ? n->mac : group_mac, t->mac[0], own, n->known ? n->addr : group, n->addr);
	}
}

/* => NULL with the MAC in the frame; or it waits; or too many wait already. */
const char *twin_next_hop(struct twin *t, const struct facts *f, struct twin_frame *out, struct twin_answer *a)
{
	uint8_t hop[16];
	unsigned int waiting = 0;

	memcpy(hop, f->b, 16);
	if (f->family == 4 && !(t->link4 && u32(f->b) / 256 == t->link4 / 256))
		put32(hop, f->b[0] == 8 && t->next4_of_8 ? t->next4_of_8 : t->next4);
	if (f->family == 6 && !(t->link6[0] && !memcmp(f->b, t->link6, 8)))
		memcpy(hop, t->next6, 16);
	struct twin_neighbour *n = find(t, f->family, hop);
	if (n && n->known) {
		n->of_use = true;
		memcpy(f->frame, n->mac, 6);
		return NULL;
	}
	for (unsigned int i = 0; n && i < t->helds; i++)
		waiting += t->held[i].hop == n;
	if (waiting >= WAITING)
		return "neigh-queue";
	if (!n) {
		n = add(t, f->family, hop);
		n->asked = 1;
		n->due = t->now + ASK_AGAIN;
		ask(t, n, a);
	}
	struct twin_frame *h = &t->held[t->helds];
	t->came_held[t->helds++] = t->came;
	*h = *out;
	h->hop = n;
	h->datagram = -1;
	return "held";
}

/* They go their way, or are given up. */
static void let_go(struct twin *t, const struct twin_neighbour *n, const char *refused, struct twin_answer *a)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < t->helds; i++) {
		struct facts f;

		if (t->held[i].hop != n) {
			t->came_held[kept] = t->came_held[i];
			t->held[kept++] = t->held[i];
			continue;
		}
		struct twin_frame *out = &a->back[a->backs++];
		*out = t->held[i];
		twin_read_on(out, &f);
		out->port = 0;
		if (!refused) {
			memcpy(out->b, n->mac, 6);
			out->verdict = twin_onto_link(t, &f, 0, a);
			continue;
		}
		/* The sender sees its own packet again, but for what forwarding had done to it. */
		struct twin_frame *came = &t->came_held[i];
		came->b[14 + (f.family == 4 ? 8 : 7)]--;
		if (f.family == 4) {
			memcpy(came->b + 18, f.ip + 4, 2);
			twin_mend(came->b + 14);
		}
		if (!strcmp(refused, "neigh-failed") && n->asked)
			twin_tell(t, came, refused, 0, a);
		out->verdict = refused;
	}
	t->helds = kept;
}

void twin_fix_neighbour(struct twin *t, int family, const uint8_t *addr, const uint8_t *mac, struct twin_answer *a)
{
	struct twin_neighbour *n = find(t, family, addr);

	if (!n)
		n = add(t, family, addr);
	n->known = n->fixed = true;
	memcpy(n->mac, mac, 6);
	let_go(t, n, NULL, a);
}

bool twin_knows_neighbour(struct twin *t, int family, const uint8_t *addr)
{
	return find(t, family, addr);
}

/* The operator has said so: nobody has failed to answer, and nobody is told. */
void twin_forget_neighbour(struct twin *t, int family, const uint8_t *addr, struct twin_answer *a)
{
	struct twin_neighbour *n = find(t, family, addr);

	n->asked = 0;
	let_go(t, n, "neigh-failed", a);
	n->family = 0;
}

/* Packets of a port that is gone. */
void twin_drop_waiting(struct twin *t, int d, struct twin_answer *a)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < t->helds; i++) {
		if (t->held[i].hop && t->held[i].in == d) {
			a->back[a->backs] = t->held[i];
			a->back[a->backs++].verdict = "detached";
			continue;
		}
		t->came_held[kept] = t->came_held[i];
		t->held[kept++] = t->held[i];
	}
	t->helds = kept;
}

void twin_learn(struct twin *t, int family, const uint8_t *addr, const uint8_t *mac, bool even_unasked, struct twin_answer *a)
{
	struct twin_neighbour *n = find(t, family, addr);

	if (mac[0] % 2 || (!n && !even_unasked) || (n && n->fixed))
		return;
	if (!n)
		n = add(t, family, addr);
	n->known = true;
	n->asked = 0;
	n->due = t->now + ANSWER_LASTS;
	memcpy(n->mac, mac, 6);
	let_go(t, n, NULL, a);
}

void twin_age_neighbours(struct twin *t, struct twin_answer *a)
{
	for (struct twin_neighbour *n = t->neighbour; n < t->neighbour + TWIN_NEIGHBOURS; n++) {
		if (!n->family || n->fixed || n->due > t->now)
			continue;
		if ((n->asked == 0 && !n->of_use) || n->asked >= QUESTIONS) {
			let_go(t, n, "neigh-failed", a);
			n->family = 0;
			continue;
		}
		n->of_use = n->of_use && n->asked;
		n->asked++;
		n->due = t->now + ASK_AGAIN;
		ask(t, n, a);
	}
}
