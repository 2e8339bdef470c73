/* SPDX-License-Identifier: MIT */
/*
 * A finding as one C file that needs nothing but the library: its header, a platform and,
 * where a CPU is needed to see what is wrong, a small CPU. It exits with 1 and a sentence
 * on a library that has the bug, with 0 on one that hasn't.
 */
#ifndef WP_STANDALONE_H
#define WP_STANDALONE_H

#include "report.h"

/*
 * Runs nothing: what must be comes from the model. False, and nothing is written: `why`
 * says why such a finding can't be shown without the framework.
 */
bool wp_standalone_print(const struct wp_report *report, const struct wp_subject *subject,
                         FILE *out, char *why, size_t why_size);

#endif
