/* SPDX-License-Identifier: MIT */
/* The form's constants against the regime's: levels, sizes, widths, frames. */
#include "check_codec.h"

#include <inttypes.h>
#include <string.h>

#include "entry.h"

struct constants {
	const struct wp_codec *codec;
	const struct wp_regime *regime;
	struct wp_check_report *report;
	struct wp_codec_level levels[WP_CODEC_LEVELS];
	bool sound; /* enough for tables to be built */
};

/* A number of bits, or a mask of them. */
static const char *number(uint64_t value, char text[24])
{
	snprintf(text, 24, value <= 64 ? "%" PRIu64 : "%#" PRIx64, value);
	return text;
}

/* `needed`: without it no table can be built. */
static void compare(struct constants *constants, bool needed, uint64_t said, uint64_t right,
                    const char *field, const char *what)
{
	struct wp_counterexample *example;
	char text[2][24];

	wp_check_compared(constants->report, WP_LINE_CONSTANTS, 1);
	if (said == right)
		return;
	constants->sound &= !needed;
	example = wp_check_wrong(constants->report, WP_LINE_CONSTANTS, 0);
	if (example == NULL)
		return;
	snprintf(example->field, sizeof example->field, "%s", field);
	snprintf(example->said, sizeof example->said, "%s is %s", field, number(said, text[0]));
	snprintf(example->found, sizeof example->found, "the regime %s has %s: %s",
	         constants->regime->name, number(right, text[1]), what);
}

static void compare_level(struct constants *constants, unsigned level)
{
	const struct wp_codec_level *at = &constants->levels[level];
	const uint64_t span = wp_regime_span(constants->regime, level);
	char field[40];

	snprintf(field, sizeof field, "arch_levels[%u].shift", level);
	compare(constants, true, at->shift, (uint64_t)__builtin_ctzll(span), field,
	        "the lowest address bit of that level");
	snprintf(field, sizeof field, "arch_levels[%u].leaf", level);
	compare(constants, false, at->leaf != 0, (constants->regime->leaf_sizes & span) != 0, field,
	        "whether a leaf can be there");
	if (level == 0)
		return;
	snprintf(field, sizeof field, "arch_levels[%u].bits", level);
	compare(constants, true, at->bits, constants->levels[level - 1].shift - at->shift, field,
	        "up to the shift of the level above");
}

/* All addresses of the regime, and not more than twice as many. */
static void compare_root(struct constants *constants, uint64_t length, size_t ranges)
{
	const unsigned bits = constants->levels[0].bits;
	const unsigned least = (unsigned)__builtin_ctzll(length) + (ranges == 2) -
	                       constants->levels[0].shift;

	compare(constants, true, bits, bits == least + 1 ? bits : least, "arch_levels[0].bits",
	        "a slot of the root for each of its addresses");
	compare(constants, true, bits, bits <= 11 ? bits : 11, "arch_levels[0].bits",
	        "at most PT_ROOT_SLOTS_MAX slots");
}

static void compare_widths(struct constants *constants)
{
	static const char *const halves[] = {
		[PT_WHOLE] = "1 << PT_WHOLE",
		[PT_LOW] = "1 << PT_LOW",
		[PT_HIGH] = "1 << PT_HIGH",
	};
	const struct wp_codec *codec = constants->codec;
	const struct wp_regime *regime = constants->regime;
	const uint64_t half = (uint64_t)1 << regime->half;
	const struct wp_codec_level *last = &constants->levels[codec->levels - 1];
	uint64_t first[2], end[2];
	const size_t ranges = wp_regime_ranges(regime, first, end);

	compare_root(constants, end[0] - first[0] + 1, ranges);
	compare(constants, false, codec->range_bits,
	        (uint64_t)__builtin_ctzll(end[0] - first[0] + 1), "ARCH_RANGE_BITS",
	        "the width of one canonical range");
	compare(constants, false, codec->paddr_bits, regime->pa_bits, "ARCH_PADDR_BITS",
	        "the width of a physical address");
	compare(constants, false, codec->granule_shift, last->shift, "ARCH_GRANULE_SHIFT",
	        "the shift of the last level");
	compare(constants, false, codec->halves, codec->halves & half ? codec->halves : half,
	        "ARCH_HALVES", halves[regime->half]);
	compare(constants, false, codec->leaf_sizes, regime->leaf_sizes, "ARCH_LEAF_SIZES",
	        "the OR of all leaf sizes");
}

/* Frames are of the granule: so many for the root, and one for the holes. */
static void compare_frames(struct constants *constants)
{
	const struct wp_codec *codec = constants->codec;
	const struct wp_codec_level *first = &constants->levels[0];
	const uint64_t granule = (uint64_t)1 << constants->levels[codec->levels - 1].shift % 64;
	const uint64_t root = (uint64_t)codec->entry_bytes << first->bits % 64;

	compare(constants, false, codec->fixed_frames,
	        (root + granule - 1) / granule + (codec->has_hole_frame != 0), "ARCH_FIXED_FRAMES",
	        "the frames of the root, and of the hole");
}

/* The bits that the CPU writes by itself, as the manuals have it. */
static void compare_uses(struct constants *constants)
{
	const struct wp_codec *codec = constants->codec;
	const uint64_t written = wp_entry_written_by_cpu(constants->regime);
	const uint64_t lowest = written & (0 - written);

	compare(constants, false, codec->accessed(), lowest,
	        codec->accessed() == 0 ? "ARCH_USES or ARCH_ACCESSED" : "ARCH_ACCESSED",
	        "the bit that the CPU sets on an access");
	compare(constants, false, codec->dirty(), written & ~lowest,
	        codec->dirty() == 0 ? "ARCH_USES or ARCH_DIRTY" : "ARCH_DIRTY",
	        "the bit that the CPU sets on a write");
}

bool wp_codec_check_constants(const struct wp_codec *codec, const struct wp_regime *regime,
                              struct wp_check_report *report)
{
	struct constants constants = {codec, regime, report, {{0}}, true};

	compare(&constants, true, codec->entry_bytes == 4 || codec->entry_bytes == 8, true,
	        "ARCH_ENTRY", "whether it has 4 or 8 bytes");
	compare(&constants, true, codec->levels, regime->levels, "PT_LEVELS",
	        "the number of levels");
	if (!constants.sound)
		return false;
	for (unsigned level = 0; level < codec->levels; level++)
		codec->level(level, &constants.levels[level]);
	for (unsigned level = 0; level < codec->levels; level++)
		compare_level(&constants, level);
	compare_widths(&constants);
	if (constants.sound)
		compare_frames(&constants);
	compare_uses(&constants);
	return constants.sound;
}
