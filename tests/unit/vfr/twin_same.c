/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing what the router says with what the twin says: see twin_gen.h. */
#include <stdio.h>
#include <string.h>

#include "twin_gen.h"

bool twin_same(const char *what, const struct twin_frame *got, const struct twin_frame *is)
{
	bool sent = !strcmp(is->verdict, "forward");

	if (!strcmp(got->verdict, is->verdict) && got->len == is->len &&
		(!sent || (got->port == is->port && !memcmp(got->b, is->b, is->len))))
		return true;
	printf("%s %lu, %u bytes: \"%s\" to port %d, the twin says \"%s\" to port %d\n", what, is->id, is->len, got->verdict, got->port,
	       is->verdict, is->port);
	for (uint32_t k = 0; sent && k < is->len; k++)
		if (got->b[k] != is->b[k])
			printf("  byte %u: %02x, the twin says %02x\n", k, got->b[k], is->b[k]);
	return false;
}

void twin_dump(const char *what, int port, const uint8_t *b, uint32_t len)
{
	printf("%s, port %d:\n", what, port);
	for (uint32_t k = 0; k < len && k < 128; k++)
		printf("%02x%s", b[k], k % 16 == 15 ? "\n" : " ");
	putchar('\n');
}

/* In any order: what waited too long comes back as the table has it. */
bool twin_same_back(const struct side *s, const struct twin_answer *want)
{
	if (s->backs != want->backs) {
		printf("%s: %u packets come back, the twin says %u\n", s->name, s->backs,
		       want->backs);
		return false;
	}
	for (unsigned int i = 0; i < want->backs; i++) {
		unsigned int k = 0;

		while (k < s->backs && s->back[k].id != want->back[i].id)
			k++;
		if (k == s->backs || !twin_same("held packet", &s->back[k], &want->back[i]))
			return false;
	}
	return true;
}

static bool same_frame(const struct twin_frame *a, const struct twin_frame *b)
{
	return a->port == b->port && a->len == b->len && !memcmp(a->b, b->b, a->len);
}

/* What the router made itself: pieces of packets, errors, questions. When many wait for a time, who comes first does not matter. */
bool twin_same_made(struct side *s, const struct twin_answer *want, bool in_order)
{
	static struct twin_frame t;
	unsigned int i = 0;

	for (; i < s->mades && i < want->mades; i++) {
		unsigned int k = i;

		while (!in_order && k < s->mades - 1 && !same_frame(&s->made[k], &want->made[i]))
			k++;
		if (!same_frame(&s->made[k], &want->made[i]))
			break;
		t = s->made[i];
		s->made[i] = s->made[k];
		s->made[k] = t;
	}
	if (i == s->mades && i == want->mades)
		return true;
	printf("%s: %u frames are made, the twin makes %u; number %u is another one\n", s->name, s->mades,
	       want->mades, i);
	if (i < s->mades)
		twin_dump("made", s->made[i].port, s->made[i].b, s->made[i].len);
	if (i < want->mades)
		twin_dump("the twin's", want->made[i].port, want->made[i].b, want->made[i].len);
	return false;
}

bool twin_same_notes(const struct vfr_pkt *a, const struct vfr_pkt *b)
{
	if (a->flags == b->flags && a->sport == b->sport && a->dport == b->dport && a->src_dom == b->src_dom && a->dst_dom == b->dst_dom &&
	    a->dscp == b->dscp && a->sched_class == b->sched_class && (a->len < 34 || a->flow_hash == b->flow_hash || !a->flags))
		return true;
	printf("the short way leaves other notes than the stages\n");
	return false;
}
