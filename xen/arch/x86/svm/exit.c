/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits: a const table from exit code to handler (AMD manual volume 2, appendix C). A handler acts on the vcpu and moves its
 * instruction pointer where the instruction is done; the next entry follows from the CPU loop.
 */
#include "svm.h"

#include <string.h>

#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include "../x86.h"

#define UD 6
#define GP 13

static void inject_ud(struct vcpu *v)
{
	vcpu_inject(v, UD, false, 0);
}

static void inject_gp(struct vcpu *v)
{
	vcpu_inject(v, GP, true, 0);
}

static void crash(struct vcpu *v, const char *why)
{
	const struct vmcb *b = v->arch->vmcb;

	log_warn("dom%u '%s' vcpu %u: %s at rip %#lx (exit %#lx, info %#lx %#lx)", v->domain->id, v->domain->name, v->id, why,
		 b->rip, b->exitcode, b->exitinfo1, b->exitinfo2);
	domain_shutdown(v->domain, STOP_CRASH);
}

/* The interrupt, or the IPI, is taken in the CPU loop's window. */
static void exit_intr(struct vcpu *v)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

static void exit_nothing(struct vcpu *v)
{
}

/* #DB and #AC are the guest's: handed on. #MC: the machine is broken. */
static void exit_db(struct vcpu *v)
{
	vcpu_inject(v, 1, false, 0);
}

static void exit_ac(struct vcpu *v)
{
	vcpu_inject(v, 17, true, (uint32_t)v->arch->vmcb->exitinfo1);
}

static void exit_mc(struct vcpu *v)
{
	panic("machine check while dom%u ran", v->domain->id);
}

static void exit_cpuid(struct vcpu *v)
{
	unsigned len = svm_insn_length(v, (const uint8_t[]){ 0x0f, 0xa2 }, 2);

	if (!len)
		return;
	guest_cpuid(v);
	svm_skip(v, len);
}

static void exit_hlt(struct vcpu *v)
{
	unsigned len = svm_insn_length(v, (const uint8_t[]){ 0xf4 }, 1);

	if (!len)
		return;
	svm_skip(v, len);
	if (!(v->arch->vmcb->rflags & RFLAGS_IF) && !vcpu_nmi_ready(v))
		vcpu_down(v);
	else if (!vcpu_arch_interruptible(v))
		vcpu_block(v);
}

static void exit_io(struct vcpu *v)
{
	struct vmcb *b = v->arch->vmcb;
	uint64_t info = b->exitinfo1, *rax = &v->arch->regs[RAX];
	unsigned size = info >> 4 & 7;
	uint16_t port = (uint16_t)(info >> 16);
	uint64_t mask = size == 4 ? 0xffffffff : (1UL << size * 8) - 1;

	if (info & 0x0c) { /* string forms: no device of ours moves blocks */
		inject_gp(v);
		return;
	}
	b->rip = b->exitinfo2;
	b->interrupt_shadow = 0;
	if (!(info & 1))
		guest_io_out(v, port, size, (uint32_t)(*rax & mask));
	else if (size == 4)
		*rax = guest_io_in(v, port, size);
	else
		*rax = (*rax & ~mask) | (guest_io_in(v, port, size) & mask);
}

static void exit_msr(struct vcpu *v)
{
	uint64_t *g = v->arch->regs, val = 0;
	bool write = v->arch->vmcb->exitinfo1 & 1, ok;
	unsigned len = svm_insn_length(v, write ? (const uint8_t[]){ 0x0f, 0x30 } : (const uint8_t[]){ 0x0f, 0x32 }, 2);

	if (!len)
		return;
	if (write) {
		ok = guest_wrmsr(v, (uint32_t)g[RCX], g[RDX] << 32 | (uint32_t)g[RAX]);
	} else {
		ok = guest_rdmsr(v, (uint32_t)g[RCX], &val);
		if (ok) {
			g[RAX] = (uint32_t)val;
			g[RDX] = val >> 32;
		}
	}
	if (ok)
		svm_skip(v, len);
	else
		inject_gp(v);
}

/* It runs now; after_run() sees when it has. */
static void exit_iret(struct vcpu *v)
{
	v->arch->vmcb->intercept1 &= ~I1_IRET;
	v->arch->nmi_ends = v->arch->nmi_masked;
	v->arch->nmi_end_rip = v->arch->vmcb->rip;
}

static void exit_shutdown(struct vcpu *v)
{
	log_warn("dom%u '%s' vcpu %u: triple fault", v->domain->id, v->domain->name, v->id);
	domain_shutdown(v->domain, STOP_REBOOT);
}

static void exit_vmmcall(struct vcpu *v)
{
	struct vmcb *b = v->arch->vmcb;
	uint64_t *g = v->arch->regs;
	struct hypercall_args args = { { g[RDI], g[RSI], g[RDX], g[R10], g[R8], g[R9] } };

	if (b->cpl) {
		inject_gp(v);
		return;
	}
	if (!(b->efer & EFER_LMA) || !(b->cs.attrib & 0x200)) {
		svm_skip(v, 3);
		g[RAX] = (uint32_t)-38; /* ENOSYS: the 32-bit hypercall ABI is not offered */
		return;
	}
	int64_t ret = hypercall_dispatch(v, g[RAX], &args);
	if (ret != HYPERCALL_AGAIN) {
		g[RAX] = (uint64_t)ret;
		svm_skip(v, 3);
		return;
	}
	/* Executed again: progress is in the arguments. */
	g[RDI] = args.a[0], g[RSI] = args.a[1], g[RDX] = args.a[2];
	g[R10] = args.a[3], g[R8] = args.a[4], g[R9] = args.a[5];
}

static void exit_wbinvd(struct vcpu *v)
{
	unsigned len = svm_insn_length(v, (const uint8_t[]){ 0x0f, 0x09 }, 2);

	if (!len) /* QEMU 7.2 gives this exit for INVD as well */
		len = svm_insn_length(v, (const uint8_t[]){ 0x0f, 0x08 }, 2);
	if (len)
		svm_skip(v, len); /* no device of the guest sees memory past the caches */
}

static void exit_invd(struct vcpu *v)
{
	unsigned len = svm_insn_length(v, (const uint8_t[]){ 0x0f, 0x08 }, 2);

	if (len)
		svm_skip(v, len);
}

/* XCR0: x87 always; AVX needs SSE; parts of one feature go together (AMD manual volume 2, 11.5.2). */
static bool valid_xcr0(uint64_t val)
{
	uint64_t avx512 = val & 0xe0, mpx = val & 0x18, amx = val & 0x60000;

	return (val & 1) && !(val & ~xstate_mask) && !((val & 4) && !(val & 2)) && (!avx512 || (avx512 == 0xe0 && (val & 4))) &&
	       (!mpx || mpx == 0x18) && (!amx || amx == 0x60000);
}

static void exit_xsetbv(struct vcpu *v)
{
	uint64_t *g = v->arch->regs, val = g[RDX] << 32 | (uint32_t)g[RAX];
	unsigned len = svm_insn_length(v, (const uint8_t[]){ 0x0f, 0x01, 0xd1 }, 3);

	if (!len)
		return;
	if (v->arch->vmcb->cpl || (uint32_t)g[RCX] || !valid_xcr0(val)) {
		inject_gp(v);
		return;
	}
	v->arch->xcr0 = val;
	xsetbv(0, val);
	svm_skip(v, len);
}

static void exit_npf(struct vcpu *v)
{
	struct vmcb *b = v->arch->vmcb;
	uint64_t addr = b->exitinfo2;
	bool write = b->exitinfo1 & 2;

	if (p2m_fault(v->domain, addr >> PAGE_SHIFT, write))
		return;
	if (!svm_mmio(v, addr))
		crash(v, "access to an address without memory");
}

static void exit_refused(struct vcpu *v)
{
	crash(v, "the CPU refuses the guest's state");
}

typedef void (*exit_fn)(struct vcpu *v);

static const exit_fn exits[] = {
	[EXIT_EXCP0 + 1] = exit_db,
	[EXIT_EXCP0 + 17] = exit_ac,
	[EXIT_EXCP0 + 18] = exit_mc,
	[EXIT_INTR] = exit_intr,
	[EXIT_NMI] = exit_intr,
	[EXIT_SMI] = exit_nothing,
	[EXIT_INIT] = exit_nothing,
	[EXIT_VINTR] = exit_nothing,
	[EXIT_RDPMC] = inject_gp,
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_IRET] = exit_iret,
	[EXIT_INVD] = exit_invd,
	[EXIT_HLT] = exit_hlt,
	[EXIT_INVLPGA] = inject_ud,
	[EXIT_IOIO] = exit_io,
	[EXIT_MSR] = exit_msr,
	[EXIT_TASKSW] = inject_ud,
	[EXIT_SHUTDOWN] = exit_shutdown,
	[EXIT_VMRUN] = inject_ud,
	[EXIT_VMMCALL] = exit_vmmcall,
	[EXIT_VMLOAD] = inject_ud,
	[EXIT_VMSAVE] = inject_ud,
	[EXIT_STGI] = inject_ud,
	[EXIT_CLGI] = inject_ud,
	[EXIT_SKINIT] = inject_ud,
	[EXIT_WBINVD] = exit_wbinvd,
	[EXIT_MONITOR] = inject_ud,
	[EXIT_MWAIT] = inject_ud,
	[EXIT_MWAIT_C] = inject_ud,
	[EXIT_XSETBV] = exit_xsetbv,
};

void svm_exit(struct vcpu *v)
{
	uint64_t code = v->arch->vmcb->exitcode;

	if (code == EXIT_NPF)
		exit_npf(v);
	else if ((uint32_t)code == EXIT_INVALID_LOW)
		exit_refused(v);
	else if (code < ENV_ARRAY_SIZE(exits) && exits[code])
		exits[code](v);
	else
		crash(v, "unknown exit");
}
