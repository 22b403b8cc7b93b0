/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls through the page that the hypervisor filled in: entry NR is at NR * 32. Typed wrappers for those that the kernel uses. */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

extern char hypercall_page[];

/* Any number, any arguments: what tests of bad input use. */
static inline long hypercall(unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t r10 __asm__("r10") = a4;
	register uint64_t r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("call *%[fn]"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : [fn] "r"(hypercall_page + nr * 32)
			 : "memory", "rcx", "r11");
	return ret;
}

#define HYPERCALL(nr, a1, a2, a3) hypercall(nr, (uint64_t)(a1), (uint64_t)(a2), (uint64_t)(a3), 0, 0)

static inline int hv_memory(unsigned int op, void *arg) { return (int)HYPERCALL(__HYPERVISOR_memory_op, op, arg, 0); }
static inline int hv_event(unsigned int op, void *arg) { return (int)HYPERCALL(__HYPERVISOR_event_channel_op, op, arg, 0); }
static inline int hv_sched(unsigned int op, void *arg) { return (int)HYPERCALL(__HYPERVISOR_sched_op, op, arg, 0); }
static inline int hv_hvm(unsigned int op, void *arg) { return (int)HYPERCALL(__HYPERVISOR_hvm_op, op, arg, 0); }
static inline int hv_version(unsigned int op, void *arg) { return (int)HYPERCALL(__HYPERVISOR_xen_version, op, arg, 0); }

static inline int hv_vcpu(unsigned int op, unsigned int vcpu, void *arg)
{
	return (int)HYPERCALL(__HYPERVISOR_vcpu_op, op, vcpu, arg);
}

static inline int hv_grant(unsigned int op, void *arg, unsigned int count)
{
	return (int)HYPERCALL(__HYPERVISOR_grant_table_op, op, arg, count);
}

static inline int hv_console(unsigned int op, unsigned int len, char *buf)
{
	return (int)HYPERCALL(__HYPERVISOR_console_io, op, len, buf);
}

/* Kick the other end of a port: the one hypercall of the fast path. */
static inline void hv_notify(evtchn_port_t port)
{
	struct evtchn_send send = { .port = port };

	hv_event(EVTCHNOP_send, &send);
}
#endif
