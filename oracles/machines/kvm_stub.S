/* SPDX-License-Identifier: MIT */
/*
 * What runs in the virtual machine: goes through a list of requests (struct
 * wp_kvm_request) and makes one access for each. The host copies it into a frame
 * of its own, mapped twice: for the kernel, and for the user, where the same loop
 * runs. It must not care about where it is mapped.
 *
 * rbx: the request   rdi: the end of the list   rsp, r13: top of the stack
 * r12: where to go at the end   r14: wp_kvm_stub_next, r15: wp_kvm_stub_start, as
 * the list's privilege sees them
 *
 * Few instructions, and none that needs thought: a host without hardware support
 * emulates those of the kernel one by one.
 */
#include "kvm_stub.h"

	.section .rodata
	.code64
	.balign 16
	.globl wp_kvm_stub, wp_kvm_stub_start, wp_kvm_stub_next, wp_kvm_stub_enter_user
	.globl wp_kvm_stub_read, wp_kvm_stub_write, wp_kvm_stub_execute, wp_kvm_stub_execute_hole
	.globl wp_kvm_stub_doorbell, wp_kvm_stub_user_end, wp_kvm_stub_vectors, wp_kvm_stub_end
wp_kvm_stub:

/* The user's list: down into ring 3, to r15. */
wp_kvm_stub_enter_user:
	pushq	$WP_KVM_USER_DATA
	pushq	%r13
	pushq	$WP_KVM_RFLAGS
	pushq	$WP_KVM_USER_CODE
	pushq	%r15
	iretq

done:
	movq	$WP_KVM_DONE, WP_KVM_OUTCOME(%rbx)
wp_kvm_stub_next:
	addq	$WP_KVM_REQUEST_SIZE, %rbx
wp_kvm_stub_start:
	cmpq	%rdi, %rbx
	je	1f
	movq	WP_KVM_VA(%rbx), %rsi
	jmp	*WP_KVM_ROUTINE(%rbx)
1:	jmp	*%r12

wp_kvm_stub_read:
	movq	(%rsi), %rax
	movq	%rax, WP_KVM_VALUE(%rbx)
	jmp	done

/* Leaves in memory what was there, and sees it. */
wp_kvm_stub_write:
	xorl	%eax, %eax
	lock xaddq %rax, (%rsi)
	movq	%rax, WP_KVM_VALUE(%rbx)
	jmp	done

/* Only if the read before it has faulted: nobody knows what would be executed. */
wp_kvm_stub_execute_hole:
	cmpq	$WP_KVM_DONE, WP_KVM_OUTCOME - WP_KVM_REQUEST_SIZE(%rbx)
	jne	wp_kvm_stub_execute
	movq	$WP_KVM_FAILED, WP_KVM_OUTCOME(%rbx)
	jmp	wp_kvm_stub_next
/* Finds a RET. */
wp_kvm_stub_execute:
	call	*%rsi
	jmp	done

wp_kvm_stub_user_end:
	int3

/* The list is through: leaves the virtual machine. */
wp_kvm_stub_doorbell:
	outb	%al, $WP_KVM_DOORBELL
	jmp	wp_kvm_stub_doorbell

/* One handler each WP_KVM_VECTOR_SIZE bytes; all push an error code and their number. */
	.balign	WP_KVM_VECTOR_SIZE
wp_kvm_stub_vectors:
	.set	vector, 0
	.rept	WP_KVM_VECTORS
	.balign	WP_KVM_VECTOR_SIZE
	.if	((WP_KVM_WITH_ERROR_CODE >> vector) & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault
	.set	vector, vector + 1
	.endr

/* On the stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. */
fault:
	popq	%rax
	popq	%rcx
	cmpq	$WP_KVM_BREAKPOINT, %rax
	je	wp_kvm_stub_doorbell
	movq	%rax, WP_KVM_OUTCOME(%rbx)
	movq	%rcx, WP_KVM_ERROR(%rbx)
	movq	%cr2, %rax
	movq	%rax, WP_KVM_CR2(%rbx)
	testb	$3, 8(%rsp)
	jnz	1f
	movq	%r13, %rsp
	jmp	*%r14
1:	movq	%r14, (%rsp)
	movq	%r13, 24(%rsp)
	iretq
wp_kvm_stub_end:

	.section .note.GNU-stack, "", @progbits
