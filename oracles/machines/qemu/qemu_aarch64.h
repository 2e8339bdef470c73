/* SPDX-License-Identifier: MIT */
/* What the AArch64 machine on QEMU and its quirks share. */
#ifndef WP_QEMU_AARCH64_H
#define WP_QEMU_AARCH64_H

#include "qemu.h"

enum wp_a64_quirk {
	WP_A64_L0_BLOCK,
	WP_A64_PAR_SHAREABILITY,
	WP_A64_QUIRKS,
};
extern const struct wp_quirk wp_a64_quirks[WP_A64_QUIRKS];

/* DDI 0487, D17 "PAR_EL1". */
enum wp_a64_shareability {
	WP_A64_OUTER_SHAREABLE = 2,
	WP_A64_INNER_SHAREABLE = 3,
};

static inline unsigned wp_a64_shareability(uint64_t par)
{
	return par >> 7 & 3;
}

#endif
