/* SPDX-License-Identifier: MIT */
/*
 * From reset to C on x86_64. The image is the board's ROM: it ends at 4 GiB, and
 * its last sixteen bytes are where a CPU starts, in real mode. Everything but
 * these first steps is copied to RAM, where it is linked to run.
 *
 * Paging has five levels because the nested tables of SVM have as many as the
 * host's own, and four can't name every guest physical address.
 */
#define ROM_OFFSET 0xfe00 /* of these steps in the segment that a CPU starts in */

#define CODE32 0x08
#define DATA   0x10
#define CODE64 0x18

#define CR0_PE      0x00000001
#define CR0_PG_WP   0x80010000
#define CR4_PAE     0x00000020
#define CR4_PGE     0x00000080
#define CR4_LA57    0x00001000
#define CR4_SMEP    0x00100000
#define MSR_EFER    0xc0000080
#define EFER_LME    0x00000100
#define EFER_NXE    0x00000800
#define EFER_SVME   0x00001000

#define TABLE       0x27 /* present, writable, user, accessed */
#define GIGABYTE_RW 0xe3 /* present, writable, accessed, dirty, a leaf */

	.section .rom, "ax"
	.code16
start16:
	cli
	cld
	lgdtl %cs:ROM_OFFSET + gdt_pointer - start16
	mov %cr0, %eax
	or $CR0_PE, %al
	mov %eax, %cr0
	ljmpl $CODE32, $start32

	.code32
start32:
	mov $DATA, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $wp_image_load, %esi
	mov $wp_image, %edi
	mov $wp_image_size, %ecx
	rep movsb
	mov $wp_zero, %edi
	mov $wp_zero_size, %ecx
	xor %eax, %eax
	rep stosb
	mov $(CR4_PAE | CR4_PGE | CR4_LA57 | CR4_SMEP), %eax
	mov %eax, %cr4
	mov $root, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $(EFER_LME | EFER_NXE | EFER_SVME), %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG_WP, %eax
	mov %eax, %cr0
	ljmpl $CODE64, $start64

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* CODE32; accessed, as the ROM can't be written */
	.quad 0x00cf93000000ffff /* DATA */
	.quad 0x00af9b000000ffff /* CODE64 */
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.section .reset, "ax"
	.code16
	.byte 0xe9 /* jmp, relative: from the end of this instruction */
	.word start16 - (. + 2)
	.balign 16

	.text
	.code64
start64:
	mov $wp_stack_top, %esp
	call walker_main
	ud2

/*
 * void wp_x86_64_run(uint64_t vmcb): the guest until #VMEXIT, which gives back RAX,
 * RSP and RIP alone (APM vol. 2, 15.6).
 */
	.globl wp_x86_64_run
wp_x86_64_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, %rax
	vmrun %rax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* Every exception of the firmware's own ends here. */
	.macro vector number
	.balign 16
	.if (\number == 8) || (\number >= 10 && \number <= 14) || (\number == 17)
	nop
	.else
	push $0
	.endif
	push $\number
	jmp panic
	.endm

	.balign 16
	.globl wp_x86_64_vectors
wp_x86_64_vectors:
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
	vector \number
	.endr

panic:
	pop %rdi
	pop %rsi
	pop %rdx
	mov %cr2, %rcx
	call wp_x86_64_panic
	ud2

/* The first 4 GiB, as they are. */
	.data
	.balign 4096
root:
	.quad level4 + TABLE
	.fill 511, 8, 0
level4:
	.quad level3 + TABLE
	.fill 511, 8, 0
level3:
	.quad 0x00000000 + GIGABYTE_RW
	.quad 0x40000000 + GIGABYTE_RW
	.quad 0x80000000 + GIGABYTE_RW
	.quad 0xc0000000 + GIGABYTE_RW
	.fill 508, 8, 0
