/* SPDX-License-Identifier: MIT */
/*
 * A memory program: contents of a few frames, to be taken for page tables, and
 * addresses to ask about. Bytes at random fault at the root, so the bytes of an
 * input are recipes for entries: a pointer to another of the frames, a leaf as
 * the library makes it, either with a few bits turned, a chain of pointers down
 * to a leaf, or 64 raw bits.
 */
#ifndef WP_MEMORY_PROGRAM_H
#define WP_MEMORY_PROGRAM_H

#include "memory.h"
#include "program.h"
#include "machine_set.h"
#include "reading.h"
#include "subject.h"

#define WP_MEMORY_FRAMES  16 /* of the regime's size; the first is the root, or begins it */
#define WP_MEMORY_RECORD  16 /* bytes of a recipe; the first byte of an input is its regime */
#define WP_MEMORY_RECIPES 64 /* more are ignored */
#define WP_MEMORY_WRITES  (WP_MEMORY_RECIPES * 5)
#define WP_MEMORY_PROBES  128
#define WP_MEMORY_BYTES   (1 + WP_MEMORY_RECIPES * WP_MEMORY_RECORD)

/* What the library's entries look like, asked of the library itself. */
struct wp_memory_shapes {
	uint64_t empty_root;     /* what an empty slot of a root holds */
	uint64_t table;          /* a table entry, but for its address */
	uint64_t leaves[5][64];  /* by level and flags, but for its address; 0: none */
	unsigned address_shift;  /* of a physical address, to the right */
	struct pt_table created; /* with no mapping; its root is never used */
};

struct wp_memory_write {
	uint8_t frame;
	uint16_t index; /* beyond the frame, in a root of several */
	uint64_t entry;
};

struct wp_memory_program {
	const struct wp_regime *regime;
	size_t writes, probes;
	struct wp_memory_write write[WP_MEMORY_WRITES];
	uint64_t probe[WP_MEMORY_PROBES];
};

/* Any bytes decode. `first` is the address of the first of the frames. */
void wp_memory_program_decode(struct wp_memory_program *program, const struct wp_scope *scope,
                              const struct wp_memory_shapes *shapes, uint64_t first,
                              const uint8_t *bytes, size_t size);

/*
 * Random bytes for it, `regime` being the index in the scope: our own engine.
 * Returns how many; `bytes` has room for WP_MEMORY_BYTES.
 */
size_t wp_memory_program_random(struct wp_random *random, uint8_t regime, uint8_t *bytes);

/* What runs have shown, by regime. */
struct wp_memory_stats {
	uint64_t programs;
	uint64_t probes;            /* of canonical addresses */
	uint64_t reached[5];        /* walks that read an entry of that level */
	uint64_t translate;         /* some access goes through */
	uint64_t open;              /* the manual leaves some kind's outcome free */
	uint64_t open_compared;     /* kinds of those that two CPUs answered, and alike */
	uint64_t faults[WP_FAULTS]; /* by the paper machine's reason */
	uint64_t said[PT_STATUSES]; /* by query() */
	uint64_t no_access;         /* query() found a no-access mapping */
	uint64_t visits;            /* by walk() */
	uint64_t stopped;           /* walks that the budget of visits ended */
	uint64_t asked[WP_MACHINE_KINDS], answered[WP_MACHINE_KINDS]; /* kinds */
};

struct wp_memory_runner {
	struct wp_memory memory;
	struct pt_platform platform;
	struct wp_reading reading; /* through which query() and walk() see it */
	uint64_t first;            /* of the frames; aligned to every regime's */
	size_t frame_size;         /* of the regime that shapes are taken of */
	struct wp_machine_set set;
	uint32_t proven[WP_MACHINE_KINDS][WP_ARCHS]; /* a bit for each regime */
	unsigned sample; /* slow machines are asked about one input in so many; 0: all */
	struct wp_memory_shapes *shapes;     /* by regime */
	struct wp_memory_stats *stats;       /* by regime */
	uint64_t va;                         /* that the finding is about */
	uint32_t dirty;                      /* frames that the last program wrote */
	const struct wp_memory_shapes *fill; /* what all frames hold but for those */
	struct wp_memory_program program;    /* at hand */
	struct wp_probe probe[WP_MEMORY_PROBES];
	struct wp_answer paper[WP_MEMORY_PROBES];
	struct wp_answer answers[WP_MACHINE_KINDS][WP_MEMORY_PROBES];
	unsigned asked; /* a bit for each kind that has answered this program */
};

/*
 * L5: counts the tables that query() asks for and the entries that walk() visits.
 * Within wp_reading_watch().
 */
void wp_memory_judge_reading(const struct wp_memory_runner *runner, struct pt_table *table,
                             struct wp_finding *finding);

/* Fills in the shapes of one regime; the platform is ready. False: no frames. */
bool wp_memory_shapes_take(struct wp_memory_runner *runner, const struct wp_regime *regime);

/* False: `why` says what is missing. `without` as for wp_machines_open(). */
bool wp_memory_runner_open(struct wp_memory_runner *runner, unsigned without, char *why,
                           size_t why_size);
/* A planted bug reads, in place of the library, where it is for the regime. */
void wp_memory_use(struct wp_memory_runner *runner, const struct wp_subject *subject);
void wp_memory_runner_close(struct wp_memory_runner *runner);

/* True: no finding. */
bool wp_memory_run(struct wp_memory_runner *runner, const struct wp_scope *scope,
                   const uint8_t *bytes, size_t size, struct wp_result *result);

/* Whether slow machines are asked about it: a property of the input alone. */
bool wp_memory_is_sampled(const struct wp_memory_runner *runner, const uint8_t *bytes, size_t size);

/*
 * Makes an input that shows a finding simpler, in place, in at most `runs` runs: fewer
 * recipes, then zeros. The key stays. `bytes` has room for WP_MEMORY_BYTES; the run at hand
 * is that of what is left. False: it shows none, or is longer than that.
 */
bool wp_memory_shrink(struct wp_memory_runner *runner, const struct wp_scope *scope, uint8_t *bytes,
                      size_t *size, struct wp_result *result, size_t runs);

/* After a finding: the address that it is about, and the entries on the way there. */
void wp_memory_print(const struct wp_memory_runner *runner, FILE *out);

#endif
