/* SPDX-License-Identifier: MIT */
/*
 * A backend's entry format and constants, to be judged apart from any library: what
 * `walkproof check` asks laws of, and compares with every machine. A shared object
 * has one if it exports one symbol,
 *
 *     const struct wp_codec walkproof_codec = {...};
 *
 * For a header in the form of arch/form.h, scripts/check-backend makes such an object.
 * The header stands alone, and its layout is the same for every compiler of C, C++
 * and Rust: integers of fixed width and pointers, no bit-fields, no enumerations.
 *
 * Addresses are in bytes. Level 0 is the root's. An entry that has fewer than 64 bits
 * is the low part of a uint64_t. Flags are the contract's: READ 1, WRITE 2, EXECUTE 4,
 * USER 8, DEVICE 16, UNCACHED 32. What is a yes or a no is 1 or 0. The functions are
 * pure, and take any entry: those that the CPU would refuse, too.
 *
 * Versions. A field is only ever added at the end of a struct. Whoever reads one looks
 * at `bytes` first.
 */
#ifndef WALKPROOF_CODEC_H
#define WALKPROOF_CODEC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WP_CODEC_VERSION 1u

struct wp_codec_level {
	uint32_t shift; /* lowest address bit that it resolves */
	uint32_t bits;  /* of index */
	uint32_t leaf;  /* whether a leaf can be there */
};

/* Names in parentheses are those of arch/form.h, where they are not the same. */
struct wp_codec {
	uint32_t version; /* WP_CODEC_VERSION */
	uint32_t bytes;   /* sizeof(struct wp_codec) */
	const char *name; /* of a regime, or what several begin with: "x86_64", "aarch64" */

	uint32_t entry_bytes; /* 4 or 8 */
	uint32_t levels;

	uint32_t granule_shift, range_bits, paddr_bits;
	uint32_t halves;       /* bits: 1 both ranges in one root, 2 the lower half, 4 the upper */
	uint32_t fixed_frames; /* of a table without a mapping */
	/* Empty slots of tables that lead to tables hold table(a frame that leads to itself). */
	uint32_t has_hole_frame;
	uint64_t leaf_sizes; /* ORed */

	void (*level)(uint32_t level, struct wp_codec_level *what); /* (arch_levels[]) */

	/* Where the CPU records that a leaf was used (ARCH_ACCESSED), written to (ARCH_DIRTY); 0: not. */
	uint64_t (*accessed)(void);
	uint64_t (*dirty)(void);

	/* Not called with unknown flags, nor with DEVICE and UNCACHED. */
	uint32_t (*expresses)(uint32_t flags);
	/* Of flags that it expresses, at a level with leaves. */
	uint64_t (*leaf_bits)(uint32_t flags, uint32_t level);
	uint64_t (*leaf)(uint64_t paddr, uint64_t bits);
	uint64_t (*table)(uint64_t paddr);

	uint32_t (*is_table)(uint64_t entry, uint32_t level);
	/* Asked of what is no table. */
	uint32_t (*is_leaf)(uint64_t entry, uint32_t level);

	/* Of a table; of a leaf. `rights`: what the tables on the way leave. */
	uint64_t (*table_paddr)(uint64_t entry);
	uint64_t (*leaf_paddr)(uint64_t entry, uint32_t level);
	uint32_t (*leaf_flags)(uint64_t entry, uint32_t level, uint64_t rights);
	uint32_t (*is_valid)(uint64_t leaf);

	/* UINT64_MAX: nothing taken away yet. */
	uint64_t (*rights_below)(uint64_t rights, uint64_t table);
	uint32_t (*rights_are_whole)(uint64_t rights);

	/* Whether `before` must be invalid for a while before the slot holds `after`. */
	uint32_t (*must_break)(uint64_t before, uint64_t after);

	/* An entry that faults at every level and holds an address. */
	uint64_t (*link)(uint64_t paddr);
	uint64_t (*link_paddr)(uint64_t entry);
};

/* The symbol that a shared object exports. */
#define WP_CODEC_SYMBOL "walkproof_codec"
extern const struct wp_codec walkproof_codec;

#ifdef __cplusplus
}
#endif

#endif
