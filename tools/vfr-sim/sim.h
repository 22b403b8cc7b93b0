/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulator's machine: pretend domains behind the control_ops. */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <audit/audit.h>
#include <control/control.h>
#include <control/tap.h>
#include <vfr/vfr.h>

#define SIM_DOMAINS 4096
#define SIM_CONSOLE 65536
#define SIM_BLOBS 64
#define SIM_LOG 1024
#define SIM_UPLINK "net0"

struct sim_dom {
	bool used, running, net;
	char name[VC_NAME];
	uint8_t mac[6];
	uint64_t console_end;
	char *console;		/* the last SIM_CONSOLE bytes, a ring */
	struct vc_rate_set rate;
	struct vc_sub_set sub[VC_SUBS]; /* weight 0: none */
};

struct sim_blob {
	char name[VC_MODULE];
	uint64_t size;
	bool used, boot, complete;
};

struct sim {
	struct control *control;
	struct vfr *vfr;
	struct audit *audit;
	struct sim_dom dom[SIM_DOMAINS];
	struct sim_blob blob[SIM_BLOBS];
	unsigned int domains;	/* size of all tables; set before sim_init(), 0: SIM_DOMAINS */
	bool any_module;	/* --any-module: every kernel name is known */
	uint64_t mem_total, mem_free;
	uint64_t mem_of[SIM_DOMAINS];
	int fail_create;	/* --fail-create N: the N-th domain built from now on is refused; -1: none */
	uint64_t utc_floor;
	struct {
		uint64_t seq, ns;
		uint8_t level;
		char text[256];
	} log[SIM_LOG];
	uint64_t log_next;	/* number of the next record; they count from 1 */
	struct tap tap;
	char cpu_policy[VC_NAME];
	char policy[VC_NAME];	/* of the uplink's scheduler, and what its line carries (0: it is not paced) */
	uint64_t rate_bps;
};

extern const struct control_ops sim_ops;

/* => a machine with one uplink and no domain; ops: &sim_ops, or a copy with another send() */
int sim_init(struct sim *s, uint32_t hold_down_s, const struct control_ops *ops);
void sim_free(struct sim *s);
/* A test's clock; NULL: the real one. */
extern const uint64_t *sim_clock;
uint64_t sim_now(void);
void sim_log(struct sim *s, unsigned int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sim_console(struct sim *s, uint16_t domid, const char *bytes, size_t n);
/* => a frame from outside to the router, as the uplink would bring it: for tests of counters */
void sim_packet(struct sim *s, uint32_t dst, uint16_t dport);


/* Rates and sub-classes, and what schedulers would show of them. (classes.c) */
int sim_rate_set(void *machine, uint16_t domid, const struct vc_rate_set *rate, struct control_error *err);
int sim_class_info(void *machine, unsigned int link, uint16_t domid, struct vc_class_rec *out);
int sim_sub_set(void *machine, uint16_t domid, unsigned int index, const struct vc_sub_set *set, struct control_error *err);
int sim_sub_info(void *machine, unsigned int link, uint16_t domid, unsigned int index, struct vc_sub_rec *out);

#endif
