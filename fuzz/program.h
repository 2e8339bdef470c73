/* SPDX-License-Identifier: MIT */
/*
 * A program: a sequence of operations on one or two tables under one regime. It
 * has a binary form (what fuzzers mutate; any bytes decode), and a text form
 * (what people read and keep); each converts to the other without loss.
 */
#ifndef WP_PROGRAM_H
#define WP_PROGRAM_H

#include <stdio.h>

#include "deviations.h"
#include "model.h"
#include "regime.h"

#define WP_PROGRAM_VERSION 1
#define WP_PROGRAM_MAX_OPS 256

enum wp_opcode {
	WP_OP_MAP,
	WP_OP_UNMAP,
	WP_OP_PROTECT,
	WP_OP_REMAP,
	WP_OP_QUERY,
	WP_OP_MAP_REGION,
	WP_OP_MAP_REGION_WITH,
	WP_OP_UNMAP_REGION,
	WP_OP_PROTECT_REGION,
	WP_OP_HARVEST,
	WP_OP_WALK,
	WP_OP_COPY_FROM, /* from the other table */
	WP_OP_GIVE_BACK,
	WP_OP_BATCH, /* what follows on this table collects in a batch, until... */
	WP_OP_FLUSH, /* ...one of these three; without a batch they do nothing */
	WP_OP_FLUSH_ALL,
	WP_OP_IGNORE,
	WP_OP_REFUSE, /* the next `count` frames are granted, then one, or all, refused */
	WP_OP_ALLOW,
	WP_OP_RENEW, /* destroy and create again */
	WP_OP_PROBE, /* every machine is asked here, not just at the end */
	WP_OPCODES,
};

/* Where an address comes from. Zero is the simplest. */
enum wp_base {
	WP_BASE_HOT,      /* a short fixed list for each regime, so that operations collide */
	WP_BASE_LIVE,     /* first byte of the index-th live run (modulo their number) */
	WP_BASE_LIVE_END, /* first byte after it */
	WP_BASE_EDGE,     /* edges of the canonical ranges, of roots, of the physical width */
	WP_BASE_RAW,      /* the value itself */
	WP_BASES,
};

/* By level, the last one first, and called after pages of 4 KiB: see wp_unit_bytes(). */
enum wp_unit {
	WP_UNIT_4K,
	WP_UNIT_2M,
	WP_UNIT_1G,
	WP_UNIT_512G,
	WP_UNIT_256T,
	WP_UNIT_BYTE,
	WP_UNITS,
};

/* An address: a base moved by `offset` units. */
struct wp_address {
	uint8_t base; /* enum wp_base */
	uint8_t index;
	int8_t offset;
	uint8_t unit;   /* enum wp_unit */
	uint64_t value; /* WP_BASE_RAW only */
};

/* A length: count units, or `value` itself if the unit is WP_UNITS ("raw"). */
struct wp_length {
	uint8_t unit;
	uint16_t count;
	uint64_t value;
};

/* How map_region_with's source scatters pages. */
enum wp_source {
	WP_SOURCE_LINEAR,    /* pa + offset: as map_region */
	WP_SOURCE_REVERSED,  /* last page first */
	WP_SOURCE_SWAPPED,   /* pages swapped in pairs */
	WP_SOURCE_SAME,      /* every page is pa */
	WP_SOURCE_BROKEN,    /* linear but for one page in the middle, which skips one */
	WP_SOURCE_UNALIGNED, /* linear but for the last page, which is off by 8 bytes */
	WP_SOURCES,
};

struct wp_op {
	uint8_t opcode;
	uint8_t table;
	struct wp_address va;
	struct wp_address pa;
	struct wp_length length; /* map: leaf size; regions: bytes */
	uint8_t flags;           /* PT_* in bits 0 to 5; bits 6 and 7 are unknown ones */
	uint8_t uses;            /* PT_ACCESSED, PT_DIRTY; bits from 2 on are unknown ones */
	bool allow_huge;
	bool once; /* refuse */
	uint8_t source;
	uint16_t count; /* refuse: successes; walk: limit (0xffff: no limit) */
};

struct wp_program {
	const struct wp_regime *regime;
	size_t count;
	struct wp_op ops[WP_PROGRAM_MAX_OPS];
};

/* Which regimes a target draws from: those of one architecture, perhaps of one depth. */
struct wp_scope {
	const struct wp_regime *regimes[WP_REGIMES_MAX];
	size_t count;
};
/* All regimes whose name is `prefix` or starts with it and '_'; "" is all. */
void wp_scope_of(struct wp_scope *scope, const char *prefix);

/*
 * The regime that a byte of an input stands for, and the byte for a regime of the scope.
 * Regimes that came after the first corpora have bytes of their own, from 128 on: what
 * inputs meant before stays what they mean.
 */
const struct wp_regime *wp_scope_regime(const struct wp_scope *scope, uint8_t byte);
uint8_t wp_scope_byte(const struct wp_scope *scope, const struct wp_regime *regime);

/*
 * Any bytes decode: a version byte, a regime byte (see wp_scope_regime()), then
 * operations, of which the first byte is the opcode (see wp_byte_opcode()); a cut-off
 * operation at the end is dropped. An unknown version reads as the current one. Zero
 * bytes decode to the simplest operations.
 */
void wp_program_decode(struct wp_program *program, const struct wp_scope *scope,
                       const uint8_t *bytes, size_t size);
/* Returns the size; the canonical bytes, which decode to the same program. */
size_t wp_program_encode(const struct wp_program *program, const struct wp_scope *scope,
                         uint8_t *bytes, size_t capacity);
/* Enough for any program. */
#define WP_PROGRAM_MAX_BYTES (2 + WP_PROGRAM_MAX_OPS * 48)

/*
 * Text: a line `walkproof 1`, a line `regime NAME`, then one operation a line;
 * `#` starts a comment. Printing and parsing lose nothing.
 */
void wp_program_print(const struct wp_program *program, FILE *out);
/* Without the end of the line. */
void wp_op_print(const struct wp_regime *regime, const struct wp_op *op, FILE *out);
/* False: `why` names the line and what is wrong with it; `program` holds some of it. */
bool wp_program_parse(struct wp_program *program, const char *text, char *why, size_t why_size);
/* Whether a file's first bytes say that it is text. */
bool wp_program_is_text(const uint8_t *bytes, size_t size);

bool wp_program_equal(const struct wp_program *a, const struct wp_program *b);

/* A property of the program alone, by which one program in so many is chosen. */
uint64_t wp_program_hash(const struct wp_program *program);

/* An operation with every address and length worked out. */
struct wp_call {
	enum wp_opcode opcode;
	unsigned table;
	uint64_t va, pa, size;
	pt_flags flags;
	pt_uses uses;
	bool allow_huge;
	bool once;
	enum wp_source source;
	size_t count; /* refuse: successes; walk: limit (SIZE_MAX: no limit) */
};

/*
 * Works out `op` against the model's live runs. Region sizes are cut so that a
 * call makes at most WP_MAX_LEAVES leaves; those that are wrong on purpose stay.
 */
#define WP_MAX_LEAVES 640
void wp_op_resolve(const struct wp_op *op, const struct wp_regime *regime,
                   const struct wp_model *model, struct wp_call *call);

/* The same call, as an operation that depends on nothing before it. */
void wp_op_from_call(const struct wp_call *call, struct wp_op *op);

/* The page that a source answers for page `i` of `pages`, from `pa` on. */
uint64_t wp_source_page(const struct wp_regime *regime, enum wp_source source, uint64_t pa,
                        uint64_t i, uint64_t pages);

const char *wp_opcode_name(enum wp_opcode opcode);

/*
 * The opcode that a byte of an input stands for, and its byte: as of regimes, those that
 * came after the first corpora have bytes of their own, which were in none of them.
 */
enum wp_opcode wp_byte_opcode(uint8_t byte);
uint8_t wp_opcode_byte(enum wp_opcode opcode);

/* The four that map, unmap or change a region. */
static inline bool wp_is_region(enum wp_opcode opcode)
{
	return opcode >= WP_OP_MAP_REGION && opcode <= WP_OP_PROTECT_REGION;
}

/* --- random generation: our own engine --- */

struct wp_random {
	uint64_t state[4];
	bool unswarmed; /* programs are all of one kind: to see what swarms are worth */
};
void wp_random_seed(struct wp_random *random, uint64_t seed);
uint64_t wp_random_next(struct wp_random *random);
/* 0 to bound - 1. */
uint64_t wp_random_below(struct wp_random *random, uint64_t bound);
/* The index of one of `count`. */
static inline size_t wp_random_index(struct wp_random *random, size_t count)
{
	return (size_t)wp_random_below(random, count);
}

/*
 * A random program in the scope: its own swarm of operation weights, address
 * bases, sizes and flags, so that programs differ in kind and not just in detail.
 */
void wp_program_generate(struct wp_program *program, const struct wp_scope *scope,
                         struct wp_random *random);

/* The same for a subject that isn't asked for everything: a program has little of that. */
void wp_program_generate_for(struct wp_program *program, const struct wp_scope *scope,
                             const struct wp_unasked *unasked, struct wp_random *random);

#endif
