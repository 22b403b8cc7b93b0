/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual machine control block: AMD manual volume 2, appendix B, and the exit codes of appendix C. */
#ifndef ARCH_X86_SVM_VMCB_H
#define ARCH_X86_SVM_VMCB_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct vmcb_segment {
	uint16_t selector, attrib;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* control area */
	uint16_t cr_read, cr_write, dr_read, dr_write;
	uint32_t exceptions;
	uint32_t intercept1, intercept2, intercept3;
	uint8_t reserved0[0x3c - 0x18];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm_pa, msrpm_pa, tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, reserved1[3];
	uint8_t v_tpr;
	uint8_t v_irq;          /* V_IRQ, VGIF, … bits 8-15 of the field */
	uint8_t v_intr_prio;    /* bits 16-23 */
	uint8_t v_intr_masking; /* bits 24-31 */
	uint8_t v_intr_vector, reserved2[3];
	uint64_t interrupt_shadow;
	uint64_t exitcode, exitinfo1, exitinfo2;
	uint64_t exitintinfo;
	uint64_t np_enable;
	uint64_t avic_bar, ghcb;
	uint64_t eventinj;
	uint64_t n_cr3;
	uint64_t lbr_enable;
	uint32_t clean, reserved3;
	uint64_t nrip;
	uint8_t insn_len, insn_bytes[15];
	uint8_t reserved4[0x400 - 0xe0];
	/* state save area */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved5[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved6;
	uint64_t efer;
	uint8_t reserved7[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved8[0x5d8 - 0x580];
	uint64_t rsp, s_cet, ssp, isst;
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved9[0x668 - 0x648];
	uint64_t pat, dbgctl, br_from, br_to, lastexcp_from, lastexcp_to;
	uint8_t reserved10[0x1000 - 0x698];
};

static_assert(offsetof(struct vmcb, iopm_pa) == 0x40, "VMCB layout");
static_assert(offsetof(struct vmcb, asid) == 0x58, "VMCB layout");
static_assert(offsetof(struct vmcb, v_tpr) == 0x60, "VMCB layout");
static_assert(offsetof(struct vmcb, exitcode) == 0x70, "VMCB layout");
static_assert(offsetof(struct vmcb, np_enable) == 0x90, "VMCB layout");
static_assert(offsetof(struct vmcb, eventinj) == 0xa8, "VMCB layout");
static_assert(offsetof(struct vmcb, nrip) == 0xc8, "VMCB layout");
static_assert(offsetof(struct vmcb, es) == 0x400, "VMCB layout");
static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "VMCB layout");
static_assert(offsetof(struct vmcb, efer) == 0x4d0, "VMCB layout");
static_assert(offsetof(struct vmcb, cr4) == 0x548, "VMCB layout");
static_assert(offsetof(struct vmcb, rip) == 0x578, "VMCB layout");
static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "VMCB layout");
static_assert(offsetof(struct vmcb, rax) == 0x5f8, "VMCB layout");
static_assert(offsetof(struct vmcb, cr2) == 0x640, "VMCB layout");
static_assert(offsetof(struct vmcb, pat) == 0x668, "VMCB layout");
static_assert(sizeof(struct vmcb) == 0x1000, "VMCB layout");

/* intercept1 */
#define I1_INTR     (1u << 0)
#define I1_NMI      (1u << 1)
#define I1_SMI      (1u << 2)
#define I1_INIT     (1u << 3)
#define I1_VINTR    (1u << 4)
#define I1_RDPMC    (1u << 15)
#define I1_CPUID    (1u << 18)
#define I1_IRET     (1u << 20)
#define I1_INVD     (1u << 22)
#define I1_HLT      (1u << 24)
#define I1_INVLPGA  (1u << 26)
#define I1_IOIO     (1u << 27)
#define I1_MSR      (1u << 28)
#define I1_TASKSW   (1u << 29)
#define I1_FERR     (1u << 30)
#define I1_SHUTDOWN (1u << 31)
/* intercept2 */
#define I2_VMRUN   (1u << 0)
#define I2_VMMCALL (1u << 1)
#define I2_VMLOAD  (1u << 2)
#define I2_VMSAVE  (1u << 3)
#define I2_STGI    (1u << 4)
#define I2_CLGI    (1u << 5)
#define I2_SKINIT  (1u << 6)
#define I2_WBINVD  (1u << 9)
#define I2_MONITOR (1u << 10)
#define I2_MWAIT   (1u << 11)
#define I2_MWAIT_C (1u << 12)
#define I2_XSETBV  (1u << 13)

#define V_IRQ         (1u << 0)  /* of v_irq */
#define V_IGN_TPR     (1u << 4)  /* of v_intr_prio */
#define V_INTR_MASKING (1u << 0) /* of v_intr_masking */

#define EVENT_VALID (1UL << 31)
#define EVENT_ERROR (1UL << 11)
enum { EVENT_INTR = 0 << 8, EVENT_NMI = 2 << 8, EVENT_EXCEPTION = 3 << 8, EVENT_SOFT = 4 << 8 };
#define EVENT_TYPE_MASK (7UL << 8)

enum exit_code {
	EXIT_EXCP0 = 0x40, EXIT_INTR = 0x60, EXIT_NMI = 0x61, EXIT_SMI = 0x62, EXIT_INIT = 0x63, EXIT_VINTR = 0x64,
	EXIT_RDPMC = 0x6f, EXIT_CPUID = 0x72, EXIT_IRET = 0x74, EXIT_INVD = 0x76, EXIT_HLT = 0x78, EXIT_INVLPGA = 0x7a, EXIT_IOIO = 0x7b,
	EXIT_MSR = 0x7c, EXIT_TASKSW = 0x7d, EXIT_SHUTDOWN = 0x7f, EXIT_VMRUN = 0x80, EXIT_VMMCALL = 0x81,
	EXIT_VMLOAD = 0x82, EXIT_VMSAVE = 0x83, EXIT_STGI = 0x84, EXIT_CLGI = 0x85, EXIT_SKINIT = 0x86, EXIT_WBINVD = 0x89,
	EXIT_MONITOR = 0x8a, EXIT_MWAIT = 0x8b, EXIT_MWAIT_C = 0x8c, EXIT_XSETBV = 0x8d, EXIT_NPF = 0x400,
};
#define EXIT_INVALID_LOW 0xffffffffu /* compared in the low half: emulators store it unextended */

#endif
