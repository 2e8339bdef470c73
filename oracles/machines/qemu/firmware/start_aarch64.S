/* SPDX-License-Identifier: MIT */
/*
 * AArch64: entry, vectors, and the ways to ask for a translation.
 *
 * The firmware runs at EL3, untranslated. wp_enter() leaves for a lower EL; whatever
 * happens there ends in an SMC, which returns to wp_enter()'s caller. A lower EL runs
 * nothing but the stubs, of which none touches more than x2: that is returned too.
 */
#define EC_DATA_ABORT_SAME_EL 0x25
#define SMC_OF_VECTOR         0
#define SMC_OF_ACCESS         1

	.section .text.start, "ax", @progbits
	.globl _start
_start:
	adrp	x0, stack_top
	add	x0, x0, :lo12:stack_top
	mov	sp, x0
	adr	x0, vectors
	msr	vbar_el3, x0
	isb
	bl	walker_main
1:	wfi
	b	1b

	/* x0: PSTATE, x1: where to, x2: the tested address, the stubs' x1 */
	.globl wp_enter
wp_enter:
	msr	spsr_el3, x0
	msr	elr_el3, x1
	mov	x1, x2
	eret

	/* x0: the address; returns PAR_EL1, or what stands for it after an external abort. */
	.macro	translation name, operation
	.globl	\name
\name:
	at	\operation, x0
	isb
	mrs	x0, par_el1
	ret
	.endm

translations:
	translation wp_at_s1e1r, s1e1r
	translation wp_at_s1e1w, s1e1w
	translation wp_at_s1e0r, s1e0r
	translation wp_at_s1e0w, s1e0w
	translation wp_at_s1e2r, s1e2r
	translation wp_at_s1e2w, s1e2w
translations_end:

/*
 * An external abort on the walk of an AT at EL3 is a Data Abort (Arm ARM, D8, "Address
 * translation instructions"): its fault status becomes that of a PAR_EL1 with F = 1.
 */
from_el3:
	mrs	x9, esr_el3
	ubfx	x10, x9, #26, #6
	cmp	x10, #EC_DATA_ABORT_SAME_EL
	b.ne	unexpected
	mrs	x10, elr_el3
	adr	x11, translations
	sub	x10, x10, x11
	cmp	x10, #(translations_end - translations)
	b.hs	unexpected
	ubfx	x0, x9, #0, #6
	lsl	x0, x0, #1
	orr	x0, x0, #1
	msr	elr_el3, x30
	eret

unexpected:
	adrp	x0, stack_top
	add	x0, x0, :lo12:stack_top
	mov	sp, x0
	mrs	x0, esr_el3
	mrs	x1, elr_el3
	mrs	x2, far_el3
	mrs	x3, spsr_el3
	bl	wp_aarch64_panic
1:	wfi
	b	1b

	/* Arm ARM, D1, "Exception vectors": 16 of 32 instructions. */
	.macro	vector target
	.balign	128
	\target
	.endm

	.balign	2048
vectors:
	.rept	4
	vector	"b unexpected"
	.endr
	vector	"b from_el3"
	.rept	3
	vector	"b unexpected"
	.endr
	.balign	128
from_lower_el: /* the fault or success is for wp_enter()'s caller to find out */
	mov	x1, x2
	mrs	x0, esr_el3
	ret
	.rept	7
	vector	"b unexpected"
	.endr

/*
 * The only page that lower ELs run: the vectors of EL2, and the accesses.
 */
	.section .stubs, "ax", @progbits
	.balign	4096
	.globl	stubs
stubs:
	.rept	16
	.balign	128
	smc	#SMC_OF_VECTOR
	.endr
	.balign	128

	/* x1: address of an aligned doubleword. A rewrite changes nothing. */
	.macro	access name, loads, stores
	.globl	\name
\name:
	\loads
	\stores
	smc	#SMC_OF_ACCESS
	.endm

	access	stub_load, "ldr x2, [x1]"
	access	stub_load_el0, "ldtr x2, [x1]"
	access	stub_rewrite, "ldr x2, [x1]", "str x2, [x1]"
	access	stub_rewrite_el0, "ldtr x2, [x1]", "sttr x2, [x1]"
	access	stub_store, "str x2, [x1]"
	access	stub_store_el0, "sttr x2, [x1]"
	.balign	4096

	.bss
	.balign	16
	.skip	16384
stack_top:
