/* SPDX-License-Identifier: MIT */
/* A call of a program, made on a subject: of all its functions the one that is meant. */
#ifndef WP_SUBJECT_PERFORM_H
#define WP_SUBJECT_PERFORM_H

#include "program.h"
#include "subject.h"

/* What a call came to. */
struct wp_outcome {
	pt_status status;
	struct pt_mapping told; /* unmap, query: what; protect, remap: what it was */
	size_t leaves;          /* harvest: told of */
};

/* Of those with a status, but for create and destroy. */
struct wp_outcome wp_subject_perform(const struct wp_subject *subject, struct wp_instance *instance,
                                     const struct wp_regime *regime, const struct wp_call *call);

/* Begins a batch, or ends it in one of the three ways: WP_OP_BATCH to WP_OP_IGNORE. */
void wp_subject_batch(const struct wp_subject *subject, struct wp_instance *instance,
                      const struct wp_call *call);

/* But for what a CPU did with it. */
bool wp_mapping_equal(const struct pt_mapping *a, const struct pt_mapping *b);

#endif
