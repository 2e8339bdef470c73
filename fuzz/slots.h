/* SPDX-License-Identifier: MIT */
/* The slots in which a worker keeps its findings, one for each key. */
#ifndef WP_SLOTS_H
#define WP_SLOTS_H

#include "worker.h"

/* For a finding with a key of its own, by the program at hand; NULL: it is counted, and that is
 * all. */
struct wp_slot *wp_slots_new(struct wp_worker *worker, const char *key);

/* Keys that are known: they are counted, and nothing more. */
void wp_slots_know(struct wp_worker *worker, const char (*keys)[96], size_t count);

/*
 * The program at hand ended the worker, with that wait status: whoever takes over shrinks
 * it. True: its key is new.
 */
bool wp_slots_keep_death(const struct wp_campaign *campaign, struct wp_worker *worker, int status,
                         bool hung);

/* True: the worker died while it was shrinking. The finding isn't lost. */
bool wp_slots_left(struct wp_worker *worker);

/* Whether there is a finding that a worker has to take over. */
bool wp_slots_to_shrink(const struct wp_worker *worker);

/* No worker is left: what still waits is told as it was met. */
void wp_slots_settle(struct wp_worker *worker);

#endif
