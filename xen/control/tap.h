/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tap: packets that have their verdict are filtered by a classic BPF program and copied into a buffer that the control port reads.
 * One capture at a time. While none runs, tap_on() is all that a packet costs. Any CPU may call; one lock inside.
 */
#ifndef CONTROL_TAP_H
#define CONTROL_TAP_H

#include <env.h>
#include <public/vfr_control.h>

#define TAP_BYTES 262144u

struct tap {
	atomic_bool on;
	struct env_lock lock;	/* guards all below */
	uint32_t id, last_id;
	int domid;		/* -1: every packet */
	unsigned int flags, snaplen, insns;
	struct vc_bpf_insn prog[VC_BPF_MAX];
	size_t len;		/* bytes of records that wait */
	uint32_t lost;
	uint8_t *buf;		/* TAP_BYTES; there while a capture runs */
};

/* A packet as the tap sees it: `bytes` are the first `linear` of `len`. Domain ids as the router has them, 0xffff: outside. */
struct tap_packet {
	uint64_t utc_ns;
	const uint8_t *bytes;
	uint32_t linear, len;
	uint16_t src_dom, dst_dom;
	uint16_t reason;	/* of a drop; 0: none */
	bool dropped;
};

static inline bool tap_on(const struct tap *t)
{
	return atomic_load_explicit(&t->on, memory_order_relaxed);
}

/* => the program has been checked; -EBUSY, -ENOMEM */
int tap_start(struct tap *t, int domid, unsigned int flags, unsigned int snaplen, const struct vc_bpf_insn *prog, unsigned int insns,
	      uint32_t *id);
/* => whole records into buf; bytes used. *lost counts what did not fit since the last read. */
size_t tap_read(struct tap *t, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost);
void tap_stop(struct tap *t, uint32_t id);
void tap_packet(struct tap *t, const struct tap_packet *p);

/* bpf.c: => safe to run: jumps go forward and stay inside, memory indices are small, it ends in a return */
bool bpf_check(const struct vc_bpf_insn *prog, unsigned int n);
/* => what the program returns for the packet: 0 to leave it out. Loads beyond `linear` bytes leave it out. */
uint32_t bpf_run(const struct vc_bpf_insn *prog, unsigned int n, const uint8_t *p, uint32_t linear, uint32_t len);

#endif
