/* SPDX-License-Identifier: MIT */
/* What walkproof check says, as JSON on standard output. */
#ifndef WP_CHECK_JSON_H
#define WP_CHECK_JSON_H

#include "check_report.h"
#include "check_subject.h"

void wp_check_report_json(const struct wp_check_report *report);

/* Saves the reproducers of bugs, too. */
void wp_check_subject_json(const struct wp_check_subject *check);

#endif
