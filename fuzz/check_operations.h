/* SPDX-License-Identifier: MIT */
#ifndef WP_CHECK_OPERATIONS_H
#define WP_CHECK_OPERATIONS_H

#include "check_backend.h"
#include "check_report.h"

/*
 * A campaign on the regimes, with all checks: the last row of the report. `absent` as
 * wp_machines_absent() has it.
 */
void wp_check_operations(const struct wp_check_options *options,
                         const struct wp_regime *const regimes[], size_t count,
                         const uint8_t absent[WP_MACHINE_KINDS], struct wp_check_report *report);

#endif
