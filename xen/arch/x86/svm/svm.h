/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of svm/: entry (svm.c), exits (exit.c), instruction bytes (insn.c). */
#ifndef ARCH_X86_SVM_SVM_H
#define ARCH_X86_SVM_SVM_H

#include <stdbool.h>
#include <stdint.h>

#include "../vcpu.h"
#include "vmcb.h"

void svm_enter(uint64_t *regs, paddr_t vmcb, paddr_t host_vmcb);
/* Act on vmcb->exitcode. */
void svm_exit(struct vcpu *v);

/* Length of the intercepted instruction, which must be `opcode` (n bytes) after any prefixes; 0: it is not (any more). */
unsigned svm_insn_length(struct vcpu *v, const uint8_t *opcode, unsigned n);
/* Move rip behind an instruction of `len` bytes, which also ends an interrupt shadow. */
void svm_skip(struct vcpu *v, unsigned len);
/* A MOV to or from an address without memory: local APIC registers, or nothing (ones). false: no MOV. */
bool svm_mmio(struct vcpu *v, uint64_t gpa);

#endif
