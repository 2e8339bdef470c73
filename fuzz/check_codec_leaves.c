/* SPDX-License-Identifier: MIT */
/* What there is to encode: flag sets, levels and addresses, the simplest first. */
#include "check_codec.h"

#include "model.h"

size_t wp_codec_flag_sets(const struct wp_regime *regime, pt_flags sets[64])
{
	size_t count = 0;

	for (int flags_set = 0; flags_set <= 6; flags_set++) {
		for (pt_flags flags = 0; flags <= PT_FLAGS_ALL; flags++) {
			if (__builtin_popcount(flags) == flags_set &&
			    wp_flags_expressible(regime, flags))
				sets[count++] = flags;
		}
	}
	return count;
}

/* Few, as laws are asked of each pair. 7 pages are in nobody's way. */
size_t wp_codec_addresses(const struct wp_codec_tables *tables, unsigned level,
                          uint64_t addresses[WP_CODEC_ADDRESSES])
{
	const unsigned shift = tables->levels[level].shift;
	const uint64_t all = ((uint64_t)1 << tables->regime->pa_bits) - 1;
	const uint64_t aligned = all & ~(((uint64_t)1 << shift) - 1);
	const uint64_t patterns[] = {(uint64_t)7 << shift,
	                             aligned,
	                             0x5555555555555555u,
	                             0xaaaaaaaaaaaaaaaau,
	                             0x0123456789abcdefu,
	                             0xfedcba9876543210u,
	                             0};
	size_t count = 0;

	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		addresses[count++] = patterns[i] & aligned;
	for (unsigned bit = shift; bit < tables->regime->pa_bits; bit++)
		addresses[count++] = (uint64_t)1 << bit;
	return count;
}

struct wp_codec_leaf wp_codec_encode(const struct wp_codec_tables *tables, unsigned level,
                                     pt_flags flags, uint64_t pa, unsigned weight)
{
	const struct wp_codec *codec = tables->codec;

	return (struct wp_codec_leaf){
		.level = level,
		.flags = flags,
		.pa = pa,
		.entry = codec->leaf(pa, codec->leaf_bits(flags, level)),
		.weight = weight,
	};
}

void wp_codec_each_leaf(struct wp_codec_check *check, wp_codec_leaf_visitor *visit)
{
	uint64_t addresses[WP_CODEC_ADDRESSES];
	pt_flags sets[64];
	const size_t set_count = wp_codec_flag_sets(check->tables.regime, sets);

	for (unsigned level = check->tables.codec->levels; level-- > 0;) {
		size_t address_count;

		if (!wp_codec_has_leaves(&check->tables, level))
			continue;
		address_count = wp_codec_addresses(&check->tables, level, addresses);
		for (size_t set = 0; set < set_count; set++) {
			for (size_t i = 0; i < address_count; i++) {
				const unsigned weight =
					100u * (unsigned)__builtin_popcount(sets[set]) +
					(i == 0 ? 0 : 10u);
				const struct wp_codec_leaf leaf = wp_codec_encode(
					&check->tables, level, sets[set], addresses[i], weight);

				visit(check, &leaf);
			}
		}
	}
}
