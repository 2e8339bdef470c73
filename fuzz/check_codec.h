/* SPDX-License-Identifier: MIT */
/*
 * Inside of `walkproof check` for a backend: its codec, tables built through nothing
 * but that, and the checks that use them.
 */
#ifndef WP_CHECK_CODEC_H
#define WP_CHECK_CODEC_H

#include <walkproof/codec.h>

#include "check_report.h"
#include "judge.h"

#define WP_CODEC_LEVELS    WP_MAX_STEPS
#define WP_CODEC_BATCH     512u
#define WP_CODEC_ADDRESSES 96u

/* One table a level, each led to by an entry of the one above: a chain. */
struct wp_codec_tables {
	const struct wp_codec *codec;
	const struct wp_regime *regime;
	struct wp_memory *memory;
	struct wp_codec_level levels[WP_CODEC_LEVELS];
	uint64_t table[WP_CODEC_LEVELS]; /* where it is */
	size_t link[WP_CODEC_LEVELS];    /* the slot that leads down; in the last level no use */
	uint64_t hole;                   /* what empty slots lead to, where they do */
};

/* What the codec makes of an address: what query() would say. */
struct wp_codec_reading {
	pt_status status;
	enum pt_entry_kind kind; /* of the entry that decided */
	unsigned level;
	uint64_t entry;
	struct pt_mapping mapping; /* with PT_OK */
};

/* A leaf as it is encoded. */
struct wp_codec_leaf {
	unsigned level;
	pt_flags flags;
	uint64_t pa;
	uint64_t entry;
	unsigned weight; /* simple ones have less */
};

/* An entry in a slot of its own, and an address that it decides about. */
struct wp_codec_case {
	unsigned level;
	size_t slot;
	uint64_t entry, va, start; /* `start`: of what the entry spans */
	struct wp_codec_leaf leaf; /* that it is, or was before bits of it were flipped */
	enum pt_entry_kind was;
	uint64_t flipped;
	struct wp_codec_reading reading;
};

struct wp_codec_check {
	struct wp_codec_tables tables;
	struct wp_machine_set *machines;
	struct wp_check_report *report;

	/* The cases that are collected: all in the table of one level. */
	unsigned level;
	size_t next; /* slot */
	size_t count;
	struct wp_codec_case cases[WP_CODEC_BATCH];
	struct wp_probe probes[WP_CODEC_BATCH];
	struct wp_answer paper[WP_CODEC_BATCH], answers[WP_CODEC_BATCH];
};

/* --- check_codec_tables.c --- */

/* False: `why`; then the constants are too wrong for tables to be built. */
bool wp_codec_tables_open(struct wp_codec_tables *tables, const struct wp_codec *codec,
                          const struct wp_regime *regime, struct wp_memory *memory, char *why,
                          size_t why_size);
/* Empties all tables, and links them again. */
void wp_codec_tables_reset(const struct wp_codec_tables *tables);

static inline unsigned wp_codec_last(const struct wp_codec_tables *tables)
{
	return tables->codec->levels - 1u;
}
static inline size_t wp_codec_slots(const struct wp_codec_tables *tables, unsigned level)
{
	return (size_t)1 << tables->levels[level].bits;
}
static inline uint64_t wp_codec_span(const struct wp_codec_tables *tables, unsigned level)
{
	return (uint64_t)1 << tables->levels[level].shift;
}
enum wp_entry_role wp_codec_role(const struct wp_codec_tables *tables, unsigned level, bool leaf);
/* What an empty slot of `level` holds. */
uint64_t wp_codec_empty(const struct wp_codec_tables *tables, unsigned level);
uint64_t wp_codec_get(const struct wp_codec_tables *tables, unsigned level, size_t slot);
void wp_codec_put(const struct wp_codec_tables *tables, unsigned level, size_t slot,
                  uint64_t entry);
/* The first address of a slot at the end of the chain down to `level`. False: it has none. */
bool wp_codec_va(const struct wp_codec_tables *tables, unsigned level, size_t slot, uint64_t *va);
/* The same, and further down the chain, should there be tables. */
bool wp_codec_va_below(const struct wp_codec_tables *tables, unsigned level, size_t slot,
                       uint64_t *va);
void wp_codec_read(const struct wp_codec_tables *tables, uint64_t va,
                   struct wp_codec_reading *reading);

/* --- check_codec_batch.c and check_codec_explain.c --- */

/* Judges one answer of a machine. */
typedef void wp_codec_judge(struct wp_codec_check *check, const struct wp_codec_case *at,
                            enum wp_machine_name machine, const struct wp_answer *paper,
                            const struct wp_answer *answer);

/* From now on cases are entries of `level`. */
void wp_codec_collect(struct wp_codec_check *check, unsigned level);
/* A slot for the next entry, which `probes` are to be made of; asks when there is no room. */
size_t wp_codec_slot(struct wp_codec_check *check, size_t probes, unsigned line,
                     wp_codec_judge *judge);
void wp_codec_add(struct wp_codec_check *check, const struct wp_codec_case *what);
/* Asks every machine about what was collected. `line`: the paper machine's; others follow. */
void wp_codec_ask(struct wp_codec_check *check, unsigned line, wp_codec_judge *judge);

/* Of another machine: what the paper leaves open, or it alone answers, is the paper's. */
struct wp_answer wp_codec_merge(const struct wp_answer *paper, const struct wp_answer *answer);

/* What must be at a leaf's first address in that slot. */
struct wp_run wp_codec_run(const struct wp_codec_tables *tables, const struct wp_codec_leaf *leaf,
                           uint64_t va);

/*
 * Whether the paper machine takes this leaf for what it was encoded from. If not, and
 * `example` isn't NULL, says what is wrong with the encoding.
 */
bool wp_codec_paper_agrees(struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                           struct wp_counterexample *example);

/* Fills in what a machine found wrong with a leaf that is in the tables, in `slot`. */
void wp_codec_explain(const struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                      size_t slot, uint64_t va, const struct wp_answer *answer,
                      const struct wp_finding *finding, struct wp_counterexample *example);

/* "the paper machine", "qemu" */
const char *wp_codec_machine_name(enum wp_machine_name machine);

/* "aarch64_low: ", but "" where the report is about one regime of that name. */
void wp_codec_where(const struct wp_codec_check *check, char text[40]);

/* "a leaf of 2M to 0x200000 with rw-u-- is encoded as 0x...", and the entry to be drawn. */
void wp_codec_tell_leaf(const struct wp_codec_check *check, const struct wp_codec_leaf *leaf,
                        struct wp_counterexample *example);

/* What is marked, in words, if it is one bit. */
void wp_codec_tell_difference(const struct wp_codec_check *check,
                              struct wp_counterexample *example);

/* The entry that a counterexample is about. */
void wp_codec_draw(const struct wp_codec_tables *tables, unsigned level, bool leaf, uint64_t entry,
                   uint64_t wrong, struct wp_counterexample *example);

/* --- check_codec_change.c --- */

enum wp_change_place { WP_CHANGE_LEAF, WP_CHANGE_TABLE, WP_CHANGE_TABLES, WP_CHANGE_ALL };

/* One or two bits of the entries on the way to an address. */
struct wp_change {
	enum wp_change_place place;
	unsigned level; /* WP_CHANGE_TABLE: of that table's entry */
	uint64_t bits;
	uint64_t before; /* the entry that they are bits of */
};

/* The smallest with which the paper machine does what is expected at `va`. */
bool wp_codec_smallest_change(const struct wp_codec_tables *tables, unsigned level, size_t slot,
                              const struct wp_run *run, uint64_t va, struct wp_change *change);
/* "bit 2 (U/S) must be 1" */
void wp_codec_tell_bits(const struct wp_regime *regime, enum wp_entry_role role, uint64_t entry,
                        uint64_t bits, char *text, size_t size);

/* --- the checks --- */

/* False: tables can't be built with these. */
bool wp_codec_check_constants(const struct wp_codec *codec, const struct wp_regime *regime,
                              struct wp_check_report *report);
void wp_codec_check_laws(struct wp_codec_check *check);
void wp_codec_check_no_access(struct wp_codec_check *check);
void wp_codec_check_tables(struct wp_codec_check *check);
void wp_codec_check_others(struct wp_codec_check *check);
void wp_codec_check_matrix(struct wp_codec_check *check);
void wp_codec_check_bits(struct wp_codec_check *check);

/* --- check_codec_leaves.c --- */

/* Addresses that a leaf of this level may have, the simplest first. */
size_t wp_codec_addresses(const struct wp_codec_tables *tables, unsigned level,
                          uint64_t addresses[WP_CODEC_ADDRESSES]);
/* The flag sets that the contract has for the regime, the simplest first. */
size_t wp_codec_flag_sets(const struct wp_regime *regime, pt_flags sets[64]);

static inline bool wp_flags_have_access(pt_flags flags)
{
	return (flags & (PT_READ | PT_WRITE | PT_EXECUTE)) != 0;
}

/* Whether the backend and the regime have leaves there. */
static inline bool wp_codec_has_leaves(const struct wp_codec_tables *tables, unsigned level)
{
	return tables->levels[level].leaf != 0 &&
	       (tables->regime->leaf_sizes & wp_codec_span(tables, level)) != 0;
}

struct wp_codec_leaf wp_codec_encode(const struct wp_codec_tables *tables, unsigned level,
                                     pt_flags flags, uint64_t pa, unsigned weight);

/* Every flag set, level with leaves and address. */
typedef void wp_codec_leaf_visitor(struct wp_codec_check *check, const struct wp_codec_leaf *leaf);
void wp_codec_each_leaf(struct wp_codec_check *check, wp_codec_leaf_visitor *visit);

#endif
