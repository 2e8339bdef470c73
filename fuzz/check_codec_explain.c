/* SPDX-License-Identifier: MIT */
/* What machines' answers say of leaves that a codec encoded. */
#include "check_codec.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"

struct wp_answer wp_codec_merge(const struct wp_answer *paper, const struct wp_answer *answer)
{
	struct wp_answer merged = *answer;

	merged.answered = paper->answered;
	merged.allowed = (uint8_t)((answer->allowed & answer->answered) |
	                           (paper->allowed & (uint8_t)~answer->answered));
	merged.open = paper->open;
	if (answer->pa_unknown || (answer->allowed & answer->answered) == 0) {
		merged.pa = paper->pa;
		merged.pa_unknown = false;
	}
	if (answer->size == 0)
		merged.size = paper->size;
	if (answer->memory_type == WP_TYPE_UNKNOWN)
		merged.memory_type = paper->memory_type;
	if (answer->level == 0xff)
		merged.level = paper->level;
	return merged;
}

struct wp_run wp_codec_run(const struct wp_codec_tables *tables, const struct wp_codec_leaf *leaf,
                           uint64_t va)
{
	const uint64_t size = wp_codec_span(tables, leaf->level);

	return (struct wp_run){
		.va = va, .pa = leaf->pa, .bytes = size, .leaf = size, .flags = leaf->flags};
}

/* ---- what is wrong with a leaf ---- */

/* The flag that an answer is wrong about. */
static const char *flag_at_fault(const struct wp_expectation *expected,
                                 const struct wp_answer *answer)
{
	const uint8_t wrong = (expected->allowed ^ answer->allowed) & answer->answered &
	                      (uint8_t)~answer->open;
	const uint8_t writes = 1u << WP_KERNEL_WRITE | 1u << WP_USER_WRITE;
	const uint8_t executes = 1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE;
	const pt_flags flags = expected->run->flags;
	const bool user = (answer->allowed & WP_USER_KINDS) != 0;

	if (wrong == 0 && answer->memory_type != expected->memory_type) {
		if (flags & PT_DEVICE)
			return "DEVICE";
		return flags & PT_UNCACHED ? "UNCACHED" : "neither DEVICE nor UNCACHED";
	}
	if ((wrong == 0 && (flags & PT_USER)) ||
	    ((wrong & WP_USER_KINDS) != 0 && user != ((flags & PT_USER) != 0) &&
	     answer->allowed != 0))
		return "USER";
	if (wrong != 0 && (wrong & (uint8_t)~executes) == 0)
		return "EXECUTE";
	if (wrong != 0 && (wrong & (uint8_t)~writes) == 0)
		return "WRITE";
	return "READ";
}

static void name_field(const struct wp_codec_leaf *leaf, const struct wp_expectation *expected,
                       const struct wp_answer *answer, const char *kind,
                       struct wp_counterexample *example)
{
	const size_t size = sizeof example->field;
	char flags[8];

	if (strcmp(kind, "pa") == 0)
		snprintf(example->field, size, "arch_leaf: the address, level %u", leaf->level);
	else if (strcmp(kind, "size") == 0 || strcmp(kind, "left-memory") == 0)
		snprintf(example->field, size, "arch_leaf_bits: the size of a leaf at level %u",
		         leaf->level);
	else if (answer->allowed == 0 && expected->allowed != 0)
		snprintf(example->field, size, "arch_leaf_bits: %s at level %u is none to the CPU",
		         wp_flags_text(leaf->flags, flags), leaf->level);
	else
		snprintf(example->field, size, "arch_leaf_bits: %s",
		         flag_at_fault(expected, answer));
}

void wp_codec_draw(const struct wp_codec_tables *tables, unsigned level, bool leaf, uint64_t entry,
                   uint64_t wrong, struct wp_counterexample *example)
{
	example->regime = tables->regime;
	example->role = wp_codec_role(tables, level, leaf);
	example->level = level;
	example->entry = entry;
	example->wrong = wrong;
}

static void tell_change(const struct wp_codec_tables *tables, unsigned level,
                        const struct wp_change *change, struct wp_counterexample *example)
{
	static const char *const places[] = {
		[WP_CHANGE_LEAF] = "",
		[WP_CHANGE_TABLE] = " in the table entry",
		[WP_CHANGE_TABLES] = " in the table entries",
		[WP_CHANGE_ALL] = ", in the table entries on the way too",
	};
	const bool in_leaf = change->place == WP_CHANGE_LEAF || change->place == WP_CHANGE_ALL;
	const unsigned above = change->place == WP_CHANGE_TABLE ? change->level : level - 1;
	const unsigned at = in_leaf ? level : above;
	char bits[120];

	wp_codec_tell_bits(tables->regime, wp_codec_role(tables, at, in_leaf), change->before,
	                   change->bits, bits, sizeof bits);
	snprintf(example->right, sizeof example->right, "right with %s%s", bits,
	         places[change->place]);
	if (!in_leaf)
		snprintf(example->field, sizeof example->field, "arch_table");
	wp_codec_draw(tables, at, in_leaf, change->before, change->bits, example);
}

const char *wp_codec_machine_name(enum wp_machine_name machine)
{
	return machine == WP_PAPER ? "the paper machine" : wp_machine_kinds[machine].name;
}

void wp_codec_where(const struct wp_codec_check *check, char text[40])
{
	const char *regime = check->tables.regime->name;

	text[0] = '\0';
	if (strcmp(regime, check->report->subject) != 0)
		snprintf(text, 40, "%s: ", regime);
}

void wp_codec_tell_leaf(const struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                        struct wp_counterexample *example)
{
	char where[40], flags[8];

	wp_codec_where(check, where);
	snprintf(example->said, sizeof example->said,
	         "%sa leaf of %s to %#" PRIx64 " with %s is encoded as 0x%016" PRIx64, where,
	         wp_size_name(wp_codec_span(&check->tables, leaf->level)), leaf->pa,
	         wp_flags_text(leaf->flags, flags), leaf->entry);
	wp_codec_draw(&check->tables, leaf->level, true, leaf->entry, 0, example);
}

void wp_codec_tell_difference(const struct wp_codec_check *check, struct wp_counterexample *example)
{
	const unsigned bit = (unsigned)__builtin_ctzll(example->wrong | (uint64_t)1 << 63);
	char name[WP_BIT_NAME];

	if (example->wrong == (uint64_t)1 << bit)
		snprintf(example->right, sizeof example->right, "the difference is bit %u (%s)",
		         bit, wp_entry_bit_name(check->tables.regime, example->role, bit, name));
}

void wp_codec_explain(const struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                      size_t slot, uint64_t va, const struct wp_answer *answer,
                      const struct wp_finding *finding, struct wp_counterexample *example)
{
	const struct wp_codec_tables *tables = &check->tables;
	const struct wp_run run = wp_codec_run(tables, leaf, va);
	const struct wp_expectation expected = wp_expect_run(tables->regime, &run, va);
	struct wp_change change;

	wp_codec_tell_leaf(check, leaf, example);
	snprintf(example->found, sizeof example->found, "%s", finding->sentence);
	name_field(leaf, &expected, answer, finding->kind, example);
	if (wp_codec_smallest_change(tables, leaf->level, slot, &run, va, &change))
		tell_change(tables, leaf->level, &change, example);
}

bool wp_codec_paper_agrees(struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                           struct wp_counterexample *example)
{
	const struct wp_codec_tables *tables = &check->tables;
	const size_t slot = tables->link[leaf->level];
	struct wp_finding finding = {.found = false};
	struct wp_expectation expected;
	struct wp_answer answer;
	struct wp_run run;
	uint64_t va = 0;

	wp_codec_va(tables, leaf->level, slot, &va);
	run = wp_codec_run(tables, leaf, va);
	expected = wp_expect_run(tables->regime, &run, va);
	wp_codec_tables_reset(tables);
	wp_codec_put(tables, leaf->level, slot, leaf->entry);
	wp_paper_walk(tables->regime, tables->memory, tables->table[0], va, &answer);
	wp_judge_answer(tables->regime, &expected, va, &answer, wp_codec_machine_name(WP_PAPER),
	                &finding);
	if (finding.found && example != NULL)
		wp_codec_explain(check, leaf, slot, va, &answer, &finding, example);
	return !finding.found;
}
