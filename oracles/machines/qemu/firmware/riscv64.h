/* SPDX-License-Identifier: MIT */
/* What the RISC-V walker and its host file say to each other, beyond the mailbox. */
#ifndef WP_WALKER_RISCV64_H
#define WP_WALKER_RISCV64_H

/* mailbox->setting: the window never changes. */
enum wp_riscv64_setting {
	WP_RISCV64_VSATP,
	WP_RISCV64_WINDOW,
	WP_RISCV64_WINDOW_FRAMES,
	WP_RISCV64_HGATP, /* of a tested G-stage; 0: vsatp is tested */
};

/* Above the cause of the exception in a reply's code. */
#define WP_RISCV64_OF_THE_WALK  0x100u /* not the access: an entry is not in guest memory */
#define WP_RISCV64_LEADS_ASTRAY 0x200u /* allowed, but not to where the first kind leads */

/*
 * A trial is one HLV.B from M-mode: parameter[0] is its address, parameter[1] how it is
 * made. The outcome is the cause of its exception; 0: none.
 */
#define WP_RISCV64_FENCE        1u /* HFENCE.VVMA and HFENCE.GVMA before */
#define WP_RISCV64_WITHOUT_ADUE 2u /* menvcfg.ADUE = henvcfg.ADUE = 0 */
#define WP_RISCV64_BARE_SATP    4u /* satp = 0 */
#define WP_RISCV64_AS_USER      8u /* hstatus.SPVP = 0 */

/* Or else no load: mstatus.MPV is set. The outcome is what it is then. */
#define WP_RISCV64_SET_MPV 16u

#endif
