/* SPDX-License-Identifier: MIT */
/* What the host and the walker agree on for x86_64, beside the mailbox. */
#ifndef WP_X86_64_H
#define WP_X86_64_H

/* wp_mailbox.setting */
enum {
	WP_X86_64_CR3,
	WP_X86_64_LA57,        /* not 0: five levels */
	WP_X86_64_STUB,        /* where the lent root entry maps it */
	WP_X86_64_WINDOW,      /* guest physical address */
	WP_X86_64_WINDOW_SIZE, /* in frames */
};

/*
 * The stub's guest physical addresses: what the guest runs, and the tables that
 * the lent root entry leads to, from the last level up. No round number, and no
 * end of anything: where a test hardly ever points.
 */
#define WP_X86_64_STUB_PAGES  7u
#define WP_X86_64_STUB_TABLES 4u
#define WP_X86_64_STUB_FRAMES (WP_X86_64_STUB_PAGES + WP_X86_64_STUB_TABLES)
#define WP_X86_64_STUB_PA     0x0009a6d35b2c7000u

/* wp_reply.code is an EXITCODE (APM vol. 2, appendix C), and below it the error code. */
#define WP_X86_64_EXIT_SHIFT 16u
#define WP_X86_64_EXIT_GP    0x4du
#define WP_X86_64_EXIT_PF    0x4eu
#define WP_X86_64_EXIT_NPF   0x400u

#endif
