/* SPDX-License-Identifier: MIT */
/*
 * RISC-V: entry, trap vector, and the accesses themselves.
 *
 * The firmware runs in M-mode, untranslated. Loads and stores begin and end with
 * mstatus.MPP = U and mstatus.MPV = 0, so that to enter U-mode mstatus isn't written:
 * QEMU flushes its TLB as it is. An access function returns a cause and, in a1, the
 * byte that was read. The cause of an access that went through is 8, ECALL from
 * U-mode, which is how the user's end.
 */

#define ECALL_FROM_U 8
#define MSTATUS_MPP  (3 << 11)
#define MSTATUS_MPV  (1 << 39)
#define HSTATUS_SPV  (1 << 7)

	.section .text.start, "ax", @progbits
	.globl _start
_start:
	csrr	t0, mhartid
	bnez	t0, park
	la	sp, stack_top
	la	t0, trap
	csrw	mtvec, t0
	call	walker_main
park:
	wfi
	j	park

/*
 * Where accesses trap to. Nothing but caller-saved registers is lost on the way:
 * what traps is an access function, or the first fetch at a tested address.
 */
	.balign	4
trap:
	csrr	t0, mstatus
	srli	t1, t0, 39 /* MPV */
	andi	t1, t1, 1
	bnez	t1, from_guest
	csrr	t1, mepc
	la	t2, accesses
	bltu	t1, t2, unexpected
	la	t2, accesses_end
	bgeu	t1, t2, unexpected
	csrr	a0, mcause
	li	t1, MSTATUS_MPP
	and	t0, t0, t1
	bnez	t0, from_machine
	ret
from_machine:
	csrw	mepc, ra /* MRET leaves U in MPP */
	mret
from_guest:
	csrr	a0, mcause
	ret
unexpected:
	la	sp, stack_top
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	csrr	a3, mtval2
	call	wp_riscv64_panic
	j	park

accesses:
	/* a0: address; a1: byte to write. hstatus.SPVP is the privilege. */
	.globl wp_riscv64_load
wp_riscv64_load:
	hlv.b	a1, (a0)
	li	a0, ECALL_FROM_U
	ret

	.globl wp_riscv64_store
wp_riscv64_store:
	hsv.b	a1, (a0)
	li	a0, ECALL_FROM_U
	ret

	/* Of two bytes. */
	.globl wp_riscv64_load_half
wp_riscv64_load_half:
	hlv.hu	a1, (a0)
	li	a0, ECALL_FROM_U
	ret

	.globl wp_riscv64_store_half
wp_riscv64_store_half:
	hsv.h	a1, (a0)
	li	a0, ECALL_FROM_U
	ret

	.globl wp_riscv64_user_load
wp_riscv64_user_load:
	la	t0, 1f
	csrw	mepc, t0
	mret
1:	hlv.b	a1, (a0)
	ecall

	.globl wp_riscv64_user_store
wp_riscv64_user_store:
	la	t0, 1f
	csrw	mepc, t0
	mret
1:	hsv.b	a1, (a0)
	ecall
accesses_end:

	/*
	 * a0: address; a1: SPP in mstatus. By SRET, which leaves SPP and hstatus.SPV 0: an
	 * MRET would go by MPV, which can't be written from QEMU 10.0.11 on. Comes back by
	 * the trap, which sets MPV and MPP.
	 */
	.globl wp_riscv64_fetch
wp_riscv64_fetch:
	csrw	sepc, a0
	csrs	mstatus, a1
	li	t0, HSTATUS_SPV
	csrs	hstatus, t0
	sret

	/*
	 * Leaves MPP = U and MPV = 0, by an MRET to M-mode: that doesn't look at MPV. QEMU
	 * 7.2's does, and lets MPV be written.
	 */
	.globl wp_riscv64_forget_guest
wp_riscv64_forget_guest:
	li	t0, MSTATUS_MPV
	csrc	mstatus, t0
	li	t0, MSTATUS_MPP
	csrs	mstatus, t0
	csrw	mepc, ra
	mret

	/* a0: value. Nothing happens if this CPU doesn't have it: the trap goes on behind. */
	.globl wp_riscv64_set_menvcfg
wp_riscv64_set_menvcfg:
	la	t0, 1f
	csrrw	t0, mtvec, t0
	csrw	menvcfg, a0
	.balign	4
1:	csrw	mtvec, t0
	ret

	.globl wp_riscv64_set_henvcfg
wp_riscv64_set_henvcfg:
	la	t0, 1f
	csrrw	t0, mtvec, t0
	csrw	henvcfg, a0
	.balign	4
1:	csrw	mtvec, t0
	ret

	.section .bss, "aw", @nobits
	.balign	16
	.skip	16384
stack_top:
