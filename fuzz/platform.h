/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as a platform: its frames and the direct map. Flushes come to nothing, and
 * stores go unseen.
 */
#ifndef WP_PLATFORM_H
#define WP_PLATFORM_H

#include <walkproof/pt.h>

#include "memory.h"

/*
 * Its context is the memory: whoever needs another puts services of its own in the place of
 * those for frames, all four.
 */
struct pt_platform wp_memory_platform(struct wp_memory *memory);

#endif
