/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void svm_enter(uint64_t *regs, paddr_t vmcb, paddr_t host_vmcb)
 *
 * One run of the guest. regs are in the order of enum reg (arch/x86/vcpu.h); rax and rsp travel in the VMCB. Interrupts
 * stay pending behind the global interrupt flag from here to the end of the run: with the host's IF set at VMRUN they end
 * the run, with IF clear again before STGI they wait for the CPU loop's window.
 */
	.section .text.svm_enter, "ax"
	.globl svm_enter
svm_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rdi
	mov	%rsi, %rax

	clgi
	sti
	mov	1 * 8(%rdi), %rcx
	mov	2 * 8(%rdi), %rdx
	mov	3 * 8(%rdi), %rbx
	mov	5 * 8(%rdi), %rbp
	mov	6 * 8(%rdi), %rsi
	mov	8 * 8(%rdi), %r8
	mov	9 * 8(%rdi), %r9
	mov	10 * 8(%rdi), %r10
	mov	11 * 8(%rdi), %r11
	mov	12 * 8(%rdi), %r12
	mov	13 * 8(%rdi), %r13
	mov	14 * 8(%rdi), %r14
	mov	15 * 8(%rdi), %r15
	mov	7 * 8(%rdi), %rdi
	vmload	%rax
	vmrun	%rax
	vmsave	%rax

	/* rax is the VMCB again; keep the guest's rdi while its place is found */
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rcx, 1 * 8(%rdi)
	mov	%rdx, 2 * 8(%rdi)
	mov	%rbx, 3 * 8(%rdi)
	mov	%rbp, 5 * 8(%rdi)
	mov	%rsi, 6 * 8(%rdi)
	pop	%rcx
	mov	%rcx, 7 * 8(%rdi)
	mov	%r8, 8 * 8(%rdi)
	mov	%r9, 9 * 8(%rdi)
	mov	%r10, 10 * 8(%rdi)
	mov	%r11, 11 * 8(%rdi)
	mov	%r12, 12 * 8(%rdi)
	mov	%r13, 13 * 8(%rdi)
	mov	%r14, 14 * 8(%rdi)
	mov	%r15, 15 * 8(%rdi)

	mov	8(%rsp), %rax
	vmload	%rax
	cli
	stgi
	add	$16, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	/* nothing of the guest's stays in registers that the caller may hand on */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	ret
