/* SPDX-License-Identifier: MIT */
/*
 * Where an implementation differs from the contract on purpose. Each deviation forgives
 * one thing: it either has another outcome, which the model then predicts as exactly as
 * the contract's, or it leaves out of programs what the implementation gives no meaning.
 */
#ifndef WP_DEVIATIONS_H
#define WP_DEVIATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regime.h"

enum wp_deviation {
	/* another outcome */
	WP_ALIGNS_DOWN,
	WP_NO_512G,
	WP_NO_1G,
	WP_NO_HUGE,
	WP_NO_RECLAIM,
	WP_PARTIAL_TABLES,
	WP_PARTIAL_REGIONS,
	WP_UNMAP_SKIPS_HOLES,
	WP_PROTECT_REFUSES_HOLES,
	WP_USER_GLOBAL,
	WP_NO_BREAK,
	WP_ZEROS_AT_0,
	WP_OWN_STATUS, /* last of these: it forgives some of what others forgive more exactly */
	/* not asked for */
	WP_NO_NO_ACCESS,
	WP_NO_MEMORY_TYPES,
	WP_REGIONS_OF_4K,
	WP_NO_SPLIT,
	WP_TRUNCATES_ADDRESSES,
	WP_ASSUMES_ALIGNED,
	WP_ASSUMES_SIZES,
	WP_APPROXIMATES_FLAGS,
	WP_ASSUMES_UNMAPPED,
	WP_ASSUMES_MAPPED,
	WP_ASSUMES_MEMORY,
	WP_TRUSTS_TABLES,
	/* not asked for either; `check` doesn't propose them, as they leave out what has bugs */
	WP_NOT_PROPOSED,
	WP_NO_LOANS = WP_NOT_PROPOSED,
	WP_NO_WALK,
	WP_SMALL_REGIONS,
	WP_ASSUMES_LINEAR,
	WP_ASSUMES_NO_HOLES,
	WP_DEVIATIONS,
};

/* A bit for each. */
typedef uint32_t wp_profile;

static inline bool wp_deviates(wp_profile profile, enum wp_deviation deviation)
{
	return (profile >> deviation & 1) != 0;
}

/* What a subject isn't asked for. */
struct wp_unasked {
	uint32_t opcodes; /* a bit for each; map is asked for in any case */
	wp_profile profile;
};

struct wp_deviation_row {
	const char *name;
	const char *forgives; /* one line */
	bool unasked;         /* what it forgives isn't asked for */
	/* What may be meant where this isn't enough. WP_DEVIATIONS: nothing. */
	enum wp_deviation stronger;
};
extern const struct wp_deviation_row wp_deviations[WP_DEVIATIONS];

/* Names separated by spaces. False: `unknown` is the first that is none. */
bool wp_profile_parse(const char *words, wp_profile *profile, char *unknown, size_t size);

/* The sizes of leaves that there are. */
uint64_t wp_profile_leaf_sizes(wp_profile profile, const struct wp_regime *regime);

/* The same words; "" for none. */
void wp_profile_text(wp_profile profile, char *text, size_t size);

#endif
