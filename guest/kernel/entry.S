/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of a PVH guest: 32-bit protected mode, paging off, %ebx = physical address of the start info. An identity map of the
 * first 4 GiB is built with 2 MiB pages, then the CPU goes to long mode and to guest_start(). The page of the local APIC is
 * mapped uncached. Secondary CPUs join at ap_entry32, either from the real-mode trampoline (INIT/SIPI) or straight from a
 * hypercall that starts them in protected mode.
 */
#include <xen/elfnote.h>

#define STACK_SIZE 16384

	.section .note.Xen, "a", @note
	.p2align 2
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long pvh_entry

	.section .text.entry, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	cld
	movl $boot_stack + STACK_SIZE, %esp
	movl %ebx, start_info_paddr

	/* Level 4 -> level 3 -> four tables of 512 pages of 2 MiB. */
	movl $page_l3 + 3, page_l4
	movl $page_l2 + 3, %eax
	movl $page_l3, %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $4096, %eax
	loop 1b
	movl $0x83, %eax
	movl $page_l2, %edi
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	loop 2b
	orl $0x18, page_l2 + 8 * (0xfee00000 >> 21)

	movl $guest_start, %edi
	jmp to_long_mode

	.globl ap_entry32
ap_entry32:
	cld
	movl ap_stack, %esp
	movl $ap_start, %edi

/* %edi = where to go, %esp = stack. */
to_long_mode:
	lgdt gdt_ptr32
	/* PAE, and what is harmless to us but common to systems: PSE, PGE, SMEP and SMAP if they are there. A hypervisor that
	 * has the same bits changes nothing in CR4 at entry and exit, which saves an emulator two flushes of its TLB. */
	movl $7, %eax
	xorl %ecx, %ecx
	cpuid
	movl %cr4, %eax
	orl $0xb0, %eax
	testl $1 << 7, %ebx
	jz 3f
	orl $1 << 20, %eax
3:	testl $1 << 20, %ebx
	jz 4f
	orl $1 << 21, %eax
4:	movl %eax, %cr4
	movl $page_l4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	andl $~0x6000000c, %eax		/* caches on, no FPU emulation */
	orl $0x80010001, %eax
	movl %eax, %cr0
	ljmp $0x08, $1f
	.code64
1:	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl %edi, %edi
	movl %esp, %esp
	xorl %ebp, %ebp
	call *%rdi
2:	hlt
	jmp 2b

	.globl ap_entry64
ap_entry64:
	cld
	lgdt gdt_ptr32
	movl ap_stack, %esp
	pushq $0x08
	pushq $1f
	lretq
1:	movl $ap_start, %edi
	call *%rdi
2:	hlt
	jmp 2b

/* Copied to a page below 1 MiB; entered in real mode with %cs = that page. */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl %ds:(tramp_gdt_ptr - ap_trampoline)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x10, $tramp32
	.p2align 2
tramp_gdt_ptr:
	.word gdt_end - gdt - 1
	.long gdt
ap_trampoline_end:
	.code32
tramp32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	jmp ap_entry32

	.section .data, "aw"
	.p2align 3
	.globl gdt
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* 0x08 code, 64-bit */
	.quad 0x00cf9b000000ffff	/* 0x10 code, 32-bit */
	.quad 0x00cf93000000ffff	/* 0x18 data */
	.quad 0, 0			/* 0x20 task state, filled in by traps.c */
gdt_end:
	.p2align 2
gdt_ptr32:
	.word gdt_end - gdt - 1
	.long gdt, 0
	.globl start_info_paddr, ap_stack
start_info_paddr: .long 0
ap_stack: .long 0

	.section .bss.page, "aw", @nobits
	.p2align 12
	.globl page_l4, page_l2, hypercall_page
page_l4: .skip 4096
page_l3: .skip 4096
page_l2: .skip 4 * 4096
hypercall_page: .skip 4096
boot_stack: .skip STACK_SIZE
