/* SPDX-License-Identifier: MIT */
/* What query(), the model and each machine say about one address. */
#ifndef WP_WITNESS_H
#define WP_WITNESS_H

#include "machine_set.h"

/* One who was asked: query(), the model, a machine. */
struct wp_witness {
	const char *name;
	char status[40];
	bool mapped, sees_size, sees_flags, accessed, dirty;
	uint64_t pa, size;
	pt_flags flags;
	uint8_t answered, allowed, open;
	const char *memory_type; /* NULL: says nothing of it */
	struct wp_finding finding;
};

#define WP_WITNESSES (2 + WP_MACHINE_KINDS)

struct wp_testimony {
	struct wp_runner *runner; /* with the tables as they are */
	struct wp_machine_set *set;
	const struct wp_regime *regime;
	unsigned table;
	uint64_t va;
	bool damaged; /* so that the model, which knows nothing of it, isn't asked */
	struct wp_expectation expected;
	struct wp_witness witnesses[WP_WITNESSES];
	size_t count;
	struct wp_step steps[WP_MAX_STEPS];
	size_t step_count;
};

/* The fields down to `damaged` are the caller's. */
void wp_testimony_take(struct wp_testimony *testimony);

bool wp_testimony_differs(const struct wp_testimony *testimony);

/* "yes", "no", "either"; "-": it can't be asked. */
const char *wp_witness_verdict(const struct wp_witness *witness, unsigned kind);

/* A column for each. */
void wp_testimony_print(const struct wp_testimony *testimony, FILE *out);

#endif
