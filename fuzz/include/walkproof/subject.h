/* SPDX-License-Identifier: MIT */
/*
 * Bring your own: how a page-table implementation, in any language, is given to
 * Walkproof to be judged. A shared object is a subject if it exports one symbol,
 *
 *     const struct wp_subject_calls walkproof_subject = {...};
 *
 * and then `walkproof check ./my.so` tells what it does wrong. The header stands
 * alone, and its layout is the same for every compiler of C, C++ and Rust: integers
 * of fixed width and pointers, no bit-fields, no enumerations, no bool.
 *
 * Units. Every address, size and length is in bytes. `pa` is a guest physical
 * address, `va` a virtual one.
 *
 * What happens to a subject that panics, aborts, runs into a signal, throws across
 * these calls or hangs: it runs in a process of its own, that is a finding with its
 * message, and the next program starts afresh.
 *
 * Versions. A field is only ever added at the end of a struct. Whoever reads one
 * looks at `bytes` first: what lies beyond is absent, and NULL or zero.
 */
#ifndef WALKPROOF_SUBJECT_H
#define WALKPROOF_SUBJECT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WP_SUBJECT_VERSION 1u

/* ------------------------------------------------------------------ words */

/* What a call returns. When several apply, the first of the order of PRECEDENCE below. */
typedef uint32_t wp_status;
#define WP_OK                  0u  /* done, all of it */
#define WP_NO_MEMORY           1u  /* the host refused a frame */
#define WP_NOT_ALIGNED         2u  /* an address or a length is no multiple of the leaf size */
#define WP_NOT_MAPPED          3u  /* nothing is mapped there */
#define WP_ALREADY_MAPPED      4u  /* something is mapped somewhere in the range */
#define WP_MAPPED_TO_HUGE_PAGE 5u  /* the address lies in a larger leaf than asked for */
#define WP_BAD_ADDRESS         6u  /* not canonical, too wide, or wrapping */
#define WP_BAD_SIZE            7u  /* no leaf of that size, or a region of length zero */
#define WP_BAD_FLAGS           8u  /* the architecture can't express that combination */
#define WP_MALFORMED           9u  /* an entry on the way is neither empty, table nor leaf */
#define WP_BORROWED            10u /* the slot belongs to, or is lent to, another table */
#define WP_FAILED              11u /* refused, and the implementation doesn't say why */
/*
 * PRECEDENCE: BAD_SIZE, BAD_ADDRESS, NOT_ALIGNED, BAD_FLAGS, BORROWED, MALFORMED, then
 * the state of the mapping, then NO_MEMORY. A subject with another order, or with
 * fewer words, says so in `deviations`.
 */

/* What a leaf allows, and what kind of memory it leads to. */
typedef uint32_t wp_flags;
#define WP_READ     0x01u
#define WP_WRITE    0x02u
#define WP_EXECUTE  0x04u /* at the page's own privilege */
#define WP_USER     0x08u
#define WP_DEVICE   0x10u
#define WP_UNCACHED 0x20u

struct wp_leaf {
	uint64_t va;   /* query(): the address asked for; else the leaf's first byte */
	uint64_t pa;   /* where va leads, the offset in the leaf included */
	uint64_t size; /* of the whole leaf */
	wp_flags flags;
	uint32_t uses; /* WP_ACCESSED, WP_DIRTY: what the CPU recorded in it, see WP_OFFERS_USES */
};
#define WP_ACCESSED 0x1u
#define WP_DIRTY    0x2u

/* ------------------------------------------------------------------- host */

/*
 * What a subject gets instead of a kernel. Valid until the last table is destroyed.
 * `context` is the first argument of each function.
 */
struct wp_host {
	uint32_t version;
	uint32_t bytes; /* of this struct */
	void *context;

	/*
	 * Guest memory: `window_bytes` from guest physical `window_pa` on are readable
	 * and writable at `window`. Everything else is not memory.
	 */
	uint64_t window_pa, window_bytes;
	unsigned char *window;

	/*
	 * `bytes` (a multiple of the smallest leaf) of guest memory, aligned to `align`
	 * (a power of two). What is in it is arbitrary. 0: refused, which happens on
	 * purpose.
	 */
	uint64_t (*alloc)(void *context, uint64_t bytes, uint64_t align);
	void (*free)(void *context, uint64_t pa, uint64_t bytes);

	/* After each store to an entry: where it lies in `window`, what it was, what it is. */
	void (*stored)(void *context, const volatile void *entry, uint64_t before, uint64_t after);

	/* Where the CPU's own instructions would stand: one address; everything. */
	void (*flush)(void *context, uint64_t va);
	void (*flush_all)(void *context);

	/*
	 * For panic handlers: ends the process with a finding that says `message`.
	 * Doesn't return. What is written to standard error before an abort() is told too.
	 */
	void (*panicked)(void *context, const char *message);
};

/* ---------------------------------------------------------------- subject */

/* What a subject offers beyond its calls. What isn't offered can't be judged. */
#define WP_OFFERS_STORES  0x1u /* it calls host->stored. Without: no L4 */
#define WP_OFFERS_FLUSHES 0x2u /* it calls host->flush. Without: no law of the TLB (L3) */
#define WP_OFFERS_USES    0x4u /* wp_leaf.uses is right. Without: no L8 */

/* The next of walk(): on, not below this entry, or no further. */
typedef uint32_t wp_walk_next;
#define WP_WALK_ON   0u
#define WP_WALK_SKIP 1u
#define WP_WALK_STOP 2u

struct wp_entry_seen {
	uint32_t level; /* 0: the root */
	uint32_t kind;  /* WP_ENTRY_TABLE, WP_ENTRY_LEAF, WP_ENTRY_MALFORMED */
	uint64_t index;
	uint64_t va;         /* of the entry's first byte */
	uint64_t entry;      /* as stored */
	struct wp_leaf leaf; /* if it is one */
};
#define WP_ENTRY_TABLE     1u
#define WP_ENTRY_LEAF      2u
#define WP_ENTRY_MALFORMED 3u

typedef wp_walk_next (*wp_entry_visitor)(void *context, const struct wp_entry_seen *seen);
typedef void (*wp_leaf_seen)(void *context, const struct wp_leaf *leaf);
typedef uint64_t (*wp_page_of)(void *context, uint64_t va); /* the page to map there */

/*
 * A table is whatever create() says it is; up to two exist at a time. A call that
 * is NULL is left out of programs; create, destroy, root, map, unmap and query can't
 * be. Outputs may be written on WP_OK only. All calls come from one thread.
 */
struct wp_subject_calls {
	uint32_t version; /* WP_SUBJECT_VERSION */
	uint32_t bytes;   /* sizeof(struct wp_subject_calls) */
	const char *name;
	const char *what; /* one line */

	/*
	 * The regimes that it serves, separated by spaces: "x86_64", "riscv64_sv39
	 * riscv64_sv48" (see `walkproof machines`). What is no name stands for all that
	 * start with it: "riscv64".
	 */
	const char *regimes;

	/*
	 * Where it differs from the contract on purpose: names from `walkproof check
	 * --deviations`, separated by spaces. Each forgives one thing. May be NULL.
	 */
	const char *deviations;
	uint32_t offers; /* WP_OFFERS_..., ORed */

	/*
	 * Not 0: it finds guest physical memory at `pa + fixed_offset` in its own address
	 * space and nowhere else (1 stands for 0: identity). The window is put there; it
	 * starts at 0xc0000000 and has 16 MiB. A multiple of 4096.
	 */
	uint64_t fixed_offset;

	/* NULL: refused for want of memory. `regime` is the full name. */
	void *(*create)(const struct wp_host *host, const char *regime);
	/* Gives back every frame. No CPU uses the table any more; no batch is open. */
	wp_status (*destroy)(void *table);
	/* What to load into CR3, TTBRn, satp's PPN (as an address), PGDL or PGDH. */
	uint64_t (*root)(void *table);

	/* One leaf of `size` bytes. */
	wp_status (*map)(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags);
	/* The leaf that starts at `va`, whatever its size; in `removed`, what it was. */
	wp_status (*unmap)(void *table, uint64_t va, struct wp_leaf *removed);
	/* Any byte of a leaf. */
	wp_status (*query)(void *table, uint64_t va, struct wp_leaf *leaf);

	/* The rest may be NULL. `replaced` is what the leaf was. */
	wp_status (*protect)(void *table, uint64_t va, wp_flags flags, struct wp_leaf *replaced);
	wp_status (*remap)(void *table, uint64_t va, uint64_t pa, wp_flags flags,
	                   struct wp_leaf *replaced);
	wp_status (*map_region)(void *table, uint64_t va, uint64_t pa, uint64_t size,
	                        wp_flags flags, uint32_t allow_huge);
	wp_status (*map_region_with)(void *table, uint64_t va, wp_page_of page, void *context,
	                             uint64_t size, wp_flags flags, uint32_t allow_huge);
	wp_status (*unmap_region)(void *table, uint64_t va, uint64_t size);
	wp_status (*protect_region)(void *table, uint64_t va, uint64_t size, wp_flags flags);
	/* At most `limit` entries of each table; `pre` before what lies below, `post` after. */
	void (*walk)(void *table, uint64_t limit, wp_entry_visitor pre, wp_entry_visitor post,
	             void *context);
	/* Shares the root entries of `other` over a range of whole root entries. Both, or none. */
	wp_status (*copy_from)(void *table, void *other, uint64_t va, uint64_t size);
	wp_status (*give_back)(void *table, uint64_t va, uint64_t size);
	/*
	 * L8. harvest: clears those of `uses` in each leaf of the range, one that an end of it
	 * cuts included, holes skipped; flushes what was cleared; tells of each leaf that had
	 * one, with all that it had. BAD_FLAGS: no use, or one that the CPU doesn't record.
	 * Both, or none.
	 */
	wp_status (*harvest)(void *table, uint64_t va, uint64_t size, uint32_t uses,
	                     wp_leaf_seen visit, void *context);
	wp_status (*unmap_region_with)(void *table, uint64_t va, uint64_t size,
	                               wp_leaf_seen removed, void *context);

	/*
	 * From batch_begin() on flushes, and tables that became empty, wait for batch_end():
	 * WP_BATCH_FLUSH, WP_BATCH_FLUSH_ALL, or WP_BATCH_IGNORE for a table that no CPU
	 * has loaded. Without: every call flushes before it returns.
	 */
	void (*batch_begin)(void *table);
	void (*batch_end)(void *table, uint32_t how);

	/* Frames of a table without a mapping, the root included. NULL: one. */
	uint64_t (*fixed_frames)(const char *regime);
};
#define WP_BATCH_FLUSH     0u
#define WP_BATCH_FLUSH_ALL 1u
#define WP_BATCH_IGNORE    2u

/* The symbol that a subject exports. */
#define WP_SUBJECT_SYMBOL "walkproof_subject"
extern const struct wp_subject_calls walkproof_subject;

#ifdef __cplusplus
}
#endif

#endif
