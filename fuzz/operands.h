/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the program format share, and nobody else needs to know: the
 * operands that each opcode has, and the lists behind the bases HOT and EDGE.
 */
#ifndef WP_OPERANDS_H
#define WP_OPERANDS_H

#include "program.h"

/* Bits of a set; binary and text hold an operation's operands in this order. */
enum wp_operand {
	WP_ARG_TABLE = 1 << 0,
	WP_ARG_VA = 1 << 1,
	WP_ARG_PA = 1 << 2,
	WP_ARG_LEAF = 1 << 3,   /* `length` as the size of one leaf */
	WP_ARG_LENGTH = 1 << 4, /* `length` in bytes, of a region */
	WP_ARG_FLAGS = 1 << 5,
	WP_ARG_SOURCE = 1 << 6,
	WP_ARG_HUGE = 1 << 7,
	WP_ARG_GRANTS = 1 << 8, /* `count` of refuse */
	WP_ARG_ONCE = 1 << 9,
	WP_ARG_LIMIT = 1 << 10, /* `count` of walk */
	WP_ARG_USES = 1 << 11,
};

struct wp_opcode_shape {
	const char *name;
	unsigned operands; /* enum wp_operand */
};

extern const struct wp_opcode_shape wp_opcode_shapes[WP_OPCODES];

/* Operands that the opcode doesn't have become zero, as they are after decoding. */
void wp_op_settle(struct wp_op *op);

/* The limit of a walk without one. */
#define WP_NO_LIMIT 0xffffu

/* The words of the text form. The bases are by number: "live" stands for two. */
#define WP_TEXT_MAGIC   "walkproof"
#define WP_TEXT_VERSION "1"
/* Such as 4K; of WP_UNIT_BYTE there is none. */
const char *wp_unit_name(const struct wp_regime *regime, unsigned unit);
extern const char *const wp_base_names[WP_BASE_RAW];
extern const char *const wp_source_names[WP_SOURCES];
extern const char wp_flag_letters[];
extern const char wp_use_letters[];

/* An operand as a word of a line. */
struct wp_text_field {
	const char *key; /* what the word starts with */
	unsigned operands;
	bool optional;
	/* what follows the key */
	bool (*parse)(const struct wp_regime *regime, const char *text, struct wp_op *op);
	const char *example;
};
#define WP_TEXT_FIELDS 11
extern const struct wp_text_field wp_text_fields[WP_TEXT_FIELDS];

/*
 * A unit counts levels, the last one's page being the first; beyond what there is of
 * addresses the last is half of all.
 */
static inline uint64_t wp_unit_bytes(const struct wp_regime *regime, unsigned unit)
{
	const unsigned shift = regime->granule_shift + regime->index_bits * unit;

	return unit == WP_UNIT_BYTE ? 1 : (uint64_t)1 << (shift < 63 ? shift : 63);
}

/* The unit in which the root's slots come. */
static inline unsigned wp_root_unit(const struct wp_regime *regime)
{
	return regime->levels - 1u;
}

/* What the bases HOT and EDGE stand for; `index` is taken modulo this. */
#define WP_SPOTS 16
uint64_t wp_hot_va(const struct wp_regime *regime, unsigned index);
uint64_t wp_hot_pa(const struct wp_regime *regime, unsigned index);
uint64_t wp_edge_va(const struct wp_regime *regime, unsigned index);

#endif
