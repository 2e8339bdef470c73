/* SPDX-License-Identifier: MIT */
/*
 * What an architecture's walker does for the common part of the firmware. One
 * core runs it, on a stack of its own, and nothing interrupts it.
 */
#ifndef WP_WALKER_H
#define WP_WALKER_H

#include "../mailbox.h"

/* Where the mailbox is, as this CPU's firmware sees it; constant. */
struct wp_mailbox *walker_mailbox(void);

/* Once, before the host is told that the firmware runs: fills in `found`. */
void walker_start(struct wp_mailbox *mailbox);

/* WP_ORDER_PROBE: all questions; notes each access with walker_at(). */
void walker_probe(struct wp_mailbox *mailbox);

/* mailbox->setting is the regime's. */
void walker_flush_all(struct wp_mailbox *mailbox);
void walker_flush_address(struct wp_mailbox *mailbox, uint64_t va);

/* WP_ORDER_TRIAL */
void walker_trial(struct wp_mailbox *mailbox);

/* The common part: never returns. Called by the start code. */
_Noreturn void walker_main(void);

/* Before each access, so that the host sees progress, and whom to blame for none. */
static inline void walker_at(struct wp_mailbox *mailbox, uint32_t question, uint32_t kind)
{
	__atomic_store_n(&mailbox->at, 8 * question + kind, __ATOMIC_RELAXED);
}

#endif
