/* SPDX-License-Identifier: MIT */
/* The tested root as the G-stage itself: see gstage_riscv64.c. */
#ifndef WP_GSTAGE_RISCV64_H
#define WP_GSTAGE_RISCV64_H

#include <stdbool.h>

#include "walker.h"

/* All of a batch; `ready` prepares for accesses of a kind. */
void wp_gstage_probe(struct wp_mailbox *mailbox, bool warm, void (*ready)(unsigned kind));

#endif
