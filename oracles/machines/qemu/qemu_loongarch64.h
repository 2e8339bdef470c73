/* SPDX-License-Identifier: MIT */
/* What the LoongArch machine on QEMU and its quirks share. */
#ifndef WP_QEMU_LOONGARCH64_H
#define WP_QEMU_LOONGARCH64_H

#include "qemu.h"

#define WP_LA_VALEN 48

enum wp_la_quirk {
	WP_LA_DATA_16K,
	WP_LA_DENIED_FETCH_HANGS,
	WP_LA_LDPTE_RIGHTS,
	WP_LA_LDDIR_RIGHTS,
	WP_LA_LDPTE_1G,
	WP_LA_LDPTE_HUGE_G,
	WP_LA_VA_BIT_47,
	WP_LA_TLBWR_STALE,
	WP_LA_NR_AFTER_STORE,
	WP_LA_G_OF_EVEN,
	WP_LA_BUS_ERROR,
	WP_LA_BUS_BADV,
	WP_LA_WINDOW_16,
	WP_LA_QUIRKS,
};
extern const struct wp_quirk wp_la_quirks[WP_LA_QUIRKS];

/* wp_qemu.notes */
#define WP_LA_NOTE_FETCH_HANGS 0

#endif
