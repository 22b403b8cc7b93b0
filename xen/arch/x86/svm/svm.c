/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD SVM with nested paging (AMD manual volume 2, chapter 15).
 *
 * Events reach the guest in two ways. EVENTINJ delivers at the entry itself: exceptions, and interrupts that were cut short
 * by an exit. V_IRQ delivers when the guest next has interrupts on, without an exit: that is the normal way. With a second
 * interrupt waiting behind the first, the opening of the window is intercepted (VINTR) so that none is left behind.
 *
 * A non-maskable interrupt is delivered by EVENTINJ, whatever the guest's flag says, but not within another one: IRET is
 * intercepted meanwhile, and the next may come once that was executed.
 *
 * Features used where the CPU says so: next-RIP save. Needed: nested paging. Not used: decode assists, clean bits, AVIC.
 */
#include "svm.h"

#include <errno.h>
#include <string.h>

#include <xen/hvm/hvm_vcpu.h>

#include <hv/boot.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include "../irqs_off.h"
#include "../paging.h"
#include "../time.h"
#include "../x86.h"

#define CPUID_SVM 0x8000000a
#define SVM_FEATURE_NPT (1u << 0)
#define VM_CR_SVMDIS (1UL << 4)
#define TLB_FLUSH_ALL 1
#define NMI_VECTOR 2

#define SEG_CODE32 0xc9b /* G, D, present, code */
#define SEG_DATA32 0xc93
#define SEG_CODE64 0xa9b
#define SEG_CODE16 0x09b
#define SEG_DATA16 0x093
#define SEG_TSS    0x08b
#define SEG_LDT    0x082

static paddr_t iopm, msrpm;
static uint32_t nr_asids;
static uint64_t asid_gen[MAX_CPUS];
static uint32_t next_asid[MAX_CPUS];

/* MSRs that the CPU keeps apart for the guest (VMLOAD/VMSAVE): no intercept. */
static const uint32_t direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, 0x174, 0x175, 0x176,
};

static const char *svm_missing(void)
{
	if (cpuid(0x80000000, 0).a < CPUID_SVM || !(cpuid(0x80000001, 0).c & (1u << 2)))
		return "the CPU has no AMD SVM";
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return "AMD SVM is disabled by the firmware";
	if (!(cpuid(CPUID_SVM, 0).d & SVM_FEATURE_NPT))
		return "the CPU's SVM has no nested paging";
	return NULL;
}

static void msr_allow(uint8_t *map, uint32_t msr)
{
	uint32_t bit = msr < 0x2000 ? msr * 2 : 0x4000 + (msr - 0xc0000000) * 2;

	map[bit / 8] &= (uint8_t)~(3u << (bit % 8));
}

static void make_maps(void)
{
	uint8_t *io = page_alloc_raw(2), *msr = page_alloc_raw(1);

	if (!io || !msr)
		panic("no memory for the I/O and MSR permission maps");
	memset(io, 0xff, 4 * PAGE_SIZE);
	memset(msr, 0xff, 2 * PAGE_SIZE);
	for (unsigned i = 0; i < ENV_ARRAY_SIZE(direct_msrs); i++)
		msr_allow(msr, direct_msrs[i]);
	iopm = virt_to_phys(io);
	msrpm = virt_to_phys(msr);
}

static void svm_cpu_enable(struct cpu *c)
{
	if (!iopm) {
		make_maps();
		nr_asids = cpuid(CPUID_SVM, 0).b;
		if (nr_asids < 2)
			nr_asids = 2;
	}
	c->hsave = page_alloc(0);
	void *host = page_alloc(0);
	if (!c->hsave || !host)
		panic("no memory for CPU %u", c->id);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, virt_to_phys(c->hsave));
	c->host_vmcb_pa = virt_to_phys(host);
	__asm__ volatile("vmsave %0" : : "a"(c->host_vmcb_pa) : "memory");
	asid_gen[c->id] = 1;
	next_asid[c->id] = 1;
}

static int svm_vcpu_init(struct vcpu *v)
{
	struct vmcb *b = page_alloc(0);

	if (!b)
		return -ENOMEM;
	v->arch->vmcb = b;
	v->arch->vmcb_pa = virt_to_phys(b);
	b->exceptions = 1u << 1 | 1u << 17 | 1u << 18; /* #DB and #AC can loop in the CPU for ever; #MC is ours */
	b->intercept1 = I1_INTR | I1_NMI | I1_SMI | I1_INIT | I1_RDPMC | I1_CPUID | I1_INVD | I1_HLT | I1_INVLPGA | I1_IOIO |
			I1_MSR | I1_TASKSW | I1_FERR | I1_SHUTDOWN;
	b->intercept2 = I2_VMRUN | I2_VMMCALL | I2_VMLOAD | I2_VMSAVE | I2_STGI | I2_CLGI | I2_SKINIT | I2_WBINVD |
			I2_MONITOR | I2_MWAIT | I2_MWAIT_C | I2_XSETBV;
	b->iopm_pa = iopm;
	b->msrpm_pa = msrpm;
	b->v_intr_masking = V_INTR_MASKING;
	b->np_enable = 1;
	b->n_cr3 = v->domain->p2m.root_pa;
	b->pat = 0x0007040600070406UL;
	return 0;
}

static void svm_vcpu_destroy(struct vcpu *v)
{
	page_free(v->arch->vmcb, 0);
	v->arch->vmcb = NULL;
}

/* --- register states -------------------------------------------------------------------------------------------------- */

static struct vmcb_segment segment(uint16_t selector, uint16_t attrib, uint32_t limit, uint64_t base)
{
	return (struct vmcb_segment){ selector, attrib, limit, base };
}

static void common_state(struct vcpu *v, struct vmcb_segment code, struct vmcb_segment data)
{
	struct vmcb *b = v->arch->vmcb;

	memset(v->arch->regs, 0, sizeof(v->arch->regs));
	b->cs = code;
	b->ds = b->es = b->ss = b->fs = b->gs = data;
	b->tr = segment(0, SEG_TSS, 0xffff, 0);
	b->ldtr = segment(0, SEG_LDT, 0xffff, 0);
	b->gdtr = b->idtr = segment(0, 0, 0xffff, 0);
	b->cpl = 0;
	b->efer = EFER_SVME;
	b->cr0 = CR0_ET;
	b->cr2 = b->cr3 = b->cr4 = 0;
	b->dr6 = 0xffff0ff0;
	b->dr7 = 0x400;
	b->rflags = 2;
	b->rax = b->rsp = b->rip = 0;
	b->eventinj = 0;
	b->interrupt_shadow = 0;
	b->v_irq = 0;
	b->star = b->lstar = b->cstar = b->sfmask = b->kernel_gs = 0;
	b->sysenter_cs = b->sysenter_esp = b->sysenter_eip = 0;
}

static void svm_set_flat32(struct vcpu *v, uint32_t entry, uint32_t rbx)
{
	common_state(v, segment(8, SEG_CODE32, ~0u, 0), segment(16, SEG_DATA32, ~0u, 0));
	v->arch->vmcb->cr0 = CR0_PE | CR0_ET;
	v->arch->vmcb->rip = entry;
	v->arch->regs[RBX] = rbx;
	/* The PVH ABI wants a task register of its full size and 32-bit */
	v->arch->vmcb->tr.limit = 0x67;
}

static void svm_set_real_mode(struct vcpu *v, uint8_t page)
{
	common_state(v, segment((uint16_t)(page << 8), SEG_CODE16, 0xffff, (uint64_t)page << 12), segment(0, SEG_DATA16, 0xffff, 0));
	v->arch->vmcb->cr0 = CR0_ET | CR0_CD | CR0_NW;
	v->arch->regs[RDX] = 0x600;
}

static int set_context32(struct vcpu *v, const struct vcpu_hvm_x86_32 *c)
{
	struct vmcb *b = v->arch->vmcb;
	/* Attributes as Xen's ABI packs them are those of the VMCB: 12 bits without the limit's nibble. */
	struct vmcb_segment cs = segment(0, c->cs_ar & 0xfff, c->cs_limit, c->cs_base);

	if (!(c->cs_ar & 0x80) || !(c->ss_ar & 0x80) || !(c->tr_ar & 0x80) || (c->cs_ar & 0x200))
		return -EINVAL;
	if ((c->cr0 & CR0_PG) && !(c->cr0 & CR0_PE))
		return -EINVAL;
	if (c->efer & ~(EFER_NXE | EFER_LME | EFER_LMA | EFER_SCE))
		return -EINVAL;
	common_state(v, cs, segment(0, c->ds_ar & 0xfff, c->ds_limit, c->ds_base));
	b->es = segment(0, c->es_ar & 0xfff, c->es_limit, c->es_base);
	b->ss = segment(0, c->ss_ar & 0xfff, c->ss_limit, c->ss_base);
	b->tr = segment(0, c->tr_ar & 0xfff, c->tr_limit, c->tr_base);
	b->cr0 = c->cr0 | CR0_ET;
	b->cr3 = c->cr3;
	b->cr4 = c->cr4;
	b->efer = c->efer | EFER_SVME;
	b->rip = c->eip;
	b->rsp = c->esp;
	b->rax = c->eax;
	b->rflags = (c->eflags & 0x3f7fd5) | 2;
	v->arch->regs[RCX] = c->ecx, v->arch->regs[RDX] = c->edx, v->arch->regs[RBX] = c->ebx;
	v->arch->regs[RBP] = c->ebp, v->arch->regs[RSI] = c->esi, v->arch->regs[RDI] = c->edi;
	return 0;
}

static int set_context64(struct vcpu *v, const struct vcpu_hvm_x86_64 *c)
{
	struct vmcb *b = v->arch->vmcb;

	if (!(c->cr0 & CR0_PG) || !(c->cr0 & CR0_PE) || !(c->cr4 & CR4_PAE) || !(c->efer & EFER_LME) || !(c->efer & EFER_LMA))
		return -EINVAL;
	if (c->efer & ~(EFER_NXE | EFER_LME | EFER_LMA | EFER_SCE))
		return -EINVAL;
	common_state(v, segment(0, SEG_CODE64, ~0u, 0), segment(0, SEG_DATA32, ~0u, 0));
	b->cr0 = c->cr0 | CR0_ET;
	b->cr3 = c->cr3;
	b->cr4 = c->cr4;
	b->efer = c->efer | EFER_SVME;
	b->rip = c->rip;
	b->rsp = c->rsp;
	b->rax = c->rax;
	b->rflags = (c->rflags & 0x3f7fd5) | 2;
	v->arch->regs[RCX] = c->rcx, v->arch->regs[RDX] = c->rdx, v->arch->regs[RBX] = c->rbx;
	v->arch->regs[RBP] = c->rbp, v->arch->regs[RSI] = c->rsi, v->arch->regs[RDI] = c->rdi;
	return 0;
}

static int svm_set_context(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
	switch (ctx->mode) {
	case VCPU_HVM_MODE_32B:
		return set_context32(v, &ctx->cpu_regs.x86_32);
	case VCPU_HVM_MODE_64B:
		return set_context64(v, &ctx->cpu_regs.x86_64);
	}
	return -EINVAL;
}

static bool svm_interrupts_enabled(const struct vcpu *v)
{
	return (v->arch->vmcb->rflags & RFLAGS_IF) && !(v->arch->vmcb->interrupt_shadow & 1);
}

static void svm_paging(const struct vcpu *v, struct guest_paging *out)
{
	const struct vmcb *b = v->arch->vmcb;

	*out = (struct guest_paging){ b->cr0, b->cr3, b->cr4, b->efer & ~EFER_SVME };
}

/* LMA is the CPU's to set; LME cannot change while paging is on. */
static bool svm_set_efer(struct vcpu *v, uint64_t val)
{
	struct vmcb *b = v->arch->vmcb;

	if (val & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR))
		return false;
	if ((b->cr0 & CR0_PG) && ((val ^ b->efer) & EFER_LME))
		return false;
	b->efer = (val & ~EFER_LMA) | (b->efer & EFER_LMA) | EFER_SVME;
	return true;
}

static uint64_t *svm_pat(struct vcpu *v)
{
	return &v->arch->vmcb->pat;
}

/* --- one run ---------------------------------------------------------------------------------------------------------- */

/* An address space number on this CPU; numbers are given anew, after a flush of all, when they run out. */
static void assign_asid(struct vcpu *v, uint32_t cpu)
{
	struct vcpu_arch *a = v->arch;
	uint64_t flush = atomic_load(&v->domain->p2m.flush_gen);

	a->vmcb->tlb_control = 0;
	if (a->asid_cpu != cpu || a->asid_gen != asid_gen[cpu] || atomic_load(&a->flush_seen) != flush) {
		if (next_asid[cpu] >= nr_asids) {
			asid_gen[cpu]++;
			next_asid[cpu] = 1;
			a->vmcb->tlb_control = TLB_FLUSH_ALL;
		}
		a->asid = next_asid[cpu]++;
		a->asid_cpu = cpu;
		a->asid_gen = asid_gen[cpu];
		a->vmcb->asid = a->asid;
		atomic_store(&a->flush_seen, flush);
	}
}

/*
 * Between STI and HLT. The shadow of STI keeps the interrupt away until the guest sleeps; delivered before, it would leave the
 * guest asleep with nothing to wake it. QEMU 7.2 saves the shadow at an exit and forgets it at the next entry. HLT comes out
 * at once, and what waits is looked at then.
 */
static bool falls_asleep(struct vcpu *v)
{
	return (v->arch->vmcb->interrupt_shadow & 1) && svm_insn_length(v, (const uint8_t[]){ 0xf4 }, 1);
}

/* What is to be delivered at this entry. */
static void inject(struct vcpu *v)
{
	struct vmcb *b = v->arch->vmcb;
	bool more = false;

	b->intercept1 &= ~I1_VINTR;
	b->v_irq = 0;
	if (v->arch->pending_exception & INJECT_VALID) {
		b->eventinj = (v->arch->pending_exception & 0xff) | EVENT_EXCEPTION | EVENT_VALID |
			      (v->arch->pending_exception & INJECT_ERROR) | (uint64_t)v->arch->pending_error << 32;
		v->arch->pending_exception = 0;
	}
	if (vcpu_nmi_ready(v) && !b->eventinj && !(b->interrupt_shadow & 1)) {
		atomic_store(&v->arch->nmi_pending, false);
		v->arch->nmi_masked = true;
		b->eventinj = NMI_VECTOR | EVENT_NMI | EVENT_VALID;
		b->intercept1 |= I1_IRET;
	}
	int vector = vcpu_pending_vector(v, &more, false);
	if (vector < 0 || falls_asleep(v))
		return;
	if (more && !b->eventinj && svm_interrupts_enabled(v)) {
		b->eventinj = (uint64_t)vector | EVENT_INTR | EVENT_VALID;
		vcpu_vector_taken(v, (uint8_t)vector);
		vector = vcpu_pending_vector(v, &more, true);
		if (vector < 0)
			return;
	}
	b->v_irq = V_IRQ;
	b->v_intr_prio = V_IGN_TPR | (uint8_t)(vector >> 4);
	b->v_intr_vector = (uint8_t)vector;
	if (more)
		b->intercept1 |= I1_VINTR;
}

/* After the run: which of the things offered was taken, and what was cut short in delivery. */
static void after_run(struct vcpu *v, bool offered)
{
	struct vmcb *b = v->arch->vmcb;

	b->eventinj = 0;
	if (v->arch->nmi_ends && b->rip != v->arch->nmi_end_rip)
		v->arch->nmi_masked = v->arch->nmi_ends = false;
	if (offered && !(b->v_irq & V_IRQ))
		vcpu_vector_taken(v, b->v_intr_vector);
	if (b->exitintinfo & EVENT_VALID) {
		uint64_t type = b->exitintinfo & EVENT_TYPE_MASK;
		/* Software interrupts are executed again, as the instruction has not finished. */
		if (type != EVENT_SOFT)
			b->eventinj = b->exitintinfo;
	}
}

static void svm_run(struct vcpu *v)
{
	struct cpu *c = this_cpu();
	struct vmcb *b = v->arch->vmcb;

	inject(v);
	bool offered = b->v_irq & V_IRQ;
	b->rax = v->arch->regs[RAX];
	b->rsp = v->arch->regs[RSP];
	atomic_store(&c->in_guest, true);
	assign_asid(v, c->id);
	/* A kick that came before in_guest was seen would be lost: look once more. */
	if ((atomic_load(&c->softirq_pending) && !c->guest_turn) || atomic_load(&c->need_resched) || atomic_load(&v->work)) {
		atomic_store(&c->in_guest, false);
		return; /* what stands in EVENTINJ stays there for the next try */
	}
	uint64_t rip = b->rip, shadow = b->interrupt_shadow & 1;
	irqs_off_end(c);
	svm_enter(v->arch->regs, v->arch->vmcb_pa, c->host_vmcb_pa);
	irqs_off_begin(c);
	atomic_store_explicit(&c->in_guest, false, memory_order_release);
	v->arch->regs[RAX] = b->rax;
	v->arch->regs[RSP] = b->rsp;
	v->arch->exits++;
	if (b->rip == rip) /* no instruction was run: the shadow stands, whatever the entry made of it */
		b->interrupt_shadow |= shadow;
	after_run(v, offered);
	svm_exit(v);
}

const struct hvm_vendor svm_vendor = {
	.name = "AMD SVM with nested paging",
	.missing = svm_missing,
	.cpu_enable = svm_cpu_enable,
	.vcpu_init = svm_vcpu_init,
	.vcpu_destroy = svm_vcpu_destroy,
	.run = svm_run,
	.set_flat32 = svm_set_flat32,
	.set_real_mode = svm_set_real_mode,
	.set_context = svm_set_context,
	.interrupts_enabled = svm_interrupts_enabled,
	.paging = svm_paging,
	.set_efer = svm_set_efer,
	.pat = svm_pat,
};
