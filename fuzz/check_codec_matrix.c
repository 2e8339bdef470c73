/* SPDX-License-Identifier: MIT */
/* Every flag set, at every level with leaves, by every access, on every machine. */
#include "check_codec.h"

#include <string.h>

static unsigned weight_of(const struct wp_codec_case *at)
{
	return at->leaf.weight + (at->va != at->start);
}

static void judge(struct wp_codec_check *check, const struct wp_codec_case *at,
                  enum wp_machine_name machine, const struct wp_answer *paper,
                  const struct wp_answer *answer)
{
	const unsigned line = WP_LINE_MATRIX + (unsigned)machine;
	const struct wp_run run = wp_codec_run(&check->tables, &at->leaf, at->start);
	const struct wp_expectation expected = wp_expect_run(check->tables.regime, &run, at->va);
	struct wp_finding finding = {.found = false};
	struct wp_counterexample *example;
	struct wp_answer certain = *answer;

	certain.open |= paper->open;
	wp_check_compared(check->report, line, (uint64_t)__builtin_popcount(answer->answered));
	wp_judge_answer(check->tables.regime, &expected, at->va, &certain,
	                wp_codec_machine_name(machine), &finding);
	if (!finding.found)
		return;
	example = wp_check_wrong(check->report, line, weight_of(at));
	if (example != NULL)
		wp_codec_explain(check, &at->leaf, at->slot, at->start, &certain, &finding,
		                 example);
}

/* Its first byte, one in the middle, and its last. */
static void add_leaf(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const uint64_t size = wp_codec_span(&check->tables, leaf->level);
	const uint64_t offsets[] = {0, size / 2 + 0x123, size - 1};
	struct wp_codec_case at = {.level = leaf->level, .entry = leaf->entry, .leaf = *leaf};

	at.slot = wp_codec_slot(check, 3, WP_LINE_MATRIX, judge);
	wp_codec_va(&check->tables, leaf->level, at.slot, &at.start);
	for (unsigned i = 0; i < 3; i++) {
		at.va = at.start + offsets[i];
		wp_codec_add(check, &at);
	}
}

/* All addresses with READ alone, and the two simplest with the rest. */
static void check_level(struct wp_codec_check *check, unsigned level)
{
	const struct wp_codec_tables *tables = &check->tables;
	uint64_t addresses[WP_CODEC_ADDRESSES];
	const size_t count = wp_codec_addresses(tables, level, addresses);
	pt_flags sets[64];
	const size_t set_count = wp_codec_flag_sets(tables->regime, sets);

	wp_codec_collect(check, level);
	for (size_t set = 0; set < set_count; set++) {
		for (size_t i = 0; i < (sets[set] == PT_READ ? count : 2); i++) {
			const struct wp_codec_leaf leaf = wp_codec_encode(
				tables, level, sets[set], addresses[i],
				100u * (unsigned)__builtin_popcount(sets[set]) + 10u * (i != 0));

			add_leaf(check, &leaf);
		}
	}
	wp_codec_ask(check, WP_LINE_MATRIX, judge);
}

void wp_codec_check_matrix(struct wp_codec_check *check)
{
	for (unsigned level = check->tables.codec->levels; level-- > 0;) {
		if (wp_codec_has_leaves(&check->tables, level))
			check_level(check, level);
	}
}
