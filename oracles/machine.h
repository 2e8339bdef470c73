/* SPDX-License-Identifier: MIT */
/*
 * A machine walks page tables as a CPU does. It answers probes in batches, and
 * refuses to serve if it can't show, at start-up, that it really translates.
 */
#ifndef WP_MACHINE_H
#define WP_MACHINE_H

#include "memory.h"
#include "regime.h"

/* A kind of access; kinds are also used as bits of a set. */
enum wp_kind {
	WP_KERNEL_READ,
	WP_KERNEL_WRITE,
	WP_KERNEL_EXECUTE,
	WP_USER_READ,
	WP_USER_WRITE,
	WP_USER_EXECUTE,
	WP_KINDS,
};
#define WP_ALL_KINDS    0x3fu
#define WP_KERNEL_KINDS 0x07u
#define WP_USER_KINDS   0x38u

/* The kinds of the privileges that the regime has. */
static inline uint8_t wp_regime_kinds(const struct wp_regime *regime)
{
	return regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS;
}

/* One byte accessed at `va`, asked once for each kind of the set. */
struct wp_probe {
	uint64_t va;
	uint8_t kinds;
};

enum wp_fault {
	WP_FAULT_NONE,
	WP_FAULT_ADDRESS,      /* not canonical, or the other half */
	WP_FAULT_NOT_PRESENT,  /* hole, invalid entry */
	WP_FAULT_RESERVED,     /* reserved bit or encoding, misaligned superpage */
	WP_FAULT_ADDRESS_SIZE, /* an address too wide for the architecture */
	WP_FAULT_ACCESS_FLAG,
	WP_FAULT_BUS,        /* the walk left guest memory */
	WP_FAULT_PERMISSION, /* the leaf is fine and no asked kind is allowed */
	WP_FAULT_UNKNOWN,    /* this machine can't tell */
	WP_FAULTS,
};

enum wp_memory_type {
	WP_TYPE_UNKNOWN, /* this machine can't see it */
	WP_TYPE_NORMAL,
	WP_TYPE_DEVICE,
	WP_TYPE_UNCACHED,
	WP_TYPE_OTHER, /* one that no flag stands for */
};

struct wp_answer {
	uint8_t answered;    /* the kinds it could answer: a subset of those asked */
	uint8_t allowed;     /* a subset of `answered` */
	uint8_t open;        /* kinds for which the manual allows either outcome (paper only) */
	uint8_t fault;       /* enum wp_fault: why not even one kind is allowed */
	uint8_t level;       /* where the walk ended; 0xff: unknown */
	uint8_t memory_type; /* enum wp_memory_type */
	bool global;         /* the CPU may keep it across address spaces */
	bool pa_unknown;     /* this machine can't see where it leads: pa is 0 */
	uint64_t pa;         /* where va leads, if allowed or fault is PERMISSION; else 0 */
	uint64_t size;       /* of the leaf; 0: this machine can't see it */
};

struct wp_machine;

/* A known way in which a machine differs from its architecture. */
struct wp_quirk {
	const char *key;    /* short and stable, such as x86-pa40 */
	const char *what;   /* one sentence */
	const char *manual; /* the section that says otherwise */
	bool (*still_there)(struct wp_machine *machine);
};

struct wp_machine {
	const char *name; /* "paper", "unicorn" */
	char version[64];
	enum wp_arch arch;
	struct wp_memory *memory;
	const struct wp_quirk *quirks;
	size_t quirk_count;
	uint64_t hangs;    /* probes that hung it: it was restarted, they are left unanswered */
	char hung_by[160]; /* the last one, in words */

	bool slow;        /* a program's worth of probes takes milliseconds */
	bool quirks_vary; /* with its version: one that isn't there is no mistake */
	bool records;     /* as it writes through its TLB, dirty bits too, where its CPU does */
	bool incautious;  /* answers even what it is known to get wrong: shows quirks */

	bool (*supports)(const struct wp_machine *machine, const struct wp_regime *regime);

	/* From now on `root` is walked under `regime`. Drops what the TLB held. */
	void (*load)(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root);

	/*
	 * answers[i] answers probes[i]. A kind that the machine can't represent or
	 * is known to get wrong (see the quirks) is left out of `answered`.
	 */
	void (*probe)(struct wp_machine *machine, const struct wp_probe *probes,
	              struct wp_answer *answers, size_t count);

	/*
	 * The same without the flush, through whatever the TLB holds, and leaves in it
	 * what it met. NULL: this machine has no TLB, or can't leave it alone.
	 */
	void (*probe_warm)(struct wp_machine *machine, const struct wp_probe *probes,
	                   struct wp_answer *answers, size_t count);

	/* By the CPU's own instructions. NULL: everything. */
	void (*flush)(struct wp_machine *machine, const uint64_t *va);

	/* Nothing more for a while: what costs time when idle may sleep. NULL: nothing does. */
	void (*rest)(struct wp_machine *machine);

	/*
	 * Builds tables of its own in frames of `memory` and shows that the machine
	 * translates: VA != PA; a fault; a denied write; a denied user access (where
	 * the regime has a user); a stale translation that a flush removes (where the
	 * machine has a TLB). False: `why` says what failed.
	 */
	bool (*self_test)(struct wp_machine *machine, const struct wp_regime *regime, char *why,
	                  size_t why_size);

	void (*close)(struct wp_machine *machine);
};

/* NULL: no such machine here; `why` says what to do. */
struct wp_machine *wp_paper_open(struct wp_memory *memory, enum wp_arch arch);
struct wp_machine *wp_unicorn_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                                   size_t why_size);
struct wp_machine *wp_kvm_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                               size_t why_size);

struct wp_machine *wp_qemu_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                                size_t why_size);

/*
 * Where QEMUs are looked for before PATH: a directory, or one qemu-system-... itself.
 * Kept, not copied.
 */
void wp_qemu_choose(const char *path);

/*
 * The paper machine's walk, for those who need it without a batch: fills in all
 * six kinds. `root` is a guest physical address.
 */
void wp_paper_walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer);

/* One step of that walk, for showing it level by level. */
struct wp_step {
	unsigned level; /* 0: the root */
	uint64_t entry_pa;
	uint64_t entry;
};
#define WP_MAX_STEPS 6
size_t wp_paper_steps(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                      uint64_t va, struct wp_step steps[WP_MAX_STEPS]);

/* Both in one. */
size_t wp_paper_trail(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                      uint64_t va, struct wp_answer *answer, struct wp_step steps[WP_MAX_STEPS]);

const char *wp_kind_name(enum wp_kind kind); /* "kernel read" */
const char *wp_fault_name(enum wp_fault fault);
const char *wp_memory_type_name(enum wp_memory_type type);

#endif
