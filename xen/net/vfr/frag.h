/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragmented datagrams being followed, as the router's other files see them. */
#ifndef VFR_FRAG_H
#define VFR_FRAG_H

#include <stdbool.h>
#include <stdint.h>

struct ctx;
struct vfr;
struct vfr_pkt;
struct way;

#define FRAG_BUCKETS	256
#define FRAG_HOLD	64	/* fragments of one datagram waiting for the first */
#define FRAG_SPANS	16
#define FRAG_LIFE	(30 * SEC)	/* of a datagram whose first fragment has come */
#define FRAG_PATIENCE	(5 * SEC)	/* how long others wait for it */
#define FRAG_HELD_DOM	64u		/* fragments held for one domain */
#define FRAG_HELD_OUT	256u		/* and for the uplinks, whose fragments have no owner yet */
enum frag_state { FRAG_WAIT, FRAG_PASS, FRAG_REFUSED };
/* What became of the first fragment, and so becomes of the others. */
struct frag_fate {
	uint8_t state;
	uint8_t drop;			/* FRAG_REFUSED: why */
	bool echo;			/* the router answers this datagram */
	bool set_id;
	uint16_t id;			/* the IP-ID of what leaves, if set_id */
	uint16_t src_slot, dst_slot;
	uint16_t sched_class;
	uint32_t new_src, new_dst;	/* translation, 0: none */
};
struct frag {
	struct frag *next;
	uint8_t src[16], dst[16];
	uint32_t id;
	uint16_t in_port;
	uint8_t proto, family;
	bool busy;			/* the first fragment is in the stages right now */
	bool last_seen;
	uint8_t held, spans;
	uint16_t slot;			/* charged */
	uint32_t total;			/* bytes, once last_seen */
	struct frag_fate fate;
	uint64_t deadline;
	struct {
		uint32_t first, end;
	} span[FRAG_SPANS];		/* bytes seen, ascending, apart */
	struct vfr_pkt *head, **tail;
};

int vfr_frag(struct ctx *c, struct vfr_pkt *p, struct way *w, bool *known);
/* => a later fragment goes where its first went. */
int vfr_frag_pass(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct frag_fate *f);
void vfr_frag_settle(struct ctx *c, struct vfr_pkt *p, struct way *w, int verdict);
/* => the first piece of what leaves in pieces, of the sender's making or of ours, has its number. */
void vfr_frag_ident(struct ctx *c, struct vfr_pkt *p, struct way *w);
void vfr_frag_age(struct ctx *c, uint64_t *next);
void vfr_frag_port_gone(struct ctx *c, uint16_t port);
void vfr_frag_dom_gone(struct ctx *c, uint16_t slot);
int vfr_frags_init(struct vfr *v);
void vfr_frags_destroy(struct vfr *v);

#endif
