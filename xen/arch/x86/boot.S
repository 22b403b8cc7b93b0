/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader to C: multiboot2 (32-bit protected mode, paging off) to long mode on provisional page tables that
 * map the first 4 GiB three times: at 0, in the direct map, and (the first 1 GiB) at the image's address.
 * arch/x86/paging.c replaces them.
 */
#define IMAGE 0xffffffff80000000
#define PA(x) ((x) - IMAGE)
#define MB2_MAGIC 0xe85250d6

	.section .multiboot, "ax"
	.align 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + 0 + (mb2_end - mb2_header))
	/* wanted: memory map (6), modules (3), command line (1) */
	.short 1, 0
	.long 20
	.long 6, 3, 1
	.align 8
	/* entry address */
	.short 3, 0
	.long 12
	.long PA(multiboot_entry)
	.align 8
	/* modules page aligned */
	.short 6, 0
	.long 8
	.align 8
	.short 0, 0
	.long 8
mb2_end:

	.section .boot, "ax"
	.code32
	.globl multiboot_entry
multiboot_entry:
	cld
	cli
	mov	%eax, PA(boot_magic)
	rdtsc
	mov	%eax, PA(boot_tsc)
	mov	%edx, PA(boot_tsc) + 4
	mov	%ebx, PA(boot_info_pa)
	mov	$PA(boot_stack_top), %esp

	/* page directories: 4 GiB in 2 MiB pages, present + writable + large */
	mov	$PA(boot_pd), %edi
	mov	$0x83, %eax
	mov	$2048, %ecx
1:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	1b
	/* level 3: the four directories; level 3 of the image: entry 510 */
	mov	$PA(boot_pdpt), %edi
	mov	$PA(boot_pd) + 3, %eax
	mov	$4, %ecx
2:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	2b
	movl	$PA(boot_pd) + 3, PA(boot_pdpt_image) + 510 * 8
	movl	$PA(boot_pdpt) + 3, PA(boot_pml4)
	movl	$PA(boot_pdpt) + 3, PA(boot_pml4) + 256 * 8
	movl	$PA(boot_pdpt_image) + 3, PA(boot_pml4) + 511 * 8

	mov	$PA(boot_pml4), %eax
	call	enter_long_mode
	lgdt	PA(boot_gdt_ptr)
	ljmp	$8, $PA(start64)

/* eax: page table root. Turns on PAE, NX and long mode, then paging with write protection. */
enter_long_mode:
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80010001, %eax
	and	$0x9fffffff, %eax
	mov	%eax, %cr0
	ret

	.code64
start64:
	mov	$start_high, %rax
	jmp	*%rax
start_high:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	lea	boot_stack_top(%rip), %rsp
	lgdt	boot_gdt_ptr_high(%rip)
	xor	%ebp, %ebp
	call	hv_start
	ud2

	.align 16
boot_gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* 8: 64-bit code */
	.quad 0x00cf92000000ffff	/* 16: data */
	.quad 0x00cf9a000000ffff	/* 24: 32-bit code, for the trampoline */
boot_gdt_end:
boot_gdt_ptr:
	.short boot_gdt_end - boot_gdt - 1
	.long PA(boot_gdt)
	.long 0
boot_gdt_ptr_high:
	.short boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

/*
 * Start of the other CPUs: copied to a page below 1 MiB; real mode at offset 0. The fields at the end are filled in by
 * arch/x86/smp.c for one CPU at a time.
 */
	.align 16
	.globl trampoline_start, trampoline_end, trampoline_base, trampoline_cr3, trampoline_stack, trampoline_cpu
trampoline_start:
	.code16
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	movzx	%ax, %ebx
	shl	$4, %ebx
	/* pointers that depend on where the page is */
	mov	$(tramp_gdt - trampoline_start), %eax
	add	%ebx, %eax
	mov	%eax, (tramp_gdt_ptr + 2 - trampoline_start)
	mov	$(tramp32 - trampoline_start), %eax
	add	%ebx, %eax
	mov	%eax, (tramp_jump - trampoline_start)
	movw	$24, (tramp_jump + 4 - trampoline_start)
	lgdtl	(tramp_gdt_ptr - trampoline_start)
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	*(tramp_jump - trampoline_start)
	.code32
tramp32:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	%eax, %es
	mov	(trampoline_cr3 - trampoline_start)(%ebx), %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	$0x80010011, %eax
	mov	%eax, %cr0
	lea	(tramp64 - trampoline_start)(%ebx), %eax
	mov	%eax, (tramp_jump - trampoline_start)(%ebx)
	movw	$8, (tramp_jump + 4 - trampoline_start)(%ebx)
	ljmpl	*(tramp_jump - trampoline_start)(%ebx)
	.code64
tramp64:
	mov	(trampoline_stack - trampoline_start)(%rbx), %rsp
	mov	(trampoline_cpu - trampoline_start)(%rbx), %rdi
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	xor	%ebp, %ebp
	mov	$ap_start, %rax
	call	*%rax
	ud2
	.align 8
tramp_gdt:
	.quad 0
	.quad 0x00af9a000000ffff
	.quad 0x00cf92000000ffff
	.quad 0x00cf9a000000ffff
tramp_gdt_ptr:
	.short 31
	.long 0
tramp_jump:
	.long 0
	.short 24
	.align 8
trampoline_base:	.quad 0
trampoline_cr3:		.quad 0
trampoline_stack:	.quad 0
trampoline_cpu:		.quad 0
trampoline_end:

	.section .data
	.align 8
	.globl boot_magic, boot_info_pa, boot_tsc
boot_magic:	.quad 0
boot_info_pa:	.quad 0
boot_tsc:	.quad 0

	.section .bss
	.align 4096
	.globl boot_pml4
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pdpt_image: .skip 4096
boot_pd:	.skip 4 * 4096
boot_stack:	.skip 16384
	.globl boot_stack_top
boot_stack_top:
