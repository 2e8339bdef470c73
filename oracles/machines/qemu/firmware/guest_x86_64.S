/* SPDX-License-Identifier: MIT */
/*
 * The guest: see guest_x86_64.h. It runs where the lent root entry maps it, and so
 * names nothing but by distance. RBX is the job at hand throughout: the user's code
 * is one instruction and a breakpoint, or what the walker puts where a tested
 * address leads, which is a breakpoint.
 */
#include "guest_x86_64.h"

#define PAGE   4096
#define RFLAGS 2

#define EXIT_GP (0x4d << 16)
#define EXIT_PF (0x4e << 16)

	.section .guest, "awx"
	.code64
	.balign PAGE
	.globl guest_code
guest_code:
take:
	lea guest_data + PAGE(%rip), %rsp
	mov guest_data + DATA_JOB(%rip), %rbx
	mov guest_data + DATA_BYTE(%rip), %al
	mov JOB_VA(%rbx), %rdi
	mov JOB_AT(%rbx), %ecx
	mov %ecx, guest_mailbox + MAILBOX_AT(%rip)
	and $7, %ecx
	lea kinds(%rip), %rdx
	movslq (%rdx, %rcx, 4), %rcx
	add %rdx, %rcx
	jmp *%rcx

	.balign 4
kinds:
	.long kernel_read - kinds
	.long kernel_write - kinds
	.long kernel_execute - kinds
	.long user_read - kinds
	.long user_write - kinds
	.long user_execute - kinds
	.long end - kinds
	.long end - kinds

kernel_read:
	mov (%rdi), %al
	jmp allowed

/* What is written is what is there, if that can be read. */
kernel_write:
	cmpb $0, guest_data + DATA_STORE(%rip)
	jne 1f
	mov (%rdi), %al
	mov %al, guest_data + DATA_BYTE(%rip)
	movb $1, guest_data + DATA_STORE(%rip)
1:	mov %al, (%rdi)
	jmp allowed

kernel_execute:
	jmp *%rdi

user_read:
	lea GUEST_USER * PAGE + load(%rip), %rdx
	jmp to_user

user_write:
	cmpb $0, guest_data + DATA_STORE(%rip)
	je user_read
	lea GUEST_USER * PAGE + store(%rip), %rdx
	jmp to_user

user_execute:
	mov %rdi, %rdx

to_user:
	push $GUEST_USER_DATA_SELECTOR
	push $0
	push $RFLAGS
	push $GUEST_USER_CODE_SELECTOR
	push %rdx
	iretq

load:
	mov (%rdi), %al
	int3
store:
	mov %al, (%rdi)
	int3

	.globl guest_breakpoint
guest_breakpoint:
	testb $JOB_WRITES, JOB_FLAGS(%rbx)
	jz allowed
	cmpb $0, guest_data + DATA_STORE(%rip)
	jne allowed
	mov %al, guest_data + DATA_BYTE(%rip)
	movb $1, guest_data + DATA_STORE(%rip)
	jmp take

allowed:
	movl $0, JOB_OUTCOME(%rbx)
	testb $JOB_LOCATED, JOB_FLAGS(%rbx)
	jnz next
	vmmcall

	.globl guest_page_fault
guest_page_fault:
	pop %rax
	mov %cr2, %rcx
	mov %rcx, JOB_CR2(%rbx)
	or $EXIT_PF, %eax
	jmp denied

	.globl guest_general_protection
guest_general_protection:
	pop %rax
	or $EXIT_GP, %eax

/* A write whose read is denied is tried all the same. */
denied:
	testb $JOB_WRITES, JOB_FLAGS(%rbx)
	jz 1f
	cmpb $0, guest_data + DATA_STORE(%rip)
	jne 1f
	movb $1, guest_data + DATA_STORE(%rip)
	movb $0, guest_data + DATA_BYTE(%rip)
	jmp take
1:	mov %eax, JOB_OUTCOME(%rbx)

next:
	add $JOB_SIZE, %rbx
	mov %rbx, guest_data + DATA_JOB(%rip)
	movb $0, guest_data + DATA_STORE(%rip)
	jmp take

end:
	vmmcall

	.balign PAGE
	.globl guest_data
guest_data:
	.skip PAGE
	.globl guest_jobs
guest_jobs:
	.skip GUEST_JOB_PAGES * PAGE
guest_mailbox: /* not really: here it is in the guest */
