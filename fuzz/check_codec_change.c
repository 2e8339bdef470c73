/* SPDX-License-Identifier: MIT */
/* From a wrong entry to a right one: the fewest bits that have to change, by trying. */
#include "check_codec.h"

#include <string.h>

/* The entries on the way to an address, as they are. */
struct way {
	const struct wp_codec_tables *tables;
	unsigned level; /* of the leaf */
	size_t slots[WP_CODEC_LEVELS];
	uint64_t before[WP_CODEC_LEVELS];
	const struct wp_run *run;
	uint64_t va;
	uint8_t open; /* what the manual leaves open as it is */
};

static bool is_right(const struct way *way)
{
	const struct wp_codec_tables *tables = way->tables;
	const struct wp_expectation expected = wp_expect_run(tables->regime, way->run, way->va);
	struct wp_finding finding = {.found = false};
	struct wp_answer answer;

	wp_paper_walk(tables->regime, tables->memory, tables->table[0], way->va, &answer);
	wp_judge_answer(tables->regime, &expected, way->va, &answer, "paper", &finding);
	return !finding.found && (answer.open & (uint8_t)~way->open) == 0 &&
	       (expected.allowed == 0 || answer.allowed != 0);
}

/* Whether the entry of `level` is one that changes there. */
static bool changes(const struct way *way, const struct wp_change *change, unsigned level)
{
	switch (change->place) {
	case WP_CHANGE_LEAF:
		return level == way->level;
	case WP_CHANGE_TABLE:
		return level == change->level;
	case WP_CHANGE_TABLES:
		return level < way->level;
	default:
		return true;
	}
}

/* Bits become in all of them what they are not in the one that is named. */
static void apply(const struct way *way, const struct wp_change *change)
{
	const uint64_t wanted = ~change->before & change->bits;

	for (unsigned level = 0; level <= way->level; level++) {
		const uint64_t entry = way->before[level];

		wp_codec_put(way->tables, level, way->slots[level],
		             changes(way, change, level) ? (entry & ~change->bits) | wanted
		                                         : entry);
	}
}

static bool try_bits(const struct way *way, struct wp_change *change, uint64_t bits)
{
	change->bits = bits;
	apply(way, change);
	return is_right(way);
}

static bool try_place(const struct way *way, struct wp_change *change, unsigned width, bool pairs)
{
	for (unsigned high = 0; high < width; high++) {
		for (unsigned low = pairs ? 0 : high; low < high + !pairs; low++) {
			if (try_bits(way, change, (uint64_t)1 << high | (uint64_t)1 << low))
				return true;
		}
	}
	return false;
}

static bool try_places(const struct way *way, struct wp_change *change, bool pairs)
{
	const unsigned width = way->tables->codec->entry_bytes * 8;

	*change = (struct wp_change){.place = WP_CHANGE_LEAF, .before = way->before[way->level]};
	if (try_place(way, change, width, pairs))
		return true;
	change->place = WP_CHANGE_TABLE;
	for (unsigned level = way->level; level-- > 0;) {
		change->level = level;
		change->before = way->before[level];
		if (try_place(way, change, width, pairs))
			return true;
	}
	if (way->level == 0)
		return false;
	change->before = way->before[way->level - 1];
	change->place = WP_CHANGE_TABLES;
	if (try_place(way, change, width, pairs))
		return true;
	change->before = way->before[way->level];
	change->place = WP_CHANGE_ALL;
	return try_place(way, change, width, pairs);
}

bool wp_codec_smallest_change(const struct wp_codec_tables *tables, unsigned level, size_t slot,
                              const struct wp_run *run, uint64_t va, struct wp_change *change)
{
	struct way way = {.tables = tables, .level = level, .run = run, .va = va};
	struct wp_answer answer;
	bool found;

	wp_paper_walk(tables->regime, tables->memory, tables->table[0], va, &answer);
	way.open = answer.allowed != 0 ? answer.open : 0;
	for (unsigned i = 0; i <= level; i++) {
		way.slots[i] = i == level ? slot : tables->link[i];
		way.before[i] = wp_codec_get(tables, i, way.slots[i]);
	}
	/* as it is nothing is wrong to the paper machine: whoever found it alone must say what */
	found = !is_right(&way) &&
	        (try_places(&way, change, false) || try_places(&way, change, true));
	for (unsigned i = 0; i <= level; i++)
		wp_codec_put(tables, i, way.slots[i], way.before[i]);
	return found;
}

void wp_codec_tell_bits(const struct wp_regime *regime, enum wp_entry_role role, uint64_t entry,
                        uint64_t bits, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned bit = 0; bit < 64; bit++) {
		char name[WP_BIT_NAME];

		if ((bits >> bit & 1) == 0 || at >= size)
			continue;
		wp_entry_bit_name(regime, role, bit, name);
		at += (size_t)snprintf(text + at, size - at, "%sbit %u%s%s%s %s",
		                       at > 0 ? " and " : "", bit, name[0] != '\0' ? " (" : "",
		                       name, name[0] != '\0' ? ")" : "",
		                       (entry >> bit & 1) != 0 ? "clear" : "set");
	}
}
