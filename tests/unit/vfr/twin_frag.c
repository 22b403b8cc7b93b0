/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin and fragments: a datagram is a long row of boxes that are ticked. */
#include "twin_priv.h"

static struct twin_datagram *find(struct twin *t, int in, const struct facts *f)
{
	for (unsigned int i = 0; i < TWIN_DATAGRAMS; i++) {
		struct twin_datagram *d = &t->datagram[i];

		if (d->used && d->in == in && d->id == f->id && d->proto == f->proto && d->family == f->family &&
			!memcmp(d->src, f->a, 16) && !memcmp(d->dst, f->b, 16))
			return d;
	}
	return NULL;
}

static const char *begin(struct twin *t, int in, const struct facts *f, struct twin_datagram **out)
{
	struct twin_datagram *d = NULL;
	unsigned int theirs = 0;

	for (unsigned int i = 0; i < TWIN_DATAGRAMS; i++) {
		theirs += t->datagram[i].used && t->datagram[i].in == in;
		if (!t->datagram[i].used)
			d = &t->datagram[i];
	}
	if (theirs >= (in ? TWIN_OF_ONE : TWIN_DATAGRAMS / 2))
		return "frag-quota";
	memset(d, 0, sizeof(*d));
	memset(t->seen[d - t->datagram], 0, sizeof(t->seen[0]));
	d->used = true;
	d->family = (uint8_t)f->family;
	d->proto = (uint8_t)f->proto;
	d->id = f->id;
	d->in = in;
	d->until = t->now + 50;
	memcpy(d->src, f->a, 16);
	memcpy(d->dst, f->b, 16);
	*out = d;
	return NULL;
}

static const char *tick(struct twin_datagram *d, uint8_t *seen, const struct facts *f)
{
	uint32_t end = f->offset + f->l4_len, runs = 0;

	if (d->total && (end > d->total || !f->more))
		return "frag-overlap";
	for (uint32_t i = f->offset / 8; i < (f->more ? (end + 7) / 8 : 8192); i++)
		if (seen[i])
			return "frag-overlap";
	memset(seen + f->offset / 8, 1, (end + 7) / 8 - f->offset / 8);
	for (uint32_t i = 0; i < 8192; i++)
		runs += seen[i] && (i == 0 || !seen[i - 1]);
	if (runs > 16)
		return "frag-quota";
	if (!f->more)
		d->total = end;
	return NULL;
}

/* The datagram is forgotten when all of it has passed. */
void twin_tidy(struct twin *t, struct twin_datagram *d)
{
	if (!d->total)
		return;
	for (uint32_t i = 0; i < (d->total + 7) / 8; i++)
		if (!t->seen[d - t->datagram][i])
			return;
	d->used = false;
}

static void give_back(struct twin *t, struct twin_datagram *d, const char *refused, struct twin_answer *a)
{
	static struct twin_frame waiting[64];
	unsigned int kept = 0, n = 0;
	struct facts f;

	for (unsigned int i = 0; i < t->helds; i++) {
		struct twin_frame *h = &t->held[i];

		if (h->datagram != d - t->datagram) {
			t->came_held[kept] = t->came_held[i];
			t->held[kept++] = *h;
			continue;
		}
		waiting[n++] = *h;
	}
	t->helds = kept;
	d->held = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct twin_frame *out = &a->back[a->backs];

		*out = waiting[i];
		out->port = -1;
		t->came = *out;
		twin_read(t, out, &f);
		out->verdict = refused ? refused : twin_follow(t, out->in, &f, d, out, a);
		/* Now it may wait for its neighbour. */
		a->backs += strcmp(out->verdict, "held") != 0;
	}
}

static const char *hold(struct twin *t, int in, struct twin_datagram *d, const struct twin_frame *own)
{
	unsigned int theirs = 0;

	for (unsigned int i = 0; i < t->helds; i++)
		theirs += t->held[i].in == in && !t->held[i].hop;
	if (d->held >= 64 || theirs >= (in ? 64 : 256))
		return "frag-quota";
	struct twin_frame *h = &t->held[t->helds++];
	*h = *own;
	h->datagram = (int)(d - t->datagram);
	d->held++;
	return "held";
}

const char *twin_fragment(struct twin *t, int in, const struct facts *f, struct twin_frame *own, struct twin_datagram **out, bool *follow,
	struct twin_answer *a)
{
	struct twin_datagram *d = find(t, in, f);
	const char *bad = d ? NULL : begin(t, in, f, &d);

	if (bad)
		return bad;
	if (!d->refused) {
		d->refused = tick(d, t->seen[d - t->datagram], f);
		if (d->refused) {
			give_back(t, d, d->refused, a);
			d->to = 0;
		}
	}
	if (d->refused)
		return d->refused;
	*out = d;
	if (!f->later)
		return NULL;
	if (!d->decided)
		return hold(t, in, d, own);
	*follow = true;
	return NULL;
}

const char *twin_follow(struct twin *t, int in, struct facts *f, const struct twin_datagram *d, struct twin_frame *out,
	struct twin_answer *a)
{
	struct path w = { .to = d->to, .set_id = d->set_id, .new_id = d->new_id };

	if (d->refused)
		return d->refused;
	if (d->echo) {
		twin_turn(t, in, f, out);
		return "forward";
	}
	if (d->new_src)
		twin_address(f->ip, true, d->new_src);
	if (d->new_dst)
		twin_address(f->ip, false, d->new_dst);
	return twin_leave(t, in, f, &w, out, a);
}

void twin_first_done(struct twin *t, struct twin_datagram *d, const struct path *w, const char *verdict, struct twin_answer *a)
{
	bool sent = !strcmp(verdict, "forward") || !strcmp(verdict, "consumed") || !strcmp(verdict, "held");

	d->decided = true;
	d->until = t->now + 300;
	d->refused = sent ? NULL : verdict;
	d->echo = w->echo;
	d->to = w->to;
	d->new_src = w->new_src;
	d->new_dst = w->new_dst;
	d->set_id = w->set_id;
	d->new_id = w->new_id;
	give_back(t, d, d->refused, a);
	twin_tidy(t, d);
}

void twin_drop_datagrams(struct twin *t, int d, bool only_from, struct twin_answer *a)
{
	for (unsigned int i = 0; i < TWIN_DATAGRAMS; i++) {
		struct twin_datagram *g = &t->datagram[i];

		if (!g->used || (g->in != d && (only_from || g->to != d)))
			continue;
		give_back(t, g, "detached", a);
		g->used = false;
	}
}

void twin_pass_time(struct twin *t, uint64_t tenths, struct twin_answer *a)
{
	a->backs = a->mades = 0;
	t->now += tenths;
	for (unsigned int i = 0; i < TWIN_DATAGRAMS; i++)
		if (t->datagram[i].used && t->datagram[i].until <= t->now) {
			give_back(t, &t->datagram[i], "frag-timeout", a);
			t->datagram[i].used = false;
		}
	twin_age_neighbours(t, a);
}
