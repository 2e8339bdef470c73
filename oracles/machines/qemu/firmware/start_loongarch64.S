/* SPDX-License-Identifier: MIT */
/*
 * LoongArch: entry, exception vector, and the accesses themselves.
 *
 * The firmware is at PLV0 in mapped mode, in a direct window. SAVE0 is where an
 * access function returns to by way of an exception; 0: none is expected.
 */
#include "loongarch64.h"

#define DMW_KERNEL 0x11 /* PLV0; MAT = CC */
#define DMW_USER   0x19 /* PLV0, PLV3; MAT = CC */
#define CRMD_TYPES 0xa0 /* DATF = DATM = CC */
#define CRMD_ALL   0x1ff

	.section .text.start, "ax", @progbits
	.globl	_start
_start:
	ori	$t0, $zero, DMW_KERNEL
	lu52i.d	$t0, $t0, (KERNEL_WINDOW << 8) - 0x1000
	csrwr	$t0, CSR_DMW0
	ori	$t0, $zero, DMW_USER
	lu52i.d	$t0, $t0, (USER_WINDOW << 8) - 0x1000
	csrwr	$t0, CSR_DMW1
	csrwr	$zero, CSR_DMW2
	csrwr	$zero, CSR_DMW3
	/* from here on the next instruction is at its physical address in no window */
	la.pcrel $t2, 1f
	bstrins.d $t2, $zero, 63, 48
	lu52i.d	$t2, $t2, (KERNEL_WINDOW << 8) - 0x1000
	ori	$t0, $zero, CRMD_PG | CRMD_TYPES /* PLV0, no interrupts */
	ori	$t1, $zero, CRMD_ALL
	csrxchg	$t0, $t1, CSR_CRMD
	jr	$t2
1:	la.pcrel $sp, stack_top
	la.pcrel $t0, vector
	csrwr	$t0, CSR_EENTRY
	csrwr	$zero, CSR_ECFG /* VS = 0: one vector for all */
	csrwr	$zero, CSR_SAVE0
	bl	walker_main

/* Nothing but caller-saved registers is lost between an access function and its return. */
	.balign	4096
vector:
	csrrd	$t0, CSR_SAVE0
	beqz	$t0, unexpected
	csrwr	$zero, CSR_SAVE0
	csrrd	$a0, CSR_ESTAT
	bstrpick.d $a0, $a0, 30, 16
	jr	$t0
unexpected:
	la.pcrel $sp, stack_top
	bl	panic

	/* a0: address; a1: byte to store. */
	.globl	load_as_kernel
load_as_kernel:
	move	$t0, $ra
	csrwr	$t0, CSR_SAVE0
	ld.bu	$a1, $a0, 0
	ori	$a0, $zero, ECODE_SYS
	csrwr	$zero, CSR_SAVE0
	ret

	.globl	store_as_kernel
store_as_kernel:
	move	$t0, $ra
	csrwr	$t0, CSR_SAVE0
	st.b	$a1, $a0, 0
	ori	$a0, $zero, ECODE_SYS
	csrwr	$zero, CSR_SAVE0
	ret

	.globl	fetch_as_kernel
fetch_as_kernel:
	move	$t0, $ra
	csrwr	$t0, CSR_SAVE0
	jr	$a0

	.globl	load_as_user
load_as_user:
	la.pcrel $t1, 1f
	b	enter_user_window
1:	ld.bu	$a1, $a0, 0
	syscall	0

	.globl	store_as_user
store_as_user:
	la.pcrel $t1, 1f
	b	enter_user_window
1:	st.b	$a1, $a0, 0
	syscall	0

	.globl	fetch_as_user
fetch_as_user:
	move	$t1, $a0
	b	enter_user

enter_user_window:
	bstrins.d $t1, $zero, 63, 60
	lu52i.d	$t2, $zero, (USER_WINDOW << 8) - 0x1000
	or	$t1, $t1, $t2
enter_user:
	csrwr	$t1, CSR_ERA
	ori	$t1, $zero, 3 /* PRMD: PPLV = 3, no interrupts */
	csrwr	$t1, CSR_PRMD
	move	$t0, $ra
	csrwr	$t0, CSR_SAVE0
	ertn

	.section .bss
	.balign	16
	.skip	16384
stack_top:
