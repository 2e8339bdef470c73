/* SPDX-License-Identifier: MIT */
/* walkproof fuzz: what is told when it is done. */
#ifndef WP_FUZZ_TABLE_H
#define WP_FUZZ_TABLE_H

#include "campaign.h"
#include "cli.h"

struct wp_fuzz {
	struct wp_campaign campaign; /* first: found() and tick() are given this */
	const char *archs[WP_MAX_ROWS];
	size_t arch_count;
	const char *directory;
	bool json, seeded;

	bool terminal;
	uint64_t next_line; /* of the progress, in ns from the start */
	uint64_t last_time; /* of the line before: for programs/s... */
	uint64_t last_programs, last_probes;
	json_t *findings;
};

/* The statistics of all rows. */
void wp_fuzz_total(const struct wp_fuzz *fuzz, struct wp_stats *stats);

void wp_fuzz_print_end(const struct wp_fuzz *fuzz);
void wp_fuzz_print_json(struct wp_fuzz *fuzz);

#endif
