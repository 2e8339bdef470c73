/* SPDX-License-Identifier: MIT */
/* What the manuals call each bit of an entry, for people. */
#ifndef WP_ENTRY_BITS_H
#define WP_ENTRY_BITS_H

#include "regime.h"

enum wp_entry_role {
	WP_ROLE_TABLE,
	WP_ROLE_HUGE, /* a leaf above the last level */
	WP_ROLE_PAGE, /* a leaf of the last level */
};

#define WP_BIT_NAME 24

/* "U/S", "AttrIndx[2]", "address[21]"; "" where the manual has no name for it. */
const char *wp_entry_bit_name(const struct wp_regime *regime, enum wp_entry_role role, unsigned bit,
                              char text[WP_BIT_NAME]);

#endif
