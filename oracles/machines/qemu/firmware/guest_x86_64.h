/* SPDX-License-Identifier: MIT */
/*
 * What the walker and its guest agree on; assembly reads the first part too.
 *
 * The guest works off a list of jobs, one access each. It takes its own page faults
 * and so leaves the CPU's TLB alone; it exits to the walker only where an access
 * meets the nested tables, and at the end of the list.
 */
#ifndef WP_GUEST_X86_64_H
#define WP_GUEST_X86_64_H

/* Pages of the stub, as the lent root entry maps them. */
#define GUEST_CODE      0
#define GUEST_DATA      1
#define GUEST_JOBS      2
#define GUEST_JOB_PAGES 4
#define GUEST_MAILBOX   6 /* its first page, for `at` */
#define GUEST_USER      7 /* the code again, for the user */

#define GUEST_CODE_SELECTOR      0x08
#define GUEST_USER_DATA_SELECTOR 0x13
#define GUEST_USER_CODE_SELECTOR 0x1b
#define GUEST_TSS_SELECTOR       0x20

#define JOB_VA      0
#define JOB_AT      8
#define JOB_FLAGS   12
#define JOB_OUTCOME 16
#define JOB_CR2     24
#define JOB_SIZE    32

#define JOB_WRITES  1 /* it is a write */
#define JOB_LOCATED 2 /* no need to exit if it is allowed */
#define JOB_END     7 /* in place of a kind */

#define DATA_JOB   0 /* the one at hand */
#define DATA_STORE 8 /* of a write: what is there has been read, or can't be */
#define DATA_BYTE  9 /* what a write writes */

#define MAILBOX_AT 132

#ifndef __ASSEMBLER__
#include <stddef.h>

#include "walker.h"

struct job {
	uint64_t va;
	uint32_t at; /* as in the mailbox: 8 * question + kind */
	uint32_t flags;
	uint32_t outcome; /* EXITCODE and error code as in wp_reply.code; 0: allowed */
	uint32_t spare;
	uint64_t cr2;
};
_Static_assert(offsetof(struct job, cr2) == JOB_CR2 && sizeof(struct job) == JOB_SIZE,
               "as assembly has it");
_Static_assert(offsetof(struct wp_mailbox, at) == MAILBOX_AT, "as assembly has it");

#define GUEST_GATES 32u

struct guest_data {
	uint64_t job; /* address in the guest */
	uint8_t store;
	uint8_t byte;
	uint8_t unused1[6];
	uint32_t tss[26];
	uint64_t gdt[4];
	uint64_t gates[2 * GUEST_GATES];
	uint8_t stack[4096 - 16 - 104 - 32 - 16 * GUEST_GATES];
};
_Static_assert(sizeof(struct guest_data) == 4096, "a page");

#define GUEST_MOST_JOBS (GUEST_JOB_PAGES * 4096u / JOB_SIZE)

extern uint8_t guest_code[], guest_breakpoint[], guest_general_protection[], guest_page_fault[];
extern struct guest_data guest_data;
extern struct job guest_jobs[GUEST_MOST_JOBS];
#endif

#endif
