/* SPDX-License-Identifier: MIT */
/* What the RISC-V machine on QEMU and its quirks share. */
#ifndef WP_QEMU_RISCV64_H
#define WP_QEMU_RISCV64_H

#include "qemu.h"

enum wp_rv_quirk {
	WP_RV_RESERVED_BITS,
	WP_RV_PBMT_3,
	WP_RV_GSTAGE_SIGN,
	WP_RV_SVADU,
	WP_RV_SPVP_TLB,
	WP_RV_HLV_ACCESS_FAULT,
	WP_RV_HFENCE_VA_FLUSHES_ALL,
	WP_RV_MPV_READ_ONLY,
	WP_RV_QUIRKS,
};
extern const struct wp_quirk wp_rv_quirks[WP_RV_QUIRKS];

#endif
