/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a vcpu that every x86 vendor shares: extended registers, which interrupt comes next, INIT and STARTUP.
 *
 * Extended state stays in the registers while the hypervisor runs, since that uses general registers only. With one CPU it
 * is written back when another vcpu needs the registers; with several at every parting, since any CPU may go on with it.
 */
#include "vcpu.h"

#include <errno.h>
#include <string.h>

#include <xen/hvm/params.h>

#include <hv/log.h>
#include <hv/subsys.h>

#include "x86.h"

const struct hvm_vendor *hvm;
uint64_t xstate_mask;
static uint32_t xstate_size;

#define XSTATE_X87_SSE 3UL
#define MXCSR_DEFAULT 0x1f80u
#define XSAVE_MXCSR_OFFSET 24

void xstate_init(void)
{
	struct cpuid_regs r = cpuid(0xd, 0);

	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (cpuid(1, 0).c & (1u << 26) ? CR4_OSXSAVE : 0));
	if (!(read_cr4() & CR4_OSXSAVE))
		panic("the CPU has no XSAVE");
	xstate_mask = ((uint64_t)r.d << 32 | r.a);
	xsetbv(0, xstate_mask);
	xstate_size = cpuid(0xd, 0).b;
}

static void xsave(uint8_t *area)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

static void xrstor(uint8_t *area)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

#define DR_MOVE(n, dir) \
	do { \
		if (dir) \
			__asm__ volatile("mov %0, %%dr" #n : : "r"(a->dr[n])); \
		else \
			__asm__ volatile("mov %%dr" #n ", %0" : "=r"(a->dr[n])); \
	} while (0)

static void write_back(struct vcpu *v)
{
	struct vcpu_arch *a = v->arch;

	/* The guest's own: QEMU 7.2 lets XSETBV pass although it is intercepted. */
	a->xcr0 = xgetbv(0);
	xsetbv(0, xstate_mask);
	xsave(a->xsave);
	DR_MOVE(0, false);
	DR_MOVE(1, false);
	DR_MOVE(2, false);
	DR_MOVE(3, false);
}

void vcpu_load_extended(struct vcpu *v)
{
	struct cpu *c = this_cpu();
	struct vcpu_arch *a = v->arch;

	if (c->loaded == v && a->loaded_cpu == c->id) {
		if (nr_cpus > 1)
			xsetbv(0, a->xcr0);
		return;
	}
	if (nr_cpus == 1 && c->loaded)
		write_back(c->loaded);
	xsetbv(0, xstate_mask);
	xrstor(a->xsave);
	xsetbv(0, a->xcr0);
	DR_MOVE(0, true);
	DR_MOVE(1, true);
	DR_MOVE(2, true);
	DR_MOVE(3, true);
	wrmsr(MSR_TSC_AUX, a->tsc_aux);
	c->loaded = v;
	a->loaded_cpu = c->id;
}

void vcpu_save_extended(struct vcpu *v)
{
	if (nr_cpus > 1)
		write_back(v);
}

int vcpu_arch_init(struct vcpu *v)
{
	struct vcpu_arch *a = env_alloc(sizeof(*a));

	if (!a)
		return -ENOMEM;
	v->arch = a;
	a->xcr0 = 1;
	a->loaded_cpu = ~0u;
	a->asid_cpu = ~0u;
	a->xsave = env_alloc(PAGE_SIZE > xstate_size ? PAGE_SIZE : xstate_size);
	if (!a->xsave || hvm->vcpu_init(v)) {
		vcpu_arch_destroy(v);
		return -ENOMEM;
	}
	/* x87 control word and MXCSR of a reset; the header's zero state bits make XRSTOR clear the rest */
	((uint16_t *)a->xsave)[0] = 0x37f;
	memcpy(a->xsave + XSAVE_MXCSR_OFFSET, &(uint32_t){ MXCSR_DEFAULT }, 4);
	vlapic_init(&a->lapic, v);
	return 0;
}

void vcpu_arch_destroy(struct vcpu *v)
{
	struct vcpu_arch *a = v->arch;

	if (!a)
		return;
	for (uint32_t i = 0; i < nr_cpus; i++)
		if (cpus[i].loaded == v)
			cpus[i].loaded = NULL;
	if (a->lapic.vcpu)
		vlapic_destroy(&a->lapic);
	if (a->vmcb)
		hvm->vcpu_destroy(v);
	env_free(a->xsave, PAGE_SIZE > xstate_size ? PAGE_SIZE : xstate_size);
	env_free(a, sizeof(*a));
	v->arch = NULL;
}

void vcpu_arch_boot_state(struct vcpu *v, uint32_t entry, uint32_t start_info)
{
	hvm->set_flat32(v, entry, start_info);
}

int vcpu_arch_set_context(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
	return hvm->set_context(v, ctx);
}

void vcpu_inject(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
	v->arch->pending_exception = INJECT_VALID | vector | (has_error ? INJECT_ERROR : 0);
	v->arch->pending_error = has_error ? error : 0;
}

/* --- interrupts ------------------------------------------------------------------------------------------------------- */

/* The domain's event upcall vector (HVM_PARAM_CALLBACK_IRQ of type vector), which does not go through the local APIC. */
static int callback_vector(const struct vcpu *v)
{
	uint64_t via = v->domain->hvm_params[HVM_PARAM_CALLBACK_IRQ];

	return via >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (int)(via & 0xff) : -1;
}

/* A vcpu with an upcall vector of its own gets it through its local APIC: pending until in service. */
static void raise_own_upcall(struct vcpu *v)
{
	struct vlapic *l = &v->arch->lapic;
	uint8_t vector = v->upcall_vector;

	if (!(l->isr[vector >> 5] >> (vector & 31) & 1))
		atomic_fetch_or(&l->irr[vector >> 6], 1UL << (vector & 63));
}

int vcpu_pending_vector(struct vcpu *v, bool *more, bool no_upcall)
{
	int upcall = -1, lapic;

	if (!no_upcall && vcpu_event_pending(v)) {
		if (v->upcall_vector)
			raise_own_upcall(v);
		else
			upcall = callback_vector(v);
	}
	lapic = vlapic_idle(&v->arch->lapic) ? -1 : vlapic_pending(&v->arch->lapic);
	*more = upcall >= 0 && lapic >= 0;
	return upcall >= 0 ? upcall : lapic;
}

void vcpu_vector_taken(struct vcpu *v, uint8_t vector)
{
	struct vlapic *l = &v->arch->lapic;

	if (atomic_load(&l->irr[vector >> 6]) >> (vector & 63) & 1)
		vlapic_take(l, vector);
}

void vcpu_arch_nmi(struct vcpu *v)
{
	atomic_store(&v->arch->nmi_pending, true);
	vcpu_wake(v);
}

bool vcpu_arch_interruptible(const struct vcpu *v)
{
	bool more;

	return vcpu_nmi_ready(v) || vcpu_pending_vector((struct vcpu *)v, &more, false) >= 0;
}
