/* SPDX-License-Identifier: MIT */
/*
 * Page tables for kernels and hypervisors: one interface, five architectures.
 *
 * Units. Every address, size and length is in bytes. A virtual address and a
 * physical address are different types. The granule is the smallest leaf: 4 KiB, or
 * 64 KiB where the backend's name says so; a frame is as large.
 *
 * What the calls promise. L1: after PT_OK the CPU translates exactly as asked
 * for. L2: a call that returns anything else has changed no translation, lost no
 * frame and recorded no flush. L3: after a flush no CPU can use a translation
 * from before it. L4: between any two stores the tables are walkable: outside of
 * the call's range as before, inside as before, as after, or not at all; but where a
 * leaf must be broken before it is made smaller (AArch64, LoongArch), all of a leaf
 * that straddles an end of the range faults while it is split. L5: reading writes
 * nothing. L6: a table that loses its last entry is freed. L8: what CPUs record in
 * leaves is told and kept, never lost (see "accessed and dirty").
 *
 * When several statuses apply, the first of this order is returned:
 * PT_BAD_SIZE, PT_BAD_ADDRESS, PT_NOT_ALIGNED, PT_BAD_FLAGS, PT_BORROWED,
 * PT_MALFORMED, then the state of the mapping (PT_NOT_MAPPED,
 * PT_ALREADY_MAPPED, PT_MAPPED_TO_HUGE_PAGE), then PT_NO_MEMORY.
 *
 * Locking. The library takes no lock. Calls that change a table must not run
 * beside any other call on that table; a CPU may walk it at any time.
 */
#ifndef WALKPROOF_PT_H
#define WALKPROOF_PT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ types */

typedef struct {
	uint64_t value;
} pt_vaddr;

typedef struct {
	uint64_t value;
} pt_paddr;

static inline pt_vaddr pt_va(uint64_t value)
{
	return (pt_vaddr){value};
}

static inline pt_paddr pt_pa(uint64_t value)
{
	return (pt_paddr){value};
}

typedef enum pt_status {
	PT_OK = 0,              /* done, all of it */
	PT_NO_MEMORY,           /* the platform refused a frame */
	PT_NOT_ALIGNED,         /* an address or a length is no multiple of the leaf size */
	PT_NOT_MAPPED,          /* nothing is mapped there */
	PT_ALREADY_MAPPED,      /* something is mapped somewhere in the range */
	PT_MAPPED_TO_HUGE_PAGE, /* the address lies in a larger leaf than asked for */
	PT_BAD_ADDRESS,         /* not canonical, the other half, too wide, or wrapping */
	PT_BAD_SIZE,            /* no leaf of that size, or a region of length zero */
	PT_BAD_FLAGS,           /* the architecture can't express that combination */
	PT_MALFORMED,           /* an entry on the way is neither empty, table nor leaf */
	PT_BORROWED,            /* the slot belongs to, or is lent to, another table */
} pt_status;
#define PT_STATUSES 11

/*
 * EXECUTE is execution at the page's own privilege: user mode if USER, kernel
 * mode otherwise. Flags without READ, WRITE and EXECUTE make a no-access
 * mapping: it keeps address, size and flags, and every access faults.
 */
typedef uint32_t pt_flags;
#define PT_READ      ((pt_flags)1 << 0)
#define PT_WRITE     ((pt_flags)1 << 1)
#define PT_EXECUTE   ((pt_flags)1 << 2)
#define PT_USER      ((pt_flags)1 << 3)
#define PT_DEVICE    ((pt_flags)1 << 4)
#define PT_UNCACHED  ((pt_flags)1 << 5)
#define PT_FLAGS_ALL ((pt_flags)0x3f)

#define PT_4K   ((uint64_t)1 << 12)
#define PT_64K  ((uint64_t)1 << 16)
#define PT_2M   ((uint64_t)1 << 21)
#define PT_512M ((uint64_t)1 << 29)
#define PT_1G   ((uint64_t)1 << 30)
#define PT_512G ((uint64_t)1 << 39)
#define PT_256T ((uint64_t)1 << 48)

/*
 * Accessed and dirty: what a CPU records in a leaf, by itself, when it uses it for an
 * access and for a write. Where it doesn't (AArch64 with HA = HD = 0, LoongArch), or
 * not of that kind, pt_backend.uses lacks the bit, and the mapping never says so.
 *
 * L8. A leaf says accessed, or dirty, if and only if a CPU recorded that in it since
 * it was mapped, or since pt_harvest() last cleared it; but on RISC-V a leaf starts
 * with both, for the sake of harts that fault where they would have to record (Svade).
 * In particular:
 *
 * - pt_unmap(), pt_protect(), pt_remap(), pt_unmap_region_with() and pt_harvest()
 *   tell all that was recorded up to the moment when they changed the entry; none of
 *   it falls between their load and their store. After that moment a CPU that has a
 *   use to record looks at the entry again, and finds what is there then. One that
 *   has recorded it already may go on using the old leaf until the flush (L3).
 * - pt_protect() and pt_protect_region() keep both as they are, through a no-access
 *   mapping and back too; so does a split, for each part; so does pt_remap() to the
 *   address that the leaf has. With another address the leaf starts as a new one.
 * - No other call changes them in a leaf that stays; they change no status, flags,
 *   address or frame of any call. pt_unmap_region(), pt_destroy() and pt_copy_from()
 *   drop them with what they remove.
 * - Each table that has a root leaf by loan records in a copy of its own, which goes
 *   with the loan.
 */
typedef uint8_t pt_uses;
#define PT_ACCESSED ((pt_uses)1 << 0)
#define PT_DIRTY    ((pt_uses)1 << 1)

/* A leaf as the caller sees it. */
struct pt_mapping {
	pt_vaddr vaddr; /* query(): the address asked for; else the leaf's first byte */
	pt_paddr paddr; /* where vaddr leads, offset in the leaf included */
	uint64_t size;  /* of the whole leaf */
	pt_flags flags;
	bool accessed, dirty; /* all of the leaf; false where pt_backend.uses lacks it */
};

/* Is told of one leaf; must not call the library for its table. */
typedef void (*pt_leaf_visitor)(void *context, const struct pt_mapping *leaf);

/* --------------------------------------------------------------- platform */

/*
 * What the embedding kernel does for a table. It must outlive the table. A
 * frame is one granule, aligned to its size.
 */
struct pt_platform {
	void *context; /* first argument of each function below */

	/*
	 * One frame, contents undefined; never the one at physical address 0. False:
	 * refused.
	 */
	bool (*alloc_frame)(void *context, pt_paddr *frame);

	/*
	 * `count` contiguous frames, the first aligned to `align` bytes (a power of
	 * two). Used only by backends whose root is larger than one frame; may be
	 * NULL elsewhere.
	 */
	bool (*alloc_frames)(void *context, size_t count, uint64_t align, pt_paddr *first);

	void (*free_frame)(void *context, pt_paddr frame);
	void (*free_frames)(void *context, pt_paddr first, size_t count);

	/*
	 * Where a table lies in the caller's own address space; NULL: not memory.
	 * Asked only for addresses outside the direct map below.
	 */
	void *(*phys_to_virt)(void *context, pt_paddr paddr);

	/*
	 * The direct map: [direct_first, direct_first + direct_size) of physical
	 * memory is readable and writable at direct_base. direct_size 0: none.
	 */
	pt_paddr direct_first;
	uint64_t direct_size;
	void *direct_base;

	/*
	 * Drop what any CPU holds for `vaddr`, or for every address, in every
	 * address space that shares the table, global entries included; return when
	 * it is gone. NULL: the backend's own instructions, in a build for the
	 * target itself (see pt_backend.flush_address); a host build refuses to
	 * create the table then.
	 */
	void (*flush_address)(void *context, pt_vaddr vaddr);
	void (*flush_all)(void *context);

	/*
	 * In a library built with PT_WATCH_STORES, and never otherwise: called before
	 * each store to a table, when all that the library looks at first is loaded,
	 * and after it. The first may do what a CPU may do at that moment: set
	 * accessed and dirty bits. Either may be NULL.
	 */
	void (*storing)(void *context, void *entry);
	void (*stored)(void *context, const void *entry, uint64_t before, uint64_t after);
};

/* ---------------------------------------------------------------- backend */

enum pt_half {
	PT_WHOLE = 0, /* one root serves every canonical address (x86_64, RISC-V) */
	PT_LOW,       /* TTBR0, PGDL, hgatp: addresses from 0 upward */
	PT_HIGH,      /* TTBR1, PGDH: addresses up to 2^64 - 1 */
};

enum pt_entry_kind {
	PT_ENTRY_EMPTY = 0,
	PT_ENTRY_TABLE,
	PT_ENTRY_LEAF, /* no-access mappings included */
	PT_ENTRY_MALFORMED,
};

/* Opaque here: the calls below reach the library through it. */
struct pt_operations;

/* One instantiation of the library. Constant; see the list at the end. */
struct pt_backend {
	const char *name;
	uint8_t levels; /* level 0 is the root */
	uint8_t halves; /* bit set of 1 << enum pt_half */
	uint8_t paddr_bits;
	uint8_t granule_shift;
	pt_uses uses;          /* what the CPU records in leaves; RISC-V: with Svadu enabled */
	uint64_t leaf_sizes;   /* the OR of all leaf sizes */
	uint16_t fixed_frames; /* frames of a table with no mapping, the root included */
	const struct pt_operations *operations;

	/* The CPU's own flush instructions; NULL in a host build. */
	void (*flush_address)(pt_vaddr vaddr);
	void (*flush_all)(void);

	/* Constants to load with the root, by architecture; zero where none. */
	/* MAIR_EL1 and TCR_EL1 fields; PWCL and PWCH; satp.MODE, or hgatp.MODE, << 60; EPTP's */
	uint64_t configuration[2];
};

/* ------------------------------------------------------------------ table */

/* At most this many slots in a root: what `borrowed` below has bits for. */
#define PT_ROOT_SLOTS_MAX 2048

/* The caller provides the memory; the fields are the library's. */
struct pt_table {
	const struct pt_backend *backend;
	const struct pt_platform *platform;
	pt_paddr root; /* what to load into CR3, TTBRn, satp, hgatp, PGDL or PGDH */
	pt_paddr hole; /* LoongArch: what an empty directory slot leads to */
	enum pt_half half;
	struct pt_table *owner;         /* the table that this one borrows from */
	struct pt_table *borrowers;     /* the tables that borrow from this one... */
	struct pt_table *next_borrower; /* ...linked through this */
	uint64_t borrowed[PT_ROOT_SLOTS_MAX / 64];
};

/* ------------------------------------------------------------------ batch */

#define PT_BATCH_ADDRESSES 32

/*
 * The open set of changes whose flush, and whose freed tables, are pending.
 * Until the flush a CPU may use what was there before. Every call that changes a
 * table takes a batch or NULL; with NULL it flushes before it returns.
 *
 * While a batch holds anything, every call that changes its table is given it.
 * The library flushes it early where the architecture leaves no choice: AArch64
 * and LoongArch, when something is mapped near an address whose flush is pending.
 */
struct pt_batch {
	struct pt_table *table;
	uint16_t count;   /* of addresses */
	bool all;         /* one full flush instead of addresses */
	pt_paddr waiting; /* freed tables, linked through their first slots; 0: none */
	pt_vaddr addresses[PT_BATCH_ADDRESSES];
};

/*
 * An empty batch for `table`. Not to be moved or dropped before pt_flush(),
 * pt_flush_all() or pt_ignore(), each of which leaves it empty and usable.
 */
void pt_batch_begin(struct pt_batch *batch, struct pt_table *table);

/*
 * Flushes what is pending: up to PT_BATCH_ADDRESSES single addresses, one full
 * flush beyond that, nothing if nothing is; then frees the tables that waited.
 */
void pt_flush(struct pt_batch *batch);

/* One full flush whatever is pending, then frees the tables that waited. */
void pt_flush_all(struct pt_batch *batch);

/*
 * Drops the pending flushes and frees the tables that waited: for a table that
 * no CPU has loaded (or see pt_harvest()).
 */
void pt_ignore(struct pt_batch *batch);

/* ------------------------------------------------------------------- calls */

/*
 * An empty table. The root is zeroed (on LoongArch, where no entry of a
 * directory can say "not present", it leads to one more frame, from which every
 * address faults).
 *
 * PT_BAD_ADDRESS: the backend has no such half.
 * PT_NO_MEMORY:   a frame was refused, or the platform can't reach it; none is kept.
 * PT_BAD_FLAGS:   the platform lacks a function that this build needs.
 */
pt_status pt_create(struct pt_table *table, const struct pt_backend *backend,
                    const struct pt_platform *platform, enum pt_half half);

/*
 * Frees every table that `table` owns; slots that it borrows go back. No CPU
 * may have it loaded. With a batch the frames are free after its flush; but where a root
 * has several, one full flush is made here, and all are free at once.
 *
 * PT_BORROWED: a slot is lent; nothing is changed.
 */
pt_status pt_destroy(struct pt_table *table, struct pt_batch *batch);

/*
 * One leaf of `size` bytes from `vaddr` to `paddr`.
 *
 * PT_BAD_SIZE:    no leaf of that size.
 * PT_BAD_ADDRESS: a byte of the virtual range is not canonical, not in this
 *                 half, or past the end; or one of the physical range too wide.
 * PT_NOT_ALIGNED: vaddr or paddr is no multiple of size.
 * PT_BAD_FLAGS:   an unknown bit, DEVICE with UNCACHED, or a combination that
 *                 the architecture has no encoding for.
 * PT_BORROWED:    the root slot is borrowed.
 * PT_MALFORMED:   an entry on the way is malformed, or a table entry takes
 *                 rights away from what lies below.
 * PT_MAPPED_TO_HUGE_PAGE: a larger leaf covers vaddr.
 * PT_ALREADY_MAPPED: anything else is mapped in the range.
 * PT_NO_MEMORY:   a table was needed and refused.
 */
pt_status pt_map(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, uint64_t size,
                 pt_flags flags, struct pt_batch *batch);

/*
 * Removes the leaf that starts at `vaddr`, whatever its size, and tells what it
 * was in `removed` (may be NULL; not written on failure).
 *
 * PT_BAD_ADDRESS: vaddr is not canonical or not in this half.
 * PT_NOT_ALIGNED: vaddr is no multiple of the granule, or lies in a leaf without
 *                 being its start.
 * PT_BORROWED:    the root slot is borrowed; or it is lent, and this is its last
 *                 leaf or the root entry itself.
 * PT_MALFORMED:   as in pt_map().
 * PT_NOT_MAPPED:  nothing is mapped there.
 */
pt_status pt_unmap(struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *removed,
                   struct pt_batch *batch);

/*
 * New flags for the leaf that starts at `vaddr`; `replaced` (may be NULL; not written
 * on failure) tells what it was. Statuses of pt_unmap(), and PT_BAD_FLAGS. AArch64
 * and a new memory type: the leaf is invalid for a moment (break before make).
 */
pt_status pt_protect(struct pt_table *table, pt_vaddr vaddr, pt_flags flags,
                     struct pt_mapping *replaced, struct pt_batch *batch);

/*
 * New address and flags for the leaf that starts at `vaddr`. Statuses of
 * pt_protect(); also PT_BAD_ADDRESS: paddr is too wide; PT_NOT_ALIGNED: paddr is
 * no multiple of the leaf's size (of the granule, where nothing is mapped).
 */
pt_status pt_remap(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, pt_flags flags,
                   struct pt_mapping *replaced, struct pt_batch *batch);

/*
 * What is mapped at `vaddr`, any byte of a leaf. Writes no table. Flags are the
 * effective ones: tables that others made may take rights away on the way.
 *
 * PT_BAD_ADDRESS, PT_MALFORMED, PT_NOT_MAPPED; `mapping` is not written then.
 */
pt_status pt_query(const struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *mapping);

/*
 * Maps [vaddr, vaddr + size) to [paddr, paddr + size): 4 KiB leaves or, with
 * allow_huge, from the start on the largest leaf that the alignment of both
 * addresses and the length left allow.
 *
 * PT_BAD_SIZE: size is zero. PT_NOT_ALIGNED: vaddr, paddr or size is no multiple
 * of the granule. The others as in pt_map(): the status of the first leaf, in
 * address order, that pt_map() would refuse; but PT_MALFORMED and PT_BORROWED
 * anywhere in the range come first, as in the order at the top. PT_MALFORMED also,
 * here and in the other region calls: a table is met at two levels.
 */
pt_status pt_map_region(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, uint64_t size,
                        pt_flags flags, bool allow_huge, struct pt_batch *batch);

/*
 * The physical page of `vaddr`, a multiple of the granule. Must answer the same
 * each time within one call of the library.
 */
typedef pt_paddr (*pt_page_source)(void *context, pt_vaddr vaddr);

/*
 * The same with each page's physical address asked for. With allow_huge, a
 * larger leaf is used where vaddr and its page are aligned to it, the length left
 * allows it, and the source's answers are contiguous over all of it.
 */
pt_status pt_map_region_with(struct pt_table *table, pt_vaddr vaddr, pt_page_source source,
                             void *context, uint64_t size, pt_flags flags, bool allow_huge,
                             struct pt_batch *batch);

/*
 * Unmaps [vaddr, vaddr + size), all of which must be mapped (PT_NOT_MAPPED). A
 * larger leaf that straddles an end is split first, for which PT_NO_MEMORY is
 * possible. PT_BAD_SIZE, PT_BAD_ADDRESS, PT_NOT_ALIGNED, PT_BORROWED and
 * PT_MALFORMED as above. PT_BORROWED also when a lent root slot would lose its
 * last leaf, or its root leaf would go or be split.
 */
pt_status pt_unmap_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                          struct pt_batch *batch);

/*
 * The same, and calls `removed` for each leaf that went, in address order, with what
 * CPUs recorded in it up to then. Of a leaf that was split, the parts in the range.
 */
pt_status pt_unmap_region_with(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                               pt_leaf_visitor removed, void *context, struct pt_batch *batch);

/*
 * New flags for every leaf in [vaddr, vaddr + size); holes are skipped. A larger
 * leaf that straddles an end is split first, even if its flags stay the same.
 */
pt_status pt_protect_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size, pt_flags flags,
                            struct pt_batch *batch);

/*
 * Clears those of `uses` that are recorded in each leaf of [vaddr, vaddr + size), one
 * atomic change of each entry, and calls `visit` (may be NULL), in address order, for
 * each leaf where that cleared any, with accessed and dirty both as they were before.
 * Holes are skipped; a larger leaf that straddles an end is taken whole. Nothing else
 * changes, no leaf is split.
 *
 * Each leaf that was cleared is flushed, or its flush is pending; but a no-access mapping
 * no CPU remembers. Until then a CPU that remembers a leaf as dirty writes without
 * recording it again, so a page is clean only if nothing it held before the flush counts:
 * save it after. Of PT_ACCESSED alone, that costs no more than an access that goes
 * unrecorded: for a hint, give a batch that holds nothing else, and pt_ignore() it.
 *
 * PT_BAD_SIZE, PT_BAD_ADDRESS, PT_NOT_ALIGNED: as in pt_unmap_region().
 * PT_BAD_FLAGS: `uses` is empty, or holds what the backend's CPU doesn't record.
 * PT_BORROWED:  a root slot of the range is borrowed; or its root leaf is lent.
 * PT_MALFORMED: as in pt_map(), anywhere in the range; nothing is cleared.
 */
pt_status pt_harvest(struct pt_table *table, pt_vaddr vaddr, uint64_t size, pt_uses uses,
                     pt_leaf_visitor visit, void *context, struct pt_batch *batch);

/* ------------------------------------------------------------------- walk */

/* One entry that is not empty. */
struct pt_visit {
	unsigned level;
	size_t index;
	pt_vaddr vaddr; /* of the entry's first byte, canonical */
	uint64_t entry; /* as stored */
	enum pt_entry_kind kind;
	struct pt_mapping mapping; /* of a leaf, by its own bits; else zero */
	pt_paddr next;             /* of a table; else zero */
};

enum pt_walk_next {
	PT_WALK_ON = 0,
	PT_WALK_SKIP, /* not below this table (pre only) */
	PT_WALK_STOP,
};

typedef enum pt_walk_next (*pt_visitor)(void *context, const struct pt_visit *visit);

/*
 * Calls `pre` for each entry that is not empty, in address order, before what
 * lies below it, and `post` after; either may be NULL. At most `limit` entries
 * are visited in each table. A table that is not memory is visited and not
 * entered. Writes no table; depth is bounded by the levels, whatever they hold.
 */
void pt_walk(const struct pt_table *table, size_t limit, pt_visitor pre, pt_visitor post,
             void *context);

/* ---------------------------------------------------------------- sharing */

/*
 * Shares `other`'s root slots over [vaddr, vaddr + size), whole root slots, with
 * `table`. What `table` held there is freed after a flush. A slot that is empty
 * in `other` becomes empty here and is nobody's loan. A loan that `table` has
 * from `other` in the range is renewed. `table` may query through what it
 * borrowed and may not change it; `other` may change what is below a lent slot,
 * may not change the root entry itself, and must not be moved or destroyed while
 * anything is lent. A table borrows from one other table at a time. A table that
 * copies from itself changes nothing.
 *
 * PT_BAD_SIZE; PT_BAD_ADDRESS: also, the two tables have different backends,
 * platforms or halves; PT_NOT_ALIGNED: not whole root slots.
 * PT_BORROWED: a slot of the range is lent by `table`, or is itself borrowed by
 *              `other`; or `table` has loans from a third table.
 * PT_MALFORMED: a root entry of either is malformed.
 */
pt_status pt_copy_from(struct pt_table *table, struct pt_table *other, pt_vaddr vaddr,
                       uint64_t size, struct pt_batch *batch);

/*
 * Gives the borrowed slots in [vaddr, vaddr + size) back; they are empty then.
 * Other slots of the range stay as they are. PT_BAD_SIZE, PT_BAD_ADDRESS and
 * PT_NOT_ALIGNED as in pt_copy_from().
 */
pt_status pt_give_back(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                       struct pt_batch *batch);

const char *pt_status_name(pt_status status);

/* --------------------------------------------------------------- backends */

extern const struct pt_backend pt_x86_64;       /* 4 levels, 48-bit addresses */
extern const struct pt_backend pt_x86_64_la57;  /* 5 levels, 57-bit addresses */
extern const struct pt_backend pt_aarch64;      /* EL1&0, PT_LOW or PT_HIGH */
extern const struct pt_backend pt_aarch64_el2;  /* EL2, PT_LOW */
extern const struct pt_backend pt_riscv64_sv39; /* DEVICE, UNCACHED in software bits */
extern const struct pt_backend pt_riscv64_sv48;
extern const struct pt_backend pt_riscv64_sv57;
extern const struct pt_backend pt_riscv64_sv39_svpbmt;
extern const struct pt_backend pt_riscv64_sv48_svpbmt;
extern const struct pt_backend pt_riscv64_sv57_svpbmt;
extern const struct pt_backend pt_riscv64_sv39_xuantie; /* C9xx, sxstatus.MAEE = 1 */
extern const struct pt_backend pt_riscv64_sv48_xuantie;
extern const struct pt_backend pt_riscv64_sv57_xuantie;
extern const struct pt_backend pt_loongarch64; /* 4 levels, PT_LOW or PT_HIGH */
extern const struct pt_backend pt_x86_ept;     /* 4 levels, PT_LOW; guest-physical addresses */

/*
 * A guest's physical addresses: one range of 41 bits, which is PT_LOW; a root of 16 KiB.
 * All accesses are the guest's, whoever makes them there: PT_USER is PT_BAD_FLAGS.
 */
extern const struct pt_backend pt_riscv64_sv39x4;

extern const struct pt_backend pt_aarch64_64k; /* EL1&0, 64 KiB granule: 64K and 512M */

#ifdef __cplusplus
}
#endif

#endif
