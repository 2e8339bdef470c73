/* SPDX-License-Identifier: MIT */
/* What the RISC-V walker and its host file say to each other, beyond the mailbox. */
#ifndef WP_WALKER_RISCV64_H
#define WP_WALKER_RISCV64_H

/* mailbox->setting: the last two never change. */
enum wp_riscv64_setting {
	WP_RISCV64_VSATP,
	WP_RISCV64_WINDOW,
	WP_RISCV64_WINDOW_FRAMES,
};

/* Above the cause of the exception in a reply's code. */
#define WP_RISCV64_OF_THE_WALK  0x100u /* not the access: an entry is not in guest memory */
#define WP_RISCV64_LEADS_ASTRAY 0x200u /* allowed, but not to where the first kind leads */

/* mailbox->parameter[0] of a trial; the address is parameter[1]. */
enum wp_riscv64_trial {
	WP_RISCV64_TRIAL_WITHOUT_ADUE, /* a kernel read; outcome: its code, or 0 */
	WP_RISCV64_TRIAL_SPVP,         /* a kernel read, then the user's from the same mode */
	WP_RISCV64_TRIAL_BARE_SATP,    /* a kernel read; outcome: its cause */
};

#endif
