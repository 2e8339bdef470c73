/* SPDX-License-Identifier: MIT */
/* A shared object as a subject, between subject_foreign.c and subject_foreign_*.c. */
#ifndef WP_SUBJECT_FOREIGN_H
#define WP_SUBJECT_FOREIGN_H

#include "subject.h"

#include <walkproof/subject.h>

struct wp_instance {
	const struct wp_subject *subject;
	const struct wp_subject_calls *calls;
	const struct wp_regime *regime;
	const struct pt_platform *platform;
	struct wp_host host;
	void *tables[WP_MODEL_TABLES];
	bool batched[WP_MODEL_TABLES];
};

/* What the subject may ask of us. */
struct wp_host wp_foreign_host(struct wp_instance *instance);

/* Its words as ours. */
pt_status wp_foreign_status(wp_status status);
struct pt_mapping wp_foreign_mapping(const struct wp_leaf *leaf);
struct pt_visit wp_foreign_visit(const struct wp_entry_seen *seen);

#endif
