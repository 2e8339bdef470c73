/* SPDX-License-Identifier: MIT */
/* Quirks that QEMU and Unicorn both have, for the walkers of one stem from the other's. */
#ifndef WP_QUIRKS_SHARED_H
#define WP_QUIRKS_SHARED_H

#include "../machine.h"

/* wp_quirk.still_there of a64-l0-block and x86-1g-accessed. */
bool wp_quirk_l0_block(struct wp_machine *machine);
bool wp_quirk_1g_accessed(struct wp_machine *machine);

#endif
