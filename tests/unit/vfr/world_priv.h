/* SPDX-License-Identifier: BSD-2-Clause */
/* The test world from inside: what its files share. */
#ifndef WORLD_PRIV_H
#define WORLD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <vfr/vfr.h>

#include "craft.h"
#include "world.h"

#define DOMS 8
#define QUEUE 256

struct frame {
	uint16_t port, of, sched_class;	/* of: whose piece it is; VFR_NODOM: the router's own */
	uint32_t len;
	uint8_t b[2048];
};

struct world {
	struct vfr *v;
	uint64_t now;
	const struct row *row;
	const char *line;
	bool failed;
	struct vfr_pkt *last;
	struct crafted sent;		/* as it went in */
	int in_port;
	struct frame emitted[QUEUE];
	unsigned int e_head, e_tail;
	struct vfr_pkt *released[QUEUE];
	unsigned int r_head, r_tail;
	struct vfr_event events[QUEUE];
	unsigned int v_head, v_tail;
	struct vfr_counters want[DOMS];
	struct vfr_rule rules[DOMS + 1][64];
	uint32_t nrules[DOMS + 1];
	unsigned int live;
};

/* What the test allocates for a packet. */
struct test_pkt {
	struct vfr_pkt v;
	struct crafted orig;
	uint8_t b[70000];
};

/* world_build.c */
void fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void free_pkt(struct world *w, struct vfr_pkt *p);
uint32_t ip4(const char *name);
int port_of(const char *name);
void attach(struct world *w, uint16_t port);
void build(struct world *w);

/* world_expect.c: commands that say what must have happened */
void cmd_fwd(struct world *w, char *rest);
void cmd_drop(struct world *w, char *rest);
void cmd_consumed(struct world *w, char *rest);
void cmd_held(struct world *w, char *rest);
void cmd_emit(struct world *w, char *rest);
void cmd_piece(struct world *w, char *rest);
void cmd_joined(struct world *w, char *rest);
void cmd_rel(struct world *w, char *rest);
void cmd_reldrop(struct world *w, char *rest);
void cmd_relcons(struct world *w, char *rest);
void cmd_event(struct world *w, char *rest);
void cmd_emit_any(struct world *w, char *rest);
void cmd_rel_any(struct world *w, char *rest);
void cmd_also(struct world *w, char *rest);
void cmd_fwd_frag(struct world *w, char *rest);
void cmd_rel_frag(struct world *w, char *rest);
void cmd_turned(struct world *w, char *rest);
void cmd_class(struct world *w, char *rest);

/* world_conf.c: commands that change the configuration */
void cmd_claim(struct world *w, char *rest);
void cmd_free(struct world *w, char *rest);
void cmd_settle(struct world *w, char *rest);
void cmd_rule(struct world *w, char *rest);
void cmd_norules(struct world *w, char *rest);
void cmd_domain(struct world *w, char *rest);
void cmd_internal(struct world *w, char *rest);
void cmd_port(struct world *w, char *rest);
void cmd_detach(struct world *w, char *rest);
void cmd_mtu(struct world *w, char *rest);
void cmd_del(struct world *w, char *rest);
void cmd_announce(struct world *w, char *rest);
void cmd_noneigh(struct world *w, char *rest);
void cmd_owner(struct world *w, char *rest);
void cmd_proto(struct world *w, char *rest);
void cmd_ra(struct world *w, char *rest);
void cmd_prefix(struct world *w, char *rest);
void cmd_dhcp(struct world *w, char *rest);

#endif
