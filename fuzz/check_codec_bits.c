/* SPDX-License-Identifier: MIT */
/*
 * Leaves, tables and empty slots, with each bit flipped alone and in pairs: what the
 * codec reads must be what machines do (L7). The rules are those of laws/arbitrary.h.
 */
#include "check_codec.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"
#include "laws/arbitrary.h"
#include "model.h"

/* ---- which part of the form is to blame ---- */

/* The codec took for a table what is none to the CPU, or the other way round; NULL: neither. */
static const char *field_by_level(const struct wp_codec_case *at, const struct wp_answer *answer)
{
	const struct wp_codec_reading *reading = &at->reading;

	if (reading->level > answer->level)
		return "arch_is_table";
	if (reading->level < answer->level)
		return reading->kind == PT_ENTRY_LEAF ? "arch_is_leaf" : "arch_is_table";
	return NULL;
}

static const char *field_of(const struct wp_codec_case *at, const struct wp_answer *answer,
                            const char *kind)
{
	const bool table = at->reading.level > at->level;
	const char *field = field_by_level(at, answer);

	if (field != NULL && strcmp(kind, "query-pa") != 0)
		return field;
	if (strcmp(kind, "query-pa") == 0)
		return table ? "arch_table_paddr" : "arch_leaf_paddr";
	if (strcmp(kind, "query-flags") == 0)
		return table ? "arch_rights_below" : "arch_leaf_flags";
	if (strcmp(kind, "query-memory-type") == 0)
		return "arch_leaf_flags: the memory type";
	if (strcmp(kind, "query-size") == 0)
		return "arch_levels";
	return "arch_is_leaf";
}

/* ---- in words ---- */

static void tell_case(const struct wp_codec_check *check, const struct wp_codec_case *at,
                      struct wp_counterexample *example)
{
	static const char *const kinds[] = {
		[PT_ENTRY_EMPTY] = "an empty slot",
		[PT_ENTRY_TABLE] = "a table entry",
		[PT_ENTRY_LEAF] = "a leaf with ",
		[PT_ENTRY_MALFORMED] = "",
	};
	const struct wp_codec_tables *tables = &check->tables;
	const bool leaf = at->was == PT_ENTRY_LEAF;
	char flags[8] = "", bits[120], where[40];

	wp_codec_where(check, where);
	if (leaf)
		wp_flags_text(at->leaf.flags, flags);
	wp_codec_tell_bits(tables->regime, wp_codec_role(tables, at->level, leaf),
	                   at->entry ^ at->flipped, at->flipped, bits, sizeof bits);
	snprintf(example->said, sizeof example->said,
	         "%slevel %u: 0x%016" PRIx64 ", which is %s%s%s%s", where, at->level, at->entry,
	         kinds[at->was], flags, at->flipped != 0 ? " with " : "", bits);
	wp_codec_draw(tables, at->level, leaf, at->entry, at->flipped, example);
}

/* The law's sentence, in which the machine is always the paper. */
static void tell_finding(const char *sentence, const char *machine,
                         struct wp_counterexample *example)
{
	static const char paper[] = "the paper machine";
	const char *at = strstr(sentence, paper);

	if (at == NULL)
		snprintf(example->found, sizeof example->found, "so %s", sentence);
	else
		snprintf(example->found, sizeof example->found, "so %.*s%s%s", (int)(at - sentence),
		         sentence, machine, at + sizeof paper - 1);
}

static void tell_answer(const struct wp_answer *answer, const char *machine,
                        struct wp_counterexample *example)
{
	if (answer->allowed == 0)
		snprintf(example->right, sizeof example->right, "%s faults on every access: %s",
		         machine, wp_fault_name((enum wp_fault)answer->fault));
	else
		snprintf(example->right, sizeof example->right,
		         "%s goes to %#" PRIx64 ", in a leaf of %s", machine, answer->pa,
		         wp_size_name(answer->size));
}

/* ---- judging ---- */

/* What goes through a leaf must be said to be valid, and nothing of a no-access leaf may be. */
static bool validity_is_wrong(const struct wp_codec_check *check, const struct wp_codec_case *at,
                              const struct wp_answer *answer)
{
	const struct wp_codec_reading *reading = &at->reading;
	const bool through = (answer->allowed & (uint8_t)~answer->open) != 0;
	bool valid;

	if (reading->kind != PT_ENTRY_LEAF)
		return false;
	valid = check->tables.codec->is_valid(reading->entry);
	return valid ? !wp_flags_have_access(reading->mapping.flags) : through;
}

static unsigned weight_of(const struct wp_codec_case *at)
{
	return 1000u * (unsigned)__builtin_popcountll(at->flipped) + at->leaf.weight;
}

static void judge(struct wp_codec_check *check, const struct wp_codec_case *at,
                  enum wp_machine_name machine, const struct wp_answer *paper,
                  const struct wp_answer *answer)
{
	const struct wp_answer merged = wp_codec_merge(paper, answer);
	const unsigned line = WP_LINE_BITS + (unsigned)machine;
	struct wp_finding finding = {.found = false};
	struct wp_counterexample *example;
	bool validity;

	wp_check_compared(check->report, line, (uint64_t)__builtin_popcount(answer->answered));
	wp_judge_arbitrary_query(check->tables.regime, at->va, at->reading.status,
	                         &at->reading.mapping, &merged, &finding);
	validity = !finding.found && validity_is_wrong(check, at, &merged);
	if (!finding.found && !validity)
		return;
	example = wp_check_wrong(check->report, line, weight_of(at));
	if (example == NULL)
		return;
	tell_case(check, at, example);
	snprintf(example->field, sizeof example->field, "%s",
	         validity ? "arch_is_valid" : field_of(at, &merged, finding.kind));
	if (validity)
		snprintf(example->found, sizeof example->found,
		         "arch_is_valid() says that the CPU may%s translate through it, %s %s",
		         check->tables.codec->is_valid(at->entry) ? "" : " not",
		         wp_codec_machine_name(machine),
		         merged.allowed != 0 ? "does" : "never does");
	else
		tell_finding(finding.sentence, wp_codec_machine_name(machine), example);
	if (strstr(example->found, wp_codec_machine_name(machine)) == NULL)
		tell_answer(&merged, wp_codec_machine_name(machine), example);
}

/* ---- what is flipped ---- */

static void add_flipped(struct wp_codec_check *check, const struct wp_codec_case *from,
                        uint64_t flipped)
{
	struct wp_codec_case at = *from;

	at.flipped = flipped;
	at.entry ^= flipped;
	at.slot = wp_codec_slot(check, 1, WP_LINE_BITS, judge);
	wp_codec_va(&check->tables, at.level, at.slot, &at.start);
	wp_codec_va_below(&check->tables, at.level, at.slot, &at.va);
	wp_codec_add(check, &at);
}

static void flip_all(struct wp_codec_check *check, const struct wp_codec_case *from)
{
	const unsigned width = check->tables.codec->entry_bytes * 8;

	wp_codec_collect(check, from->level);
	add_flipped(check, from, 0);
	for (unsigned high = 0; high < width; high++) {
		for (unsigned low = 0; low <= high; low++)
			add_flipped(check, from, (uint64_t)1 << high | (uint64_t)1 << low);
	}
	wp_codec_ask(check, WP_LINE_BITS, judge);
}

/* Where a leaf that is taken for a table leads to entries, if it can lead there. */
static uint64_t address_for(const struct wp_codec_tables *tables, unsigned level)
{
	const uint64_t size = wp_codec_span(tables, level), window = tables->memory->base;

	return (window & (size - 1)) == 0 ? window : 7 * size;
}

static void flip_leaves(struct wp_codec_check *check, unsigned level)
{
	static const pt_flags sets[] = {
		PT_READ | PT_WRITE | PT_EXECUTE,
		PT_READ | PT_USER,
		PT_READ | PT_WRITE | PT_USER | PT_DEVICE,
		PT_READ | PT_UNCACHED,
		0,
		PT_USER | PT_DEVICE,
	};
	const uint64_t pa = address_for(&check->tables, level);

	for (unsigned i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		struct wp_codec_case from = {.level = level, .was = PT_ENTRY_LEAF};

		if (!wp_flags_expressible(check->tables.regime, sets[i]))
			continue;
		from.leaf = wp_codec_encode(&check->tables, level, sets[i], pa, 10 * i);
		from.entry = from.leaf.entry;
		flip_all(check, &from);
	}
}

void wp_codec_check_bits(struct wp_codec_check *check)
{
	const struct wp_codec_tables *tables = &check->tables;
	const unsigned last = wp_codec_last(tables);

	for (unsigned level = tables->codec->levels; level-- > 0;) {
		struct wp_codec_case from = {.level = level, .was = PT_ENTRY_EMPTY};

		if (wp_codec_has_leaves(tables, level))
			flip_leaves(check, level);
		from.entry = wp_codec_empty(tables, level);
		from.leaf.weight = 100;
		flip_all(check, &from);
		if (level == last)
			continue;
		from.was = PT_ENTRY_TABLE;
		from.entry = tables->codec->table(tables->table[level + 1]);
		from.leaf.weight = 200;
		flip_all(check, &from);
	}
}
