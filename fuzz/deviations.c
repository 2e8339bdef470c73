/* SPDX-License-Identifier: MIT */
#include "deviations.h"

#include <stdio.h>
#include <string.h>

const struct wp_deviation_row wp_deviations[WP_DEVIATIONS] = {
	[WP_ALIGNS_DOWN] = {"aligns-down",
                            "map, unmap, protect and remap round misaligned addresses down to "
                            "the leaf",
                            false, WP_ASSUMES_ALIGNED},
	[WP_NO_512G] = {"no-512g",
                        "there are no leaves above 1G: map refuses them, regions use none", false,
                        WP_NO_1G},
	[WP_NO_1G] = {"no-1g", "there are no leaves above 2M: map refuses them, regions use none",
                      false, WP_NO_HUGE},
	[WP_NO_HUGE] = {"no-huge", "there are no leaves but 4K: map refuses them, regions use none",
                        false, WP_REGIONS_OF_4K},
	[WP_NO_RECLAIM] = {"no-reclaim",
                           "tables that are empty stay until destroy, and a huge leaf may be "
                           "refused for them",
                           false, WP_DEVIATIONS},
	[WP_PARTIAL_TABLES] = {"partial-tables",
                               "a call that is refused keeps the tables that it made", false,
                               WP_ASSUMES_MEMORY},
	[WP_PARTIAL_REGIONS] = {"partial-regions",
                                "a refused call on a region leaves what it did up to the leaf that "
                                "failed",
                                false, WP_DEVIATIONS},
	[WP_UNMAP_SKIPS_HOLES] = {"unmap-skips-holes",
                                  "unmap_region takes a range with holes, and skips them", false,
                                  WP_ASSUMES_MAPPED},
	[WP_PROTECT_REFUSES_HOLES] = {"protect-refuses-holes",
                                      "protect_region refuses a range with holes (NOT_MAPPED)",
                                      false, WP_ASSUMES_MAPPED},
	[WP_USER_GLOBAL] = {"user-global", "a USER mapping may be global in TLBs", false,
                            WP_DEVIATIONS},
	[WP_NO_BREAK] = {"no-break-before-make",
                         "a live leaf becomes another without an invalid entry in between", false,
                         WP_DEVIATIONS},
	[WP_ZEROS_AT_0] = {"zeros-at-0",
                           "LoongArch: empty directories lead to physical address 0, where a frame "
                           "of zeros is",
                           false, WP_DEVIATIONS},
	[WP_OWN_STATUS] = {"own-status", "a call that is refused may return any status but OK",
                           false, WP_DEVIATIONS},
	[WP_NO_NO_ACCESS] = {"no-no-access", "flags without READ, WRITE and EXECUTE", true,
                             WP_DEVIATIONS},
	[WP_NO_MEMORY_TYPES] = {"no-memory-types", "the flags DEVICE and UNCACHED", true,
                                WP_DEVIATIONS},
	[WP_REGIONS_OF_4K] = {"regions-of-4k", "regions with allow_huge", true, WP_DEVIATIONS},
	[WP_NO_SPLIT] = {"no-split", "regions that end within a huge leaf", true, WP_DEVIATIONS},
	[WP_TRUNCATES_ADDRESSES] = {"truncates-addresses",
                                    "addresses that are not canonical, or too wide", true,
                                    WP_DEVIATIONS},
	[WP_ASSUMES_ALIGNED] = {"assumes-aligned", "addresses and lengths that are not aligned",
                                true, WP_DEVIATIONS},
	[WP_ASSUMES_SIZES] = {"assumes-sizes", "sizes that no leaf has, and regions of length zero",
                              true, WP_DEVIATIONS},
	[WP_APPROXIMATES_FLAGS] = {"approximates-flags",
                                   "flags that the architecture can't express", true,
                                   WP_DEVIATIONS},
	[WP_ASSUMES_UNMAPPED] = {"assumes-unmapped", "to map what is mapped already", true,
                                 WP_DEVIATIONS},
	[WP_ASSUMES_MAPPED] = {"assumes-mapped", "to unmap, protect or remap what isn't mapped",
                               true, WP_DEVIATIONS},
	[WP_ASSUMES_MEMORY] = {"assumes-memory", "to do without a frame that the host refuses",
                               true, WP_DEVIATIONS},
	[WP_TRUSTS_TABLES] = {"trusts-tables", "to go on with tables that something damaged", true,
                              WP_DEVIATIONS},
	[WP_NO_LOANS] = {"no-loans", "copy_from and give_back", true, WP_DEVIATIONS},
	[WP_NO_WALK] = {"no-walk", "walk", true, WP_DEVIATIONS},
	[WP_SMALL_REGIONS] = {"small-regions", "regions of more than 1 GiB", true, WP_DEVIATIONS},
	[WP_ASSUMES_LINEAR] = {"assumes-linear",
                               "map_region_with and allow_huge, where pages may not follow each "
                               "other",
                               true, WP_DEVIATIONS},
	[WP_ASSUMES_NO_HOLES] = {"assumes-no-holes", "to protect a region with holes", true,
                                 WP_DEVIATIONS},
};

static enum wp_deviation find(const char *word, size_t length)
{
	enum wp_deviation i = 0;

	while (i < WP_DEVIATIONS && (strncmp(wp_deviations[i].name, word, length) != 0 ||
	                             wp_deviations[i].name[length] != '\0'))
		i++;
	return i;
}

bool wp_profile_parse(const char *words, wp_profile *profile, char *unknown, size_t size)
{
	*profile = 0;
	for (words += strspn(words, " "); *words != '\0'; words += strspn(words, " ")) {
		const size_t length = strcspn(words, " ");
		const enum wp_deviation deviation = find(words, length);

		if (deviation == WP_DEVIATIONS) {
			snprintf(unknown, size, "%.*s", (int)length, words);
			return false;
		}
		*profile |= (wp_profile)1 << deviation;
		words += length;
	}
	return true;
}

void wp_profile_text(wp_profile profile, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (enum wp_deviation i = 0; i < WP_DEVIATIONS && used < size; i++) {
		if (wp_deviates(profile, i))
			used += (size_t)snprintf(text + used, size - used, "%s%s",
			                         used > 0 ? " " : "", wp_deviations[i].name);
	}
}

/* Pages, and with NO_1G those of the next level. */
uint64_t wp_profile_leaf_sizes(wp_profile profile, const struct wp_regime *regime)
{
	const uint64_t page = wp_regime_page(regime);

	if (wp_deviates(profile, WP_NO_HUGE))
		return page;
	if (wp_deviates(profile, WP_NO_1G))
		return page | page << regime->index_bits;
	return wp_deviates(profile, WP_NO_512G) ? PT_1G | (PT_1G - 1) : UINT64_MAX;
}
