/* SPDX-License-Identifier: MIT */
/*
 * LoongArch: the TLB refill handlers. A CPU comes here in direct-address mode, so
 * that all addresses are physical, PC-relative ones too (LA 6, "Hardware Exception
 * Handling of TLB Refill Exception").
 */
#include "loongarch64.h"

	.text

/* What a kernel has there, with a guard. */
	.balign	4096
	.globl	refill_by_instructions
refill_by_instructions:
	csrwr	$t0, CSR_TLBRSAVE
	la.pcrel $t0, refill
	ld.d	$t1, $t0, REFILL_COUNT
	addi.d	$t1, $t1, 1
	st.d	$t1, $t0, REFILL_COUNT
	sltui	$t1, $t1, REFILL_LIMIT
	beqz	$t1, refill_by_loads
	csrrd	$t0, CSR_PGD
	lddir	$t0, $t0, 3
	lddir	$t0, $t0, 2
	lddir	$t0, $t0, 1
	ldpte	$t0, 0
	ldpte	$t0, 1
	tlbfill
	csrrd	$t0, CSR_TLBRSAVE
	ertn

/*
 * The same by loads. It keeps what LDPTE may lose, doesn't leave guest memory, and
 * tells where it went. Where the manual says what the instructions do, it asks
 * them too, for the firmware to compare.
 *
 * Nothing but the access functions needs it, and those miss no t register.
 * t0: struct refill; t1: table, entry, even half; t2: address; t3: level, then log2
 * of the size of a half; t4: low bits, odd half; t5, t6: window and its size.
 */
	/* The address of the entry of one level. */
	.macro	find_entry level, shift
	bstrins.d $t1, $zero, 63, 48
	bstrins.d $t1, $zero, 11, 0
	ori	$t3, $zero, \level
	sub.d	$t7, $t1, $t5
	bgeu	$t7, $t6, left_memory
	bstrpick.d $t7, $t2, \shift + 8, \shift
	alsl.d	$t1, $t7, $t1, 3
	.endm

	/* LA 4.2.5 LDDIR: bit 6 is looked at first. */
	.macro	directory level, shift
	find_entry \level, \shift
	ld.d	$t1, $t1, 0
	st.d	$t3, $t0, REFILL_LEVEL
	ori	$t3, $zero, \shift
	andi	$t7, $t1, 0x40
	bnez	$t7, huge
	andi	$t7, $t1, 0xfff
	or	$t4, $t4, $t7
	.endm

	.balign	4096
	.globl	refill_by_loads
refill_by_loads:
	la.pcrel $t0, refill
	st.d	$zero, $t0, REFILL_COMPARED
	st.d	$zero, $t0, REFILL_DECOY
	st.d	$zero, $t0, REFILL_END
	csrrd	$t2, CSR_TLBRBADV
	ld.d	$t1, $t0, REFILL_COUNT
	addi.d	$t1, $t1, 1
	st.d	$t1, $t0, REFILL_COUNT
	ori	$t3, $zero, REFILL_LIMIT
	ori	$t7, $zero, WALK_LOOPS
	bltu	$t3, $t1, nothing
	csrrd	$t1, CSR_PGD
	move	$t4, $zero
	ld.d	$t5, $t0, REFILL_WINDOW
	ld.d	$t6, $t0, REFILL_WINDOW_SIZE
	directory 0, DIR3_SHIFT
	directory 1, DIR2_SHIFT
	directory 2, DIR1_SHIFT
	st.d	$t4, $t0, REFILL_LOW_BITS
	find_entry 3, PTE_SHIFT
	st.d	$t3, $t0, REFILL_LEVEL
	bstrins.d $t1, $zero, 3, 3 /* the pair */
	ld.d	$t4, $t1, 8
	ld.d	$t1, $t1, 0
	ori	$t3, $zero, PTE_SHIFT
	b	ask_instructions

/*
 * Physical address 0 is outside of guest memory, and holds zeros: of what is there the
 * instructions make a pair that isn't valid.
 */
at_0:
	st.d	$t4, $t0, REFILL_LOW_BITS
	move	$t4, $zero
	ori	$t3, $zero, PTE_SHIFT
	b	ask_instructions

left_memory:
	st.d	$t3, $t0, REFILL_LEVEL
	ld.d	$t7, $t0, REFILL_ZEROS_AT_0
	sltui	$t8, $t1, 1
	maskeqz	$t7, $t7, $t8
	bnez	$t7, at_0
	ori	$t7, $zero, WALK_LEFT
	b	nothing
reserved:
	ori	$t7, $zero, WALK_RESERVED
nothing:
	st.d	$t7, $t0, REFILL_END
	move	$t1, $zero
	move	$t4, $zero
	ori	$t3, $zero, PTE_SHIFT
	b	fill

/*
 * LA 5.4.5: bit 12 is G, and the address starts at the page's size. Two halves
 * make one huge page (LA 4.2.5 LDPTE).
 */
huge:
	st.d	$t1, $t0, REFILL_ENTRY
	st.d	$t4, $t0, REFILL_LOW_BITS
	ori	$t7, $zero, DIR3_SHIFT
	beq	$t3, $t7, reserved
	addi.d	$t3, $t3, -1
	bstrpick.d $t7, $t1, 12, 12
	bstrins.d $t1, $t7, 6, 6
	andi	$t7, $t1, 0xfff
	bstrpick.d $t8, $t1, 63, 48
	bstrins.d $t1, $zero, 63, 48
	srl.d	$t1, $t1, $t3
	addi.d	$t4, $t1, 1
	sll.d	$t1, $t1, $t3
	sll.d	$t4, $t4, $t3
	bstrins.d $t1, $t8, 63, 48
	bstrins.d $t4, $t8, 63, 48
	or	$t1, $t1, $t7
	or	$t4, $t4, $t7

ask_instructions:
	st.d	$t1, $t0, REFILL_PAIR
	st.d	$t4, $t0, REFILL_PAIR + 8
	st.d	$t3, $t0, REFILL_PAIR + 16
	ld.d	$t7, $t0, REFILL_LOW_BITS /* the manual says nothing of these */
	bnez	$t7, choose_target
	move	$t7, $zero
	csrwr	$t7, CSR_TLBRELO0
	move	$t7, $zero
	csrwr	$t7, CSR_TLBRELO1
	csrrd	$t7, CSR_PGD
	lddir	$t7, $t7, 3
	lddir	$t7, $t7, 2
	lddir	$t7, $t7, 1
	ldpte	$t7, 0
	ldpte	$t7, 1
	csrrd	$t7, CSR_TLBRELO0
	st.d	$t7, $t0, REFILL_OTHER_PAIR
	csrrd	$t7, CSR_TLBRELO1
	st.d	$t7, $t0, REFILL_OTHER_PAIR + 8
	csrrd	$t7, CSR_TLBREHI
	bstrpick.d $t7, $t7, 5, 0
	st.d	$t7, $t0, REFILL_OTHER_PAIR + 16
	ori	$t7, $zero, 1
	st.d	$t7, $t0, REFILL_COMPARED

/*
 * Below the window are the firmware's memory, and devices. A pair that leads there
 * gives way, until the access is over, to one with the same rights that leads to
 * where nothing is.
 */
choose_target:
	srl.d	$t7, $t2, $t3
	andi	$t7, $t7, 1
	move	$t8, $t1
	beqz	$t7, 1f
	move	$t8, $t4
1:	andi	$t7, $t8, 1 /* V */
	beqz	$t7, fill
	bstrins.d $t8, $zero, 63, 48
	srl.d	$t8, $t8, $t3
	sll.d	$t8, $t8, $t3
	sll.d	$t7, $t7, $t3
	addi.d	$t7, $t7, -1
	and	$t7, $t2, $t7
	or	$t8, $t8, $t7
	bgeu	$t8, $t5, fill
	ori	$t7, $zero, 1
	st.d	$t7, $t0, REFILL_DECOY
	ori	$t7, $zero, DECOY_FRAME
	bstrins.d $t1, $zero, 47, 12
	bstrins.d $t1, $t7, 47, DECOY_SHIFT
	bstrins.d $t4, $zero, 47, 12
	bstrins.d $t4, $t7, 47, DECOY_SHIFT

/*
 * TLBFILL takes a random way. The next one of the set, and of the MTLB, is as good,
 * and which entry is replaced doesn't differ from one run to the next.
 */
fill:
	csrwr	$t1, CSR_TLBRELO0
	csrwr	$t4, CSR_TLBRELO1
	csrrd	$t7, CSR_TLBREHI
	bstrins.d $t7, $t3, 5, 0
	csrwr	$t7, CSR_TLBREHI
	ori	$t7, $zero, PTE_SHIFT
	bne	$t3, $t7, 1f
	bstrpick.d $t7, $t2, PTE_SHIFT + 8, PTE_SHIFT + 1
	add.d	$t2, $t0, $t7
	ld.bu	$t8, $t2, REFILL_NEXT_WAY
	addi.d	$t1, $t8, 1
	st.b	$t1, $t2, REFILL_NEXT_WAY
	bstrins.d $t7, $t8, 10, 8
	b	2f
1:	ld.d	$t7, $t0, REFILL_NEXT_MTLB
	addi.d	$t8, $t7, 1
	st.d	$t8, $t0, REFILL_NEXT_MTLB
	bstrpick.d $t7, $t7, 5, 0
	ori	$t8, $zero, STLB_WAYS * STLB_SETS
	add.d	$t7, $t7, $t8
2:	csrwr	$t7, CSR_TLBIDX
	tlbwr
	ertn
