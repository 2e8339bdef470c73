/* SPDX-License-Identifier: MIT */
/*
 * The nested tables, which hold the guest back: at first they map nothing but its
 * own code and data. A frame of the window is let in when the CPU wants to read or
 * mark an entry in it. What an access itself leads to is seen by the nested page
 * fault, and then has a page to stand in for it, for the accesses that follow: one
 * that can be read and executed, but not written nor, as that takes writing, walked
 * through. So no tested access touches anything but tables.
 *
 * "APM" is AMD's Architecture Programmer's Manual, vol. 2.
 */
#ifndef WP_NESTED_X86_64_H
#define WP_NESTED_X86_64_H

#include <stdbool.h>
#include <stdint.h>

/* The guest's code and data, for good; returns the root. */
uint64_t nested_start(void);

/* The same one each time. */
void nested_set_window(uint64_t window, uint64_t frames);

/* False: it isn't in the window, or is in already. */
bool nested_let_in(uint64_t pa);
void nested_let_none_in(void);

/* One at a time. */
void nested_stand_in(uint64_t pa);
/* False: there was none. */
bool nested_remove_stand_in(void);

#endif
