/* SPDX-License-Identifier: MIT */
/* What came of running a program. */
#ifndef WP_RESULT_H
#define WP_RESULT_H

#include "finding.h"
#include "program.h"

/* A finding with where it was: operation `op` of the program (or its end). */
struct wp_result {
	struct wp_finding finding;
	size_t op; /* == program->count: at the end */
	enum wp_opcode opcode;
	char key[96]; /* arch-law-operation-kind */
};

/* Makes the key of what was found. */
void wp_result_name(struct wp_result *result, enum wp_arch arch, const char *operation);

#endif
