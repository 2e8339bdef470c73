/* SPDX-License-Identifier: MIT */
/*
 * The form that a backend fills in (arch/form.h) as a struct wp_codec. Compiled once for
 * each backend, with the definitions that lib/backend.c takes; WP_CODEC is the symbol.
 */
#include <walkproof/codec.h>

#include PT_ARCH

#ifndef WP_CODEC
#define WP_CODEC walkproof_codec
#endif

static inline uint64_t arch_span(unsigned level)
{
	return 1ull << arch_levels[level].shift;
}

static void level_of(uint32_t level, struct wp_codec_level *what)
{
	*what = (struct wp_codec_level){
		.shift = arch_levels[level].shift,
		.bits = arch_levels[level].bits,
		.leaf = arch_levels[level].leaf,
	};
}

static uint64_t accessed(void)
{
	return ARCH_USES & PT_ACCESSED ? ARCH_ACCESSED : 0;
}

static uint64_t dirty(void)
{
	return ARCH_USES & PT_DIRTY ? ARCH_DIRTY : 0;
}

static uint32_t expresses(uint32_t flags)
{
	return arch_expresses(flags);
}

static uint64_t leaf_bits(uint32_t flags, uint32_t level)
{
	return arch_leaf_bits(flags, level);
}

static uint64_t leaf(uint64_t paddr, uint64_t bits)
{
	return arch_leaf(paddr, (arch_entry)bits);
}

static uint64_t table(uint64_t paddr)
{
	return arch_table(paddr);
}

static uint32_t is_table(uint64_t entry, uint32_t level)
{
	return arch_is_table((arch_entry)entry, level);
}

static uint32_t is_leaf(uint64_t entry, uint32_t level)
{
	return arch_is_leaf((arch_entry)entry, level);
}

static uint64_t table_paddr(uint64_t entry)
{
	return arch_table_paddr((arch_entry)entry);
}

static uint64_t leaf_paddr(uint64_t entry, uint32_t level)
{
	return arch_leaf_paddr((arch_entry)entry, level);
}

static uint32_t leaf_flags(uint64_t entry, uint32_t level, uint64_t rights)
{
	return arch_leaf_flags((arch_entry)entry, level, rights);
}

static uint32_t is_valid(uint64_t entry)
{
	return arch_is_valid((arch_entry)entry);
}

static uint64_t rights_below(uint64_t rights, uint64_t entry)
{
	return arch_rights_below(rights, (arch_entry)entry);
}

static uint32_t rights_are_whole(uint64_t rights)
{
	return arch_rights_are_whole(rights);
}

static uint32_t must_break(uint64_t before, uint64_t after)
{
	return arch_must_break((arch_entry)before, (arch_entry)after);
}

static uint64_t link_to(uint64_t paddr)
{
	return arch_link(paddr);
}

static uint64_t link_paddr(uint64_t entry)
{
	return arch_link_paddr((arch_entry)entry);
}

const struct wp_codec WP_CODEC = {
	.version = WP_CODEC_VERSION,
	.bytes = sizeof(struct wp_codec),
	.name = PT_BACKEND_NAME,
	.entry_bytes = sizeof(arch_entry),
	.levels = ARCH_LEVELS,
	.granule_shift = ARCH_GRANULE_SHIFT,
	.range_bits = ARCH_RANGE_BITS,
	.paddr_bits = ARCH_PADDR_BITS,
	.halves = ARCH_HALVES,
	.fixed_frames = ARCH_FIXED_FRAMES,
	.has_hole_frame = ARCH_HAS_HOLE_FRAME,
	.leaf_sizes = ARCH_LEAF_SIZES,
	.level = level_of,
	.accessed = accessed,
	.dirty = dirty,
	.expresses = expresses,
	.leaf_bits = leaf_bits,
	.leaf = leaf,
	.table = table,
	.is_table = is_table,
	.is_leaf = is_leaf,
	.table_paddr = table_paddr,
	.leaf_paddr = leaf_paddr,
	.leaf_flags = leaf_flags,
	.is_valid = is_valid,
	.rights_below = rights_below,
	.rights_are_whole = rights_are_whole,
	.must_break = must_break,
	.link = link_to,
	.link_paddr = link_paddr,
};
