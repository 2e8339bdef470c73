/* SPDX-License-Identifier: MIT */
/* What QEMU's AArch64 gets wrong, each shown by a table. */
#include "qemu_aarch64.h"

#include "../quirks_shared.h"
#include "../scratch.h"

/* DDI 0487, D8.3 */
#define ATTRIBUTE_INDEX ((uint64_t)7 << 2)

/* Its entry says inner shareable, which is of no effect on a device. */
static bool par_shareability_shows(struct wp_scratch *scratch)
{
	const struct wp_qemu *qemu = wp_qemu_of(scratch->machine);
	struct wp_answer answer;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	*wp_scratch_last(scratch) &= ~ATTRIBUTE_INDEX; /* 0: device */
	answer = wp_scratch_ask(scratch, WP_KERNEL_READ);
	if (answer.allowed == 0)
		return false;
	wp_scratch_note("      PAR_EL1.SH: qemu %u, the manual %u",
	                wp_a64_shareability(qemu->processes[qemu->model].mailbox->replies[0].raw),
	                WP_A64_OUTER_SHAREABLE);
	return answer.memory_type == WP_TYPE_OTHER;
}

static bool par_shareability(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "aarch64_low", par_shareability_shows);
}

const struct wp_quirk wp_a64_quirks[WP_A64_QUIRKS] = {
	[WP_A64_L0_BLOCK] = {"a64-l0-block",
                             "a block at level 0 is taken for a leaf of 512 GiB; a probe that "
                             "meets one is not answered",
                             "DDI 0487, D8.3: a Translation fault without FEAT_LPA2",
                             wp_quirk_l0_block},
	[WP_A64_PAR_SHAREABILITY] =
		{"a64-par-shareability",
                 "AT shows the shareability that an entry for device or non-cacheable memory "
                 "names, and not that it is outer shareable; it is not looked at",
                 "DDI 0487, D17, PAR_EL1.SH", par_shareability},
};
