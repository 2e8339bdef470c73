/* SPDX-License-Identifier: MIT */
/* Laws of what isn't a plain leaf: no-access leaves, tables, links, recorded uses. */
#include "check_codec.h"

#include <inttypes.h>
#include <string.h>

#include "entry.h"
#include "grid.h"
#include "model.h"

/* ---- no access ---- */

static bool is_leaf_with(const struct wp_codec *codec, uint64_t entry, unsigned level)
{
	return !codec->is_table(entry, level) && codec->is_leaf(entry, level);
}

/* The bit without which the codec would take it for a leaf; 0: there is no single one. */
static uint64_t bit_in_the_way(const struct wp_codec *codec, uint64_t entry, unsigned level)
{
	for (unsigned bit = 0; bit < codec->entry_bytes * 8; bit++) {
		if (is_leaf_with(codec, entry ^ (uint64_t)1 << bit, level))
			return (uint64_t)1 << bit;
	}
	return 0;
}

static bool is_empty(const struct wp_codec_tables *tables, const struct wp_codec_leaf *leaf)
{
	return leaf->entry == wp_codec_empty(tables, leaf->level);
}

/* What is wrong with a no-access leaf; NULL: nothing. */
static const char *no_access_fault(const struct wp_codec_check *check,
                                   const struct wp_codec_leaf *leaf, const char **field,
                                   uint64_t *wrong)
{
	const struct wp_codec *codec = check->tables.codec;

	*field = "arch_leaf_bits: no-access leaves";
	if (is_empty(&check->tables, leaf))
		return "that is an empty slot: it is confused with a hole";
	if (codec->is_valid(leaf->entry))
		return "arch_is_valid() says that the CPU may translate through it: it must not";
	if (codec->is_table(leaf->entry, leaf->level))
		return "arch_is_table() takes it for a table";
	*field = "arch_leaf_bits or arch_is_leaf: no-access leaves";
	*wrong = 0;
	if (!codec->is_leaf(leaf->entry, leaf->level)) {
		*wrong = bit_in_the_way(codec, leaf->entry, leaf->level);
		return "arch_is_leaf() takes it for malformed";
	}
	*field = "arch_leaf_flags: no-access leaves";
	if (codec->leaf_flags(leaf->entry, leaf->level, UINT64_MAX) != leaf->flags)
		return "arch_leaf_flags() says that it has other flags";
	return NULL;
}

/* Also: to the paper machine it is not present, whatever bits it has. */
static const char *no_access_to_cpu(struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                                    const char **field)
{
	const struct wp_codec_tables *tables = &check->tables;
	struct wp_answer answer;
	uint64_t va = 0;

	wp_codec_va(tables, leaf->level, tables->link[leaf->level], &va);
	wp_codec_put(tables, leaf->level, tables->link[leaf->level], leaf->entry);
	wp_paper_walk(tables->regime, tables->memory, tables->table[0], va, &answer);
	*field = "arch_leaf_bits: no-access leaves";
	if (answer.allowed != 0)
		return "the paper machine lets an access through";
	if (answer.fault == WP_FAULT_NONE || answer.fault == WP_FAULT_PERMISSION)
		return "the paper machine finds a valid leaf, that allows nothing";
	if (answer.level != leaf->level)
		return "the paper machine's walk ends at another level";
	return NULL;
}

static void check_no_access(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const struct wp_codec_tables *tables = &check->tables;
	struct wp_counterexample *example;
	const char *field, *fault, *to_cpu_field;
	uint64_t wrong = 0;
	char bits[120];

	if (wp_flags_have_access(leaf->flags))
		return;
	fault = no_access_to_cpu(check, leaf, &to_cpu_field);
	field = to_cpu_field;
	if (fault == NULL)
		fault = no_access_fault(check, leaf, &field, &wrong);
	wp_check_compared(check->report, WP_LINE_NO_ACCESS, 1);
	if (fault == NULL)
		return;
	/* what is worst comes first */
	example = wp_check_wrong(check->report, WP_LINE_NO_ACCESS,
	                         is_empty(&check->tables, leaf) ? 0 : 1 + leaf->weight);
	if (example == NULL)
		return;
	snprintf(example->field, sizeof example->field, "%s", field);
	wp_codec_tell_leaf(check, leaf, example);
	snprintf(example->found, sizeof example->found, "%s", fault);
	example->wrong = wrong;
	if (wrong == 0)
		return;
	wp_codec_tell_bits(tables->regime, example->role, leaf->entry, wrong, bits, sizeof bits);
	snprintf(example->right, sizeof example->right, "it wouldn't with %s", bits);
}

void wp_codec_check_no_access(struct wp_codec_check *check)
{
	wp_codec_tables_reset(&check->tables);
	wp_codec_each_leaf(check, check_no_access);
}

/* ---- tables ---- */

/* What the codec gets wrong of an entry of `level` that leads to a table at `pa`; NULL: nothing. */
static const char *table_fault(const struct wp_codec_check *check, unsigned level, uint64_t pa,
                               const char **field)
{
	const struct wp_codec *codec = check->tables.codec;
	const uint64_t entry = codec->table(pa);
	const bool last = level == wp_codec_last(&check->tables);

	*field = "arch_is_table";
	if (last)
		return codec->is_table(entry, level) ? "arch_is_table() says that the last level "
		                                       "leads to a table"
		                                     : NULL;
	if (!codec->is_table(entry, level))
		return "arch_is_table() says that it is none";
	*field = "arch_is_leaf";
	if (codec->is_leaf(entry, level))
		return "arch_is_leaf() says that it is a leaf";
	*field = "arch_table_paddr";
	if (codec->table_paddr(entry) != pa)
		return "arch_table_paddr() says that it leads elsewhere";
	*field = "arch_table or arch_rights_below";
	if (!codec->rights_are_whole(codec->rights_below(UINT64_MAX, entry)))
		return "arch_rights_below() says that it takes rights away";
	*field = "arch_table";
	return entry == 0 && !codec->has_hole_frame ? "that is an empty slot" : NULL;
}

static void check_table(struct wp_codec_check *check, unsigned level, uint64_t pa)
{
	const struct wp_codec_tables *tables = &check->tables;
	struct wp_counterexample *example;
	const char *field, *fault = table_fault(check, level, pa, &field);
	char where[40];

	wp_check_compared(check->report, WP_LINE_TABLES, 1);
	if (fault == NULL)
		return;
	example = wp_check_wrong(check->report, WP_LINE_TABLES, 1);
	if (example == NULL)
		return;
	wp_codec_where(check, where);
	snprintf(example->field, sizeof example->field, "%s", field);
	snprintf(example->said, sizeof example->said,
	         "%sa table at %#" PRIx64 " is encoded as 0x%016" PRIx64 ", for level %u", where,
	         pa, tables->codec->table(pa), level);
	snprintf(example->found, sizeof example->found, "%s", fault);
	wp_codec_draw(tables, level, false, tables->codec->table(pa), 0, example);
	if (strcmp(field, "arch_table_paddr") == 0)
		example->wrong =
			tables->codec->table(pa) ^
			tables->codec->table(tables->codec->table_paddr(tables->codec->table(pa)));
	wp_codec_tell_difference(check, example);
}

/*
 * What the paper machine finds wrong with a leaf, and would not with other tables on the
 * way to it. Weighs less than what the codec says itself.
 */
static void check_way(struct wp_codec_check *check, pt_flags flags)
{
	const unsigned level = wp_codec_last(&check->tables);
	const struct wp_codec_leaf leaf = wp_codec_encode(
		&check->tables, level, flags, (uint64_t)7 << check->tables.levels[level].shift, 0);
	struct wp_counterexample wrong = {.field = ""}, *example;

	wp_check_compared(check->report, WP_LINE_TABLES, 1);
	if (wp_codec_paper_agrees(check, &leaf, &wrong) ||
	    strncmp(wrong.field, "arch_table", strlen("arch_table")) != 0)
		return;
	example = wp_check_wrong(check->report, WP_LINE_TABLES, 0);
	if (example != NULL)
		*example = wrong;
}

void wp_codec_check_tables(struct wp_codec_check *check)
{
	uint64_t addresses[WP_CODEC_ADDRESSES];
	pt_flags sets[64];
	const size_t set_count = wp_codec_flag_sets(check->tables.regime, sets);

	for (size_t i = 0; i < set_count; i++)
		check_way(check, sets[i]);
	for (unsigned level = 0; level < check->tables.codec->levels; level++) {
		const unsigned below = wp_codec_last(&check->tables);
		const size_t count = wp_codec_addresses(&check->tables, below, addresses);

		for (size_t i = 0; i < count; i++) {
			if (addresses[i] != 0)
				check_table(check, level, addresses[i]);
		}
	}
}

/* ---- accessed and dirty ---- */

static const char *use_fault(const struct wp_codec *codec, const struct wp_codec_leaf *leaf,
                             uint64_t entry)
{
	if (codec->is_table(entry, leaf->level))
		return "arch_is_table";
	if (!codec->is_leaf(entry, leaf->level))
		return "arch_is_leaf";
	if (codec->leaf_paddr(entry, leaf->level) != leaf->pa)
		return "arch_leaf_paddr";
	if (codec->leaf_flags(entry, leaf->level, UINT64_MAX) != leaf->flags)
		return "arch_leaf_flags";
	return codec->is_valid(entry) == codec->is_valid(leaf->entry) ? NULL : "arch_is_valid";
}

static void check_uses(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const struct wp_codec *codec = check->tables.codec;
	const uint64_t uses[] = {0, codec->accessed(), codec->dirty(),
	                         codec->accessed() | codec->dirty()};
	struct wp_counterexample *example;

	for (unsigned i = 0; i < 4 && uses[3] != 0; i++) {
		const uint64_t entry = (leaf->entry & ~uses[3]) | uses[i];
		const char *field = use_fault(codec, leaf, entry);

		wp_check_compared(check->report, WP_LINE_USES, 1);
		if (field == NULL)
			continue;
		example = wp_check_wrong(check->report, WP_LINE_USES, leaf->weight);
		if (example == NULL)
			continue;
		snprintf(example->field, sizeof example->field, "%s: a leaf that was used", field);
		wp_codec_tell_leaf(check, leaf, example);
		snprintf(example->found, sizeof example->found,
		         "with%s accessed and with%s dirty it is 0x%016" PRIx64
		         ", of which %s() says something else",
		         uses[i] & uses[1] ? "" : "out", uses[i] & uses[2] ? "" : "out", entry,
		         field);
		wp_codec_draw(&check->tables, leaf->level, true, entry, entry ^ leaf->entry,
		              example);
		if (example->wrong == 0)
			example->wrong = uses[i];
	}
}

/* ---- links ---- */

/* Whether the paper machine faults on it where it is. */
static bool link_faults(const struct wp_codec_tables *tables, unsigned level, uint64_t entry)
{
	struct wp_answer answer;
	uint64_t va = 0;

	wp_codec_va(tables, level, tables->link[level], &va);
	wp_codec_tables_reset(tables);
	wp_codec_put(tables, level, tables->link[level], entry);
	wp_paper_walk(tables->regime, tables->memory, tables->table[0], va, &answer);
	return answer.allowed == 0 && answer.level == level;
}

static void check_link(struct wp_codec_check *check, unsigned level, uint64_t pa)
{
	const struct wp_codec_tables *tables = &check->tables;
	const uint64_t entry = tables->codec->link(pa), held = tables->codec->link_paddr(entry);
	const bool faults = link_faults(tables, level, entry);
	struct wp_counterexample *example;
	char where[40];

	wp_check_compared(check->report, WP_LINE_LINKS, 1);
	if (faults && held == pa)
		return;
	example = wp_check_wrong(check->report, WP_LINE_LINKS, faults ? 1 : 0);
	if (example == NULL)
		return;
	wp_codec_where(check, where);
	snprintf(example->field, sizeof example->field, "%s",
	         faults ? "arch_link_paddr" : "arch_link");
	snprintf(example->said, sizeof example->said,
	         "%sa link to %#" PRIx64 " is encoded as 0x%016" PRIx64, where, pa, entry);
	if (faults)
		snprintf(example->found, sizeof example->found,
		         "arch_link_paddr() says that it holds %#" PRIx64, held);
	else
		snprintf(example->found, sizeof example->found,
		         "the paper machine goes through it at level %u, where it must fault",
		         level);
	wp_codec_draw(tables, level, false, entry, 0, example);
}

static void check_links(struct wp_codec_check *check)
{
	uint64_t addresses[WP_CODEC_ADDRESSES];
	const size_t count = wp_codec_addresses(&check->tables, wp_codec_last(&check->tables),
	                                        addresses);

	for (unsigned level = 0; level < check->tables.codec->levels; level++) {
		for (size_t i = 0; i < count; i++)
			check_link(check, level, addresses[i]);
	}
}

/* ---- break before make ---- */

static void check_break(struct wp_codec_check *check, const struct wp_codec_leaf *before,
                        const struct wp_codec_leaf *after)
{
	const struct wp_codec_tables *tables = &check->tables;
	struct wp_counterexample *example;
	char from[8], to[8], where[40];

	if (!wp_flags_have_access(before->flags) || !wp_flags_have_access(after->flags) ||
	    !wp_entry_must_break(tables->regime, before->entry, after->entry))
		return;
	wp_check_compared(check->report, WP_LINE_BREAK, 1);
	if (tables->codec->must_break(before->entry, after->entry))
		return;
	example = wp_check_wrong(check->report, WP_LINE_BREAK, before->weight + after->weight);
	if (example == NULL)
		return;
	wp_codec_where(check, where);
	snprintf(example->field, sizeof example->field, "arch_must_break");
	snprintf(example->said, sizeof example->said,
	         "%s0x%016" PRIx64 " (%s, to %#" PRIx64 ") becomes 0x%016" PRIx64
	         " (%s, to %#" PRIx64 ")",
	         where, before->entry, wp_flags_text(before->flags, from), before->pa, after->entry,
	         wp_flags_text(after->flags, to), after->pa);
	snprintf(example->found, sizeof example->found,
	         "arch_must_break() is false, and the manual wants an invalid entry in between");
	wp_codec_draw(tables, before->level, true, after->entry, before->entry ^ after->entry,
	              example);
}

static void check_breaks(struct wp_codec_check *check, unsigned level)
{
	uint64_t addresses[WP_CODEC_ADDRESSES];
	pt_flags sets[64];
	const size_t count = wp_codec_flag_sets(check->tables.regime, sets);

	wp_codec_addresses(&check->tables, level, addresses);
	for (size_t i = 0; i < 2 * count * count; i++) {
		const pt_flags from = sets[i / 2 / count], to = sets[i / 2 % count];
		const struct wp_codec_leaf before =
			wp_codec_encode(&check->tables, level, from, addresses[0],
		                        (unsigned)__builtin_popcount(from));
		const struct wp_codec_leaf after =
			wp_codec_encode(&check->tables, level, to, addresses[i % 2],
		                        (unsigned)__builtin_popcount(to) + i % 2);

		check_break(check, &before, &after);
	}
}

void wp_codec_check_others(struct wp_codec_check *check)
{
	const struct wp_codec *codec = check->tables.codec;

	wp_check_skipped(check->report, WP_LINE_USES, "this CPU records neither by itself");
	wp_check_skipped(check->report, WP_LINE_BREAK,
	                 "the architecture asks for none where the size stays");
	wp_codec_each_leaf(check, check_uses);
	check_links(check);
	for (unsigned level = codec->levels; level-- > 0;) {
		if (wp_codec_has_leaves(&check->tables, level))
			check_breaks(check, level);
	}
}
