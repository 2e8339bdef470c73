/* SPDX-License-Identifier: MIT */
/*
 * Two subjects, one program: what each says of every call, what query() answers, and what
 * the paper machine finds in the tables must be the same, wherever the deviations of both
 * leave no choice. No model judges: it only tells which calls these leave out.
 */
#ifndef WP_COMPARE_H
#define WP_COMPARE_H

#include "subject.h"

#include "memory.h"
#include "program.h"

struct wp_side {
	const struct wp_subject *subject;
	struct wp_instance *instance;
	struct wp_memory memory;
	struct pt_platform platform;
	bool exists[WP_MODEL_TABLES];
};

struct wp_difference {
	bool found;
	size_t op;    /* index into the program */
	char key[80]; /* "x86_64-map-query-flags" */
	char sentence[300];
};

struct wp_comparison {
	struct wp_side sides[2];
	wp_profile profile; /* of both */
	struct wp_model *model, *before;

	/* private: the program at hand */
	const struct wp_regime *regime;
	struct wp_difference *difference;

	uint64_t programs, calls, queries;
	uint64_t parted; /* programs that end where the deviations allow two outcomes */
};

/* False: `why` says what is missing. */
bool wp_compare_open(struct wp_comparison *comparison, const struct wp_subject *one,
                     const struct wp_subject *other, char *why, size_t why_size);

void wp_compare_run(struct wp_comparison *comparison, const struct wp_program *program,
                    struct wp_difference *difference);

/* Leaves out what the difference does without. */
void wp_compare_shrink(struct wp_comparison *comparison, struct wp_program *program,
                       struct wp_difference *difference);

#endif
