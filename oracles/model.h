/* SPDX-License-Identifier: MIT */
/*
 * The model: the contract restated over a sorted list of runs, with no page
 * table anywhere. It predicts, for every call, the status, the outputs, and how
 * many table frames come and go. It shares no code with the library.
 */
#ifndef WP_MODEL_H
#define WP_MODEL_H

#include "regime.h"

/* A run: leaves of one size and one set of flags, contiguous on both sides. */
struct wp_run {
	uint64_t va;
	uint64_t pa;
	uint64_t bytes; /* a multiple of `leaf` */
	uint64_t leaf;
	pt_flags flags;
};

#define WP_MODEL_TABLES 2

/* What one call must do. */
struct wp_verdict {
	pt_status status;
	struct pt_mapping mapping; /* query and unmap, on PT_OK */
	uint64_t size;             /* protect and remap, on PT_OK */
	size_t allocated;          /* table frames asked for and kept; 0 on failure */
	size_t removed;            /* table frames unlinked (freed after the flush) */
};

struct wp_model;

struct wp_model *wp_model_new(void);
void wp_model_free(struct wp_model *model);

/*
 * Forgets everything. `fixed_frames` is how many frames an empty table has (the
 * root, and what the subject says it needs beside it).
 */
void wp_model_reset(struct wp_model *model, const struct wp_regime *regime, size_t fixed_frames);

/* From now on, until the next reset, leaves are of those sizes only. */
void wp_model_limit_leaves(struct wp_model *model, uint64_t sizes);

/* Makes `to` the same as `from`. */
void wp_model_copy(struct wp_model *to, const struct wp_model *from);

/*
 * `available`: how many frame allocations the platform grants before it refuses
 * one (SIZE_MAX: all). A call that needs more is PT_NO_MEMORY. `table` is 0 or 1
 * and must exist for all but create.
 */
struct wp_verdict wp_model_create(struct wp_model *model, unsigned table, size_t available);
struct wp_verdict wp_model_destroy(struct wp_model *model, unsigned table);
struct wp_verdict wp_model_map(struct wp_model *model, unsigned table, uint64_t va, uint64_t pa,
                               uint64_t size, pt_flags flags, size_t available);
struct wp_verdict wp_model_unmap(struct wp_model *model, unsigned table, uint64_t va);
struct wp_verdict wp_model_protect(struct wp_model *model, unsigned table, uint64_t va,
                                   pt_flags flags);
struct wp_verdict wp_model_remap(struct wp_model *model, unsigned table, uint64_t va, uint64_t pa,
                                 pt_flags flags);
struct wp_verdict wp_model_query(const struct wp_model *model, unsigned table, uint64_t va);
struct wp_verdict wp_model_map_region(struct wp_model *model, unsigned table, uint64_t va,
                                      uint64_t pa, uint64_t size, pt_flags flags, bool allow_huge,
                                      size_t available);
/* `pages[i]` is the physical page of va + i pages; as many as `size` has. */
struct wp_verdict wp_model_map_region_with(struct wp_model *model, unsigned table, uint64_t va,
                                           const uint64_t *pages, uint64_t size, pt_flags flags,
                                           bool allow_huge, size_t available);
struct wp_verdict wp_model_unmap_region(struct wp_model *model, unsigned table, uint64_t va,
                                        uint64_t size, size_t available);
struct wp_verdict wp_model_protect_region(struct wp_model *model, unsigned table, uint64_t va,
                                          uint64_t size, pt_flags flags, size_t available);
/* Of the status alone: what it tells and clears is in no model, see run_harvest.c. */
struct wp_verdict wp_model_harvest(const struct wp_model *model, unsigned table, uint64_t va,
                                   uint64_t size, pt_uses uses);
struct wp_verdict wp_model_copy_from(struct wp_model *model, unsigned table, unsigned other,
                                     uint64_t va, uint64_t size);
struct wp_verdict wp_model_give_back(struct wp_model *model, unsigned table, uint64_t va,
                                     uint64_t size);

bool wp_model_exists(const struct wp_model *model, unsigned table);
const struct wp_regime *wp_model_regime(const struct wp_model *model);

/* The table frames that `table` owns: fixed ones, and one for each table below. */
size_t wp_model_tables(const struct wp_model *model, unsigned table);

/*
 * Everything that translates through `table`, in address order, what it borrows
 * included. Valid until the next call that changes the model.
 */
const struct wp_run *wp_model_runs(const struct wp_model *model, unsigned table, size_t *count);

/* Of those, the first that doesn't end before `va`; their number: none. */
size_t wp_model_seek(const struct wp_model *model, unsigned table, uint64_t va);

/* The run that holds `va`; NULL: a hole (or not canonical). */
const struct wp_run *wp_model_find(const struct wp_model *model, unsigned table, uint64_t va);

/* One entry that walk() must visit. */
struct wp_visit {
	unsigned level;
	size_t index;
	uint64_t va;
	bool leaf;
	struct pt_mapping mapping; /* of a leaf */
};

/*
 * The first `capacity` of the visits that walk(limit) makes before what lies
 * below (pre); returns how many there are, counting at most capacity + 1.
 */
size_t wp_model_walk(const struct wp_model *model, unsigned table, size_t limit,
                     struct wp_visit *visits, size_t capacity);

/*
 * From the flags alone: whether the regime can express them, and the set of
 * kinds (1 << enum wp_kind) that a CPU must allow.
 */
bool wp_flags_expressible(const struct wp_regime *regime, pt_flags flags);
uint8_t wp_flags_allowed(const struct wp_regime *regime, pt_flags flags);

/* What its CPUs record in leaves. */
pt_uses wp_uses_recorded(const struct wp_regime *regime);

#endif
