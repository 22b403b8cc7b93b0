/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: one const table, one function each. Buffers are guest-virtual and reached with gva_read()/gva_write() of the
 * calling vcpu. A handler that has run for its bound of work returns HYPERCALL_AGAIN after storing its progress in the
 * guest's arguments: the vcpu re-executes the call after the CPU loop has looked at interrupts and softirqs.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <stdint.h>

struct vcpu;

#define HYPERCALL_AGAIN ((int64_t)0x8000000000000001)

struct hypercall_args {
	uint64_t a[6]; /* rdi, rsi, rdx, r10, r8, r9: handlers may change them before HYPERCALL_AGAIN */
};

typedef int64_t (*hypercall_fn)(struct vcpu *v, struct hypercall_args *args);

/* Called by the exit handler for VMMCALL from 64-bit CPL 0. Returns the value for rax, or HYPERCALL_AGAIN. */
int64_t hypercall_dispatch(struct vcpu *v, uint64_t nr, struct hypercall_args *args);

int64_t do_memory_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_multicall(struct vcpu *v, struct hypercall_args *args);
int64_t do_set_timer_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_xen_version(struct vcpu *v, struct hypercall_args *args);
int64_t do_console_io(struct vcpu *v, struct hypercall_args *args);
int64_t do_grant_table_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_vcpu_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_sched_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_event_channel_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_physdev_op(struct vcpu *v, struct hypercall_args *args);
int64_t do_hvm_op(struct vcpu *v, struct hypercall_args *args);

#endif
