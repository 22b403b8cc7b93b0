/* SPDX-License-Identifier: BSD-2-Clause */
/* The twin from inside. */
#ifndef TWIN_PRIV_H
#define TWIN_PRIV_H

#include <string.h>

#include "twin.h"

/* What we read off a packet. */
struct facts {
	uint8_t *frame, *ip, *l4;
	uint32_t frame_len;
	int family;
	uint32_t len, l4_len;		/* of the datagram, and of what is behind its headers */
	uint32_t room;			/* so much of that can be looked at */
	bool partial, all_linear;
	uint16_t piece;
	uint32_t src, dst;		/* IPv4 */
	uint8_t a[16], b[16];		/* both, either family; IPv4 in the first four bytes */
	int proto, kind;		/* kind: 0..3 for tcp, udp, icmp, sctp; -1 */
	int sport, dport;		/* -1: none */
	int type, tcp_flags;
	bool echo_request, echo_reply, df;
	bool frag, later, more, fragment_header;
	uint32_t offset, id;
	/* the packet that an ICMP error quotes; q_proto -1: says nothing */
	bool icmp_error;
	uint8_t *q_ip, *q_l4;
	uint32_t q_src, q_dst;
	uint8_t q_a[16], q_b[16];
	int q_proto, q_kind, q_sport, q_dport;
};

/* What is decided on the way. */
struct path {
	int to;				/* the receiving domain; 0: outside */
	bool echo, set_id;
	uint32_t new_src, new_dst;
	uint16_t new_id;
};

static inline unsigned int u16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}
static inline uint32_t u32(const uint8_t *p)
{
	return (uint32_t)u16(p) * 65536u + u16(p + 2);
}
static inline void put16(uint8_t *p, unsigned int x)
{
	p[0] = (uint8_t)(x / 256);
	p[1] = (uint8_t)(x % 256);
}
static inline void put32(uint8_t *p, uint32_t x)
{
	put16(p, x / 65536);
	put16(p + 2, x % 65536);
}

/* twin_parse.c: => NULL, or why it is dropped */
const char *twin_read_on(struct twin_frame *p, struct facts *f);
const char *twin_read(const struct twin *t, struct twin_frame *p, struct facts *f);
uint16_t twin_sum(const uint8_t *p, unsigned int n);
void twin_mend(uint8_t *ip);

/* twin.c */
bool twin_unusable(uint32_t a);
bool twin_is_self(const struct twin *t, uint32_t a);
bool twin_lives_here(const struct twin *t, uint32_t a);
int twin_shared(const struct twin *t, uint32_t a);
int twin_whole_owner(const struct twin *t, uint32_t a, bool *internal);
int twin_owner6(const struct twin *t, const uint8_t *a);
bool twin_of_the_link(const uint8_t *a);
const char *twin_leave(struct twin *t, int in, struct facts *f, struct path *w, struct twin_frame *out, struct twin_answer *a);
void twin_turn(const struct twin *t, int in, const struct facts *f, struct twin_frame *out);

/* => "forward", or "consumed" in pieces: it has its link addresses and goes to `to`. */
const char *twin_onto_link(const struct twin *t, struct facts *f, int to, struct twin_answer *a);

/* twin_neigh.c */
const char *twin_next_hop(struct twin *t, const struct facts *f, struct twin_frame *out, struct twin_answer *a);
void twin_learn(struct twin *t, int family, const uint8_t *addr, const uint8_t *mac, bool even_unasked, struct twin_answer *a);
void twin_drop_waiting(struct twin *t, int d, struct twin_answer *a);
void twin_age_neighbours(struct twin *t, struct twin_answer *a);

/* twin_link.c: a frame of ARP, a message of neighbour discovery comes */
const char *twin_arp(struct twin *t, int in, const uint8_t *f, struct twin_answer *a);
const char *twin_nd(struct twin *t, int in, const struct facts *f, struct twin_answer *a);
void twin_link_local(uint8_t *a, const uint8_t *mac);
void twin_put_arp(struct twin_frame *m, int op, const uint8_t *to, const uint8_t *from, const uint8_t *spa, const uint8_t *tha,
	const uint8_t *tpa);
void twin_put_nd(struct twin_frame *m, int type, uint8_t flags, const uint8_t *to, const uint8_t *from, const uint8_t *src,
	const uint8_t *dst, const uint8_t *target);

/* twin_rules.c */
const char *twin_rules(struct twin *t, const struct facts *f, int from, int to);
/* => NULL, or "flow-limit": domain `d` opens one more. */
const char *twin_new_flow(struct twin *t, int d);

/* twin_error.c */
/* => the sum of the `n` bytes behind an IP header, with the pseudo header where there is one. */
void twin_put_sum(uint8_t *ip, uint8_t proto, uint8_t *l4, uint32_t n, uint8_t *at);
bool twin_take(struct twin_bucket *b, uint64_t now, uint32_t rate, uint32_t burst);
/* => the sender is told why, if there is anything to tell and he has not been told too often. */
void twin_tell(struct twin *t, const struct twin_frame *as_it_came, const char *reason, uint16_t mtu, struct twin_answer *a);

/* twin_frag.c: a fragment comes. => "held" or a drop's name; NULL with *d: go on as the first, or (*follow) as the first did */
const char *twin_fragment(struct twin *t, int in, const struct facts *f, struct twin_frame *own, struct twin_datagram **d, bool *follow,
	struct twin_answer *a);
const char *twin_follow(struct twin *t, int in, struct facts *f, const struct twin_datagram *d, struct twin_frame *out,
	struct twin_answer *a);
void twin_first_done(struct twin *t, struct twin_datagram *d, const struct path *w, const char *verdict, struct twin_answer *a);
/* => what the domain has sent, or (not only_from) was to get, is forgotten. */
void twin_drop_datagrams(struct twin *t, int d, bool only_from, struct twin_answer *a);
void twin_tidy(struct twin *t, struct twin_datagram *d);

/* twin_nat.c */
const char *twin_nat_out(struct twin *t, int in, struct facts *f, struct path *w);
const char *twin_nat_in(struct twin *t, struct facts *f, struct path *w);
void twin_address(uint8_t *ip, bool source, uint32_t addr);

#endif
