/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 part of a vcpu, and the seam to the vendor's virtualisation extension: everything that differs between AMD SVM and
 * another one is behind struct hvm_vendor, chosen once at boot by CPUID.
 */
#ifndef ARCH_X86_VCPU_H
#define ARCH_X86_VCPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <hv/domain.h>

#include "vlapic.h"

/* General registers in the order of the instruction encoding; rsp and rax are also known to the vendor part. */
enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NR_REGS };

struct vmcb;
struct vcpu_hvm_context;

struct guest_paging {
	uint64_t cr0, cr3, cr4, efer;
};

#define VCPU_WALKS 8

/* One walk of the guest's page tables, for the next time (guest_walk.c). => p2m.lock */
struct guest_walk {
	uint64_t page;               /* its last byte's virtual address; 0: nothing here */
	struct guest_paging paging;  /* as it was then */
	uint64_t changes;            /* p2m.changes then */
	unsigned levels;
	bool writable;
	uint64_t *entry[4];          /* table entries on the way, in the guest's memory */
	uint64_t value[4];           /* what they said */
	uint64_t gfn;
	uint8_t *host;               /* the page itself; NULL: another domain's that must not be written */
};

struct vcpu_arch {
	uint64_t regs[NR_REGS];      /* first: svm/entry.S knows the offsets. RAX and RSP are kept in the VMCB while it runs */
	struct vmcb *vmcb;
	paddr_t vmcb_pa;
	_Atomic uint64_t flush_seen; /* p2m.flush_gen at the last entry */
	uint32_t asid, asid_cpu;
	uint64_t asid_gen;
	struct vlapic lapic;
	uint64_t tsc_aux;
	uint64_t xcr0;
	uint8_t *xsave;              /* extended state while not in the registers */
	uint64_t dr[4];
	uint32_t loaded_cpu;         /* whose registers may still hold the extended state */
	uint32_t pending_exception;  /* vector | INJECT_ERROR | INJECT_VALID, delivered at the next entry */
	uint32_t pending_error;
	_Atomic bool nmi_pending;    /* set by any CPU */
	bool nmi_masked;             /* one was delivered, and its IRET was not executed */
	bool nmi_ends;               /* ... but is about to be, at nmi_end_rip */
	uint64_t nmi_end_rip;
	uint64_t exits;
	struct guest_walk walk[VCPU_WALKS];
};

#define INJECT_VALID (1u << 31)
#define INJECT_ERROR (1u << 11)

struct hvm_vendor {
	const char *name;
	/* NULL: present and usable, else why not. */
	const char *(*missing)(void);
	void (*cpu_enable)(struct cpu *c);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
	/* Enter the guest once, come back with the exit handled. */
	void (*run)(struct vcpu *v);
	void (*set_flat32)(struct vcpu *v, uint32_t entry, uint32_t rbx);
	void (*set_real_mode)(struct vcpu *v, uint8_t startup_page);
	int (*set_context)(struct vcpu *v, const struct vcpu_hvm_context *ctx);
	bool (*interrupts_enabled)(const struct vcpu *v);
	void (*paging)(const struct vcpu *v, struct guest_paging *out);
	bool (*set_efer)(struct vcpu *v, uint64_t val);
	uint64_t *(*pat)(struct vcpu *v);
};

extern const struct hvm_vendor svm_vendor;
extern const struct hvm_vendor *hvm;

/* Extended state (x87/SSE/AVX, debug registers, TSC_AUX): bring v's into the registers of this CPU. */
void vcpu_load_extended(struct vcpu *v);
/* v leaves this CPU: another one may load it from memory. */
void vcpu_save_extended(struct vcpu *v);
/* Sizes and masks of the extended state; on each CPU. */
void xstate_init(void);
extern uint64_t xstate_mask;

/* Inject an exception into the guest at its next entry (a second one makes it a double fault, a third a shutdown). */
void vcpu_inject(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error);

/*
 * The interrupt that is to be delivered next: vector, or -1. *more: a second one waits behind it. The event upcall comes
 * first; no_upcall leaves it out, for the one behind it.
 */
int vcpu_pending_vector(struct vcpu *v, bool *more, bool no_upcall);
/* Is a non-maskable interrupt to be delivered now? */
static inline bool vcpu_nmi_ready(const struct vcpu *v)
{
	return atomic_load_explicit(&v->arch->nmi_pending, memory_order_relaxed) && !v->arch->nmi_masked;
}
/* The guest has taken `vector`. */
void vcpu_vector_taken(struct vcpu *v, uint8_t vector);

/* Exits that do not depend on the vendor. They leave the instruction pointer to the caller. */
void guest_cpuid(struct vcpu *v);
/* false: #GP */
bool guest_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool guest_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val);
uint32_t guest_io_in(struct vcpu *v, uint16_t port, unsigned size);
void guest_io_out(struct vcpu *v, uint16_t port, unsigned size, uint32_t val);

#endif
