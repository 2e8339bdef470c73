/* SPDX-License-Identifier: MIT */
/*
 * The judge: what the model says must be, compared with what query() says and
 * what machines do, address by address.
 */
#ifndef WP_JUDGE_H
#define WP_JUDGE_H

#include "finding.h"
#include "machine.h"
#include "model.h"

/* A set of addresses to look at; more than fit are dropped, and counted. */
#define WP_MAX_ADDRESSES 1024
struct wp_addresses {
	size_t count;
	size_t dropped;
	uint64_t va[WP_MAX_ADDRESSES];
};

/* First and last byte of [va, va + size), and the bytes just outside. */
void wp_addresses_around(struct wp_addresses *addresses, uint64_t va, uint64_t size);

/*
 * Every live run's two ends, its neighbours on both sides, and a leaf inside it
 * that `salt` chooses.
 */
void wp_addresses_of_runs(struct wp_addresses *addresses, const struct wp_run *runs, size_t count,
                          uint64_t salt);

/* The addresses on both sides of each end of the canonical ranges. */
void wp_addresses_at_edges(struct wp_addresses *addresses, const struct wp_regime *regime);

/* What must be true of one address; from the model alone. */
struct wp_expectation {
	const struct wp_run *run; /* NULL: nothing is mapped */
	uint8_t allowed;          /* kinds */
	uint64_t pa, size;
	enum wp_memory_type memory_type; /* UNKNOWN: nothing to say */
};

struct wp_expectation wp_expect(const struct wp_regime *regime, const struct wp_model *model,
                                unsigned table, uint64_t va);

/* The same for an address of a live run. */
struct wp_expectation wp_expect_run(const struct wp_regime *regime, const struct wp_run *run,
                                    uint64_t va);

/* Compares one answer; `name` is the machine's. */
void wp_judge_answer(const struct wp_regime *regime, const struct wp_expectation *expected,
                     uint64_t va, const struct wp_answer *answer, const char *name,
                     struct wp_finding *finding);

/* Compares what query() said. */
void wp_judge_query(const struct wp_regime *regime, const struct wp_expectation *expected,
                    uint64_t va, pt_status status, const struct pt_mapping *mapping,
                    struct wp_finding *finding);

#endif
