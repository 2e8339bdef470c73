/* SPDX-License-Identifier: MIT */
#include "quirks_shared.h"

#include "scratch.h"

static bool l0_block_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	*scratch->entry[0] = wp_scratch_leaf_entry(scratch, 0, 0, PT_READ);
	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

bool wp_quirk_l0_block(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "aarch64_low", l0_block_shows);
}

/* SDM vol. 3, 4.8 */
#define A ((uint64_t)1 << 5)
#define D ((uint64_t)1 << 6)

/* Of two leaves that the user may not read, the attempt marks the larger one. */
static bool gigapage_accessed_shows(struct wp_scratch *scratch)
{
	uint64_t *leaf = scratch->entry[1], pa;

	*leaf = wp_scratch_leaf_entry(scratch, 1, (uint64_t)7 << 30, PT_READ) & ~(A | D);
	if (wp_scratch_translate(scratch, WP_USER_READ, &pa) || (*leaf & A) == 0)
		return false;
	leaf = scratch->entry[2];
	*scratch->entry[1] = wp_scratch_table_entry(scratch, scratch->frame[2]);
	*leaf = wp_scratch_leaf_entry(scratch, 2, (uint64_t)7 << 21, PT_READ) & ~(A | D);
	return !wp_scratch_translate(scratch, WP_USER_READ, &pa) && (*leaf & A) == 0;
}

bool wp_quirk_1g_accessed(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", gigapage_accessed_shows);
}
