/* SPDX-License-Identifier: MIT */
/* Laws of leaves: what is encoded decodes to itself, and set address and set flags commute. */
#include "check_codec.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"
#include "model.h"

/*
 * Encoder and decoder disagree: the paper machine tells which is wrong. True: the
 * decoder, and that remains to be told.
 */
static bool decoder_is_wrong(struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                             struct wp_counterexample *example)
{
	if (!wp_codec_paper_agrees(check, leaf, example))
		return false;
	wp_codec_tell_leaf(check, leaf, example);
	return true;
}

/* ---- what is refused ---- */

static void check_expresses(struct wp_codec_check *check)
{
	const struct wp_regime *regime = check->tables.regime;
	const pt_flags both = PT_DEVICE | PT_UNCACHED;

	for (pt_flags flags = 0; flags <= PT_FLAGS_ALL; flags++) {
		const bool right = wp_flags_expressible(regime, flags);
		struct wp_counterexample *example;
		char text[8];

		if ((flags & both) == both)
			continue;
		wp_check_compared(check->report, WP_LINE_EXPRESSES, 1);
		if (right == (check->tables.codec->expresses(flags) != 0))
			continue;
		example = wp_check_wrong(check->report, WP_LINE_EXPRESSES,
		                         (unsigned)__builtin_popcount(flags));
		if (example == NULL)
			continue;
		snprintf(example->field, sizeof example->field, "arch_expresses: %s",
		         wp_flags_text(flags, text));
		snprintf(example->said, sizeof example->said, "arch_expresses(%s) is %s", text,
		         right ? "false" : "true");
		snprintf(example->found, sizeof example->found, "the contract: %s %s these flags",
		         regime->name, right ? "has" : "can't express");
	}
}

/* ---- flags and addresses ---- */

static void check_flags(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const struct wp_codec *codec = check->tables.codec;
	const pt_flags said = codec->leaf_flags(leaf->entry, leaf->level, UINT64_MAX);
	struct wp_counterexample *example;
	char differ[8], text[8];

	if (!wp_flags_have_access(leaf->flags))
		return; /* they are looked at as a whole */
	wp_check_compared(check->report, WP_LINE_FLAGS, 1);
	if (said == leaf->flags)
		return;
	example = wp_check_wrong(check->report, WP_LINE_FLAGS, leaf->weight);
	if (example == NULL || !decoder_is_wrong(check, leaf, example))
		return;
	snprintf(example->field, sizeof example->field, "arch_leaf_flags: %s",
	         wp_flags_text(said ^ leaf->flags, differ));
	snprintf(example->found, sizeof example->found,
	         "the paper machine takes it for that, arch_leaf_flags() says %s",
	         wp_flags_text(said, text));
}

static void check_address(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const struct wp_codec *codec = check->tables.codec;
	const uint64_t said = codec->leaf_paddr(leaf->entry, leaf->level);
	const bool access = wp_flags_have_access(leaf->flags);
	struct wp_counterexample *example;

	wp_check_compared(check->report, WP_LINE_ADDRESSES, 1);
	if (said == leaf->pa)
		return;
	/* the machines can't tell whose mistake a no-access leaf's is */
	example = wp_check_wrong(check->report, WP_LINE_ADDRESSES,
	                         leaf->weight + (access ? 0 : 1000));
	if (example == NULL || !decoder_is_wrong(check, leaf, example))
		return;
	snprintf(example->field, sizeof example->field, "%s",
	         access ? "arch_leaf_paddr" : "arch_leaf or arch_leaf_paddr: no-access leaves");
	snprintf(example->found, sizeof example->found,
	         "arch_leaf_paddr() says that it leads to %#" PRIx64, said);
	example->wrong = leaf->entry ^
	                 codec->leaf(said, codec->leaf_bits(leaf->flags, leaf->level));
	wp_codec_tell_difference(check, example);
}

/* ---- what it is ---- */

/* NULL: a leaf; else what of the form says that it is something else. */
static const char *not_a_leaf(const struct wp_codec *codec, const struct wp_codec_leaf *leaf,
                              const char **what)
{
	*what = "arch_is_table() takes it for a table";
	if (codec->is_table(leaf->entry, leaf->level))
		return "arch_is_table";
	*what = "arch_is_leaf() takes it for malformed";
	if (!codec->is_leaf(leaf->entry, leaf->level))
		return "arch_is_leaf";
	*what = "arch_is_valid() says that no CPU translates through it";
	return codec->is_valid(leaf->entry) ? NULL : "arch_is_valid";
}

static void check_leaf(struct wp_codec_check *check, const struct wp_codec_leaf *leaf)
{
	const char *what, *field = not_a_leaf(check->tables.codec, leaf, &what);
	struct wp_counterexample *example;

	if (!wp_flags_have_access(leaf->flags))
		return;
	wp_check_compared(check->report, WP_LINE_LEAVES, 1);
	if (field == NULL)
		return;
	example = wp_check_wrong(check->report, WP_LINE_LEAVES, leaf->weight);
	if (example == NULL || !decoder_is_wrong(check, leaf, example))
		return;
	snprintf(example->field, sizeof example->field, "%s: leaves of level %u", field,
	         leaf->level);
	snprintf(example->found, sizeof example->found, "the paper machine agrees, %s", what);
}

/* ---- set address, set flags ---- */

static uint64_t with_flags(const struct wp_codec *codec, uint64_t entry, unsigned level,
                           pt_flags flags)
{
	return codec->leaf(codec->leaf_paddr(entry, level), codec->leaf_bits(flags, level));
}

static uint64_t with_address(const struct wp_codec *codec, uint64_t entry, unsigned level,
                             uint64_t pa)
{
	const pt_flags flags = codec->leaf_flags(entry, level, UINT64_MAX);

	return codec->leaf(pa, codec->leaf_bits(flags, level));
}

static void commute(struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                    const struct wp_codec_leaf *other)
{
	const struct wp_codec *codec = check->tables.codec;
	const unsigned level = leaf->level;
	const uint64_t flags_first = with_address(
		codec, with_flags(codec, leaf->entry, level, other->flags), level, other->pa);
	const uint64_t address_first = with_flags(
		codec, with_address(codec, leaf->entry, level, other->pa), level, other->flags);
	struct wp_counterexample *example;
	char text[8];

	wp_check_compared(check->report, WP_LINE_COMMUTE, 1);
	if (flags_first == other->entry && address_first == other->entry)
		return;
	example = wp_check_wrong(check->report, WP_LINE_COMMUTE, leaf->weight + other->weight);
	if (example == NULL)
		return;
	wp_codec_tell_leaf(check, leaf, example);
	snprintf(example->field, sizeof example->field, "arch_leaf, arch_leaf_bits");
	snprintf(example->found, sizeof example->found,
	         "with %s and %#" PRIx64 " set it is 0x%016" PRIx64 " (flags first), 0x%016" PRIx64
	         " (address first)",
	         wp_flags_text(other->flags, text), other->pa, flags_first, address_first);
	snprintf(example->right, sizeof example->right, "right is 0x%016" PRIx64, other->entry);
	example->wrong = (flags_first ^ other->entry) | (address_first ^ other->entry);
}

/* Every pair of flag sets, each with two of the addresses. */
static void check_commutes(struct wp_codec_check *check, unsigned level)
{
	const struct wp_codec_tables *tables = &check->tables;
	uint64_t addresses[WP_CODEC_ADDRESSES];
	const size_t count = wp_codec_addresses(tables, level, addresses);
	pt_flags sets[64];
	const size_t set_count = wp_codec_flag_sets(tables->regime, sets);

	for (size_t i = 0; i < set_count * set_count; i++) {
		const pt_flags from = sets[i / set_count], to = sets[i % set_count];
		const struct wp_codec_leaf leaf =
			wp_codec_encode(tables, level, from, addresses[i % count],
		                        (unsigned)__builtin_popcount(from));
		const struct wp_codec_leaf other =
			wp_codec_encode(tables, level, to, addresses[(i / count + 1) % count],
		                        (unsigned)__builtin_popcount(to));

		commute(check, &leaf, &other);
	}
}

void wp_codec_check_laws(struct wp_codec_check *check)
{
	check_expresses(check);
	wp_codec_each_leaf(check, check_flags);
	wp_codec_each_leaf(check, check_address);
	wp_codec_each_leaf(check, check_leaf);
	for (unsigned level = check->tables.codec->levels; level-- > 0;) {
		if (wp_codec_has_leaves(&check->tables, level))
			check_commutes(check, level);
	}
}
