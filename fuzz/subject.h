/* SPDX-License-Identifier: MIT */
/*
 * A subject: the implementation under test, as a small table of functions in the
 * terms of the contract. It gets its frames, its view of memory and its flushes
 * from the platform that it is opened with.
 */
#ifndef WP_SUBJECT_H
#define WP_SUBJECT_H

#include "deviations.h"
#include "model.h"
#include "regime.h"

struct wp_instance;      /* a subject's own state: up to WP_MODEL_TABLES tables */
struct wp_subject_calls; /* <walkproof/subject.h> */

struct wp_subject {
	const char *name;
	const char *what;                 /* one line */
	const struct pt_backend *backend; /* of a library built with a bug; else NULL */
	const char *regimes;              /* prefix of the regimes it serves; "" is all */
	bool planted;                     /* it is wrong on purpose... */
	bool damaged_only;                /* ...and only damaged tables show it (damage.h) */

	/* Of a shared object, whose path is its name; else NULL, and nothing below. */
	const struct wp_subject_calls *calls;
	wp_profile profile; /* how it deviates from the contract on purpose */
	uint64_t window;    /* where it looks for guest memory: host address; 0: anywhere */

	/* What it can offer beyond the calls; the laws that need more skip it. */
	bool reports_stores;
	bool reports_flushes;

	size_t (*fixed_frames)(const struct wp_subject *subject, const struct wp_regime *regime);
	struct wp_instance *(*open)(const struct wp_subject *subject);
	void (*close)(struct wp_instance *instance);
	/* For a new program: no table exists. The platform outlives the program. */
	void (*start)(struct wp_instance *instance, const struct wp_regime *regime,
	              const struct pt_platform *platform);
	/*
	 * From now on, until the next start(), query() and walk() see memory through
	 * `platform` only, which can't be written; all else as before. NULL: it can't.
	 */
	void (*read_through)(struct wp_instance *instance, const struct pt_platform *platform);

	uint64_t (*root)(struct wp_instance *instance, unsigned table);

	pt_status (*create)(struct wp_instance *, unsigned table);
	pt_status (*destroy)(struct wp_instance *, unsigned table);
	pt_status (*map)(struct wp_instance *, unsigned table, uint64_t va, uint64_t pa,
	                 uint64_t size, pt_flags flags);
	pt_status (*unmap)(struct wp_instance *, unsigned table, uint64_t va,
	                   struct pt_mapping *removed);
	pt_status (*protect)(struct wp_instance *, unsigned table, uint64_t va, pt_flags flags,
	                     struct pt_mapping *replaced);
	pt_status (*remap)(struct wp_instance *, unsigned table, uint64_t va, uint64_t pa,
	                   pt_flags flags, struct pt_mapping *replaced);
	pt_status (*query)(struct wp_instance *, unsigned table, uint64_t va,
	                   struct pt_mapping *mapping);
	pt_status (*map_region)(struct wp_instance *, unsigned table, uint64_t va, uint64_t pa,
	                        uint64_t size, pt_flags flags, bool allow_huge);
	pt_status (*map_region_with)(struct wp_instance *, unsigned table, uint64_t va,
	                             pt_page_source source, void *context, uint64_t size,
	                             pt_flags flags, bool allow_huge);
	pt_status (*unmap_region)(struct wp_instance *, unsigned table, uint64_t va, uint64_t size);
	pt_status (*protect_region)(struct wp_instance *, unsigned table, uint64_t va,
	                            uint64_t size, pt_flags flags);
	/* L8: the same, and tells of each leaf; NULL, both: it can't. */
	pt_status (*unmap_region_with)(struct wp_instance *, unsigned table, uint64_t va,
	                               uint64_t size, pt_leaf_visitor removed, void *context);
	pt_status (*harvest)(struct wp_instance *, unsigned table, uint64_t va, uint64_t size,
	                     pt_uses uses, pt_leaf_visitor visit, void *context);
	void (*walk)(struct wp_instance *, unsigned table, size_t limit, pt_visitor pre,
	             pt_visitor post, void *context);
	pt_status (*copy_from)(struct wp_instance *, unsigned table, unsigned other, uint64_t va,
	                       uint64_t size);
	pt_status (*give_back)(struct wp_instance *, unsigned table, uint64_t va, uint64_t size);

	/* Batches: from begin on, flushes of the table wait until one of the three. */
	void (*batch_begin)(struct wp_instance *, unsigned table);
	void (*batch_flush)(struct wp_instance *, unsigned table);
	void (*batch_flush_all)(struct wp_instance *, unsigned table);
	void (*batch_ignore)(struct wp_instance *, unsigned table);
	/* A number that is larger with each flush that the batch holds; NULL: it can't tell. */
	unsigned (*batch_recorded)(struct wp_instance *, unsigned table);
};

/* Beside the library's statuses: it refused, by a number that the contract hasn't. */
#define WP_SUBJECT_FAILED ((pt_status)PT_STATUSES)

/* This library. */
extern const struct wp_subject wp_library_subject;

/* The library with one bug planted in each. */
extern const struct wp_subject *const wp_planted_subjects[];
extern const size_t wp_planted_subject_count;

/*
 * The library, the planted bug of that name, or the shared object at that path, which has
 * a '/' in it. NULL: there is none, or it is no subject, and `why` says so.
 */
const struct wp_subject *wp_subject_find(const char *name, char *why, size_t why_size);

/*
 * Opens a shared object; it stays for good. Deviations behind the path, each after a comma,
 * are taken for those that it declares: "./my.so,no-reclaim". Else as above.
 */
struct wp_subject *wp_subject_load(const char *name, char *why, size_t why_size);

/* The calls of shared objects, in terms of <walkproof/subject.h>: subject_load.c fills it in. */
extern const struct wp_subject wp_foreign_subject;

/* The name that it has for itself. */
const char *wp_subject_title(const struct wp_subject *subject);

/* Whether programs may ask it for that: what it lacks is left out of them. */
bool wp_subject_offers(const struct wp_subject *subject, unsigned opcode);

/* What it lacks, and what its profile leaves out. */
struct wp_unasked wp_subject_unasked(const struct wp_subject *subject);

/* Whether it is written for that regime. */
bool wp_subject_serves(const struct wp_subject *subject, const struct wp_regime *regime);

/* The library's backend for a regime. */
const struct pt_backend *wp_library_backend(const struct wp_regime *regime);

#endif
