/* SPDX-License-Identifier: MIT */
/*
 * Private to the Unicorn machine: what its files, one per architecture, share.
 *
 * The guest memory window is mapped into the engine as it is, and nothing else
 * is, but for a stub: a few frames with the flush instructions and, on x86_64,
 * tables to run them under. What a leaf outside of the window leads to is no
 * RAM, and Unicorn keeps such a translation out of its TLB; one into the window
 * is kept. Each batch starts with a flush for that reason.
 */
#ifndef WP_UNICORN_H
#define WP_UNICORN_H

#include <unicorn/unicorn.h>

#include "../machine.h"
#include "scratch.h"

#if UC_API_MAJOR < 2 || (UC_API_MAJOR == 2 && UC_API_MINOR * 256 + UC_API_PATCH < 256 + 4)
#error "these are headers of a Unicorn older than 2.1.4: run scripts/setup"
#endif

enum wp_privilege {
	WP_KERNEL,
	WP_USER,
	WP_PRIVILEGES,
};

/* One entry on the way, to whoever must know whether Unicorn can be asked. */
enum wp_entry {
	WP_ENTRY_END,   /* the walk ends here, as the manual says or in a fault either way */
	WP_ENTRY_TABLE, /* it goes on at the next table */
	WP_ENTRY_QUIRK, /* Unicorn is known to get it wrong */
};

struct wp_unicorn;

/* What there is to say about one architecture. */
struct wp_unicorn_arch {
	uc_arch engine_arch;
	uc_mode engine_mode;
	unsigned engines;    /* 2: one for each privilege */
	uint64_t window_end; /* the window must end at or below this address... */
	uint64_t stub_pa;    /* ...and not overlap the stub */
	size_t stub_frames;
	uint8_t cold_kinds; /* right only if the batch began with an empty TLB */
	const struct wp_quirk *quirks;
	size_t quirk_count;

	/* On an engine just opened: the CPU model and such. */
	uc_err (*choose_model)(uc_engine *engine);

	/* On an engine with its memory mapped: registers that never change. */
	uc_err (*start)(struct wp_unicorn *unicorn, enum wp_privilege privilege);

	/* unicorn->regime is a new one. Need not flush. */
	void (*configure)(struct wp_unicorn *unicorn);

	/* unicorn->root is a new one. Leaves the TLB empty. */
	void (*set_root)(struct wp_unicorn *unicorn);

	/* What is translated next, is so for this privilege. */
	void (*enter)(struct wp_unicorn *unicorn, enum wp_privilege privilege);

	/* Whether Unicorn walks to `va` as the manual says; see wp_unicorn_walk(). */
	bool (*answerable)(const struct wp_unicorn *unicorn, uint64_t va);

	/* One address, by the CPU's own instruction. */
	void (*flush_address)(struct wp_unicorn *unicorn, enum wp_privilege privilege, uint64_t va);
};

struct wp_unicorn {
	struct wp_machine machine; /* first: a machine is cast to this */
	const struct wp_unicorn_arch *arch;
	const struct wp_regime *regime; /* loaded; NULL: none yet */
	uint64_t root;
	uint64_t pa_mask;                 /* off the address that Unicorn reports */
	uc_engine *engine[WP_PRIVILEGES]; /* the same twice, unless arch->engines is 2 */
	uc_context *ring0[WP_PRIVILEGES]; /* x86_64: ready to run the stub... */
	uc_context *saved[WP_PRIVILEGES]; /* ...and what to come back to */
	uint8_t *stub;
	bool empty; /* the TLB holds nothing: no translation since everything was flushed */
};

extern const struct wp_unicorn_arch wp_unicorn_x86_64;
extern const struct wp_unicorn_arch wp_unicorn_aarch64;
extern const struct wp_unicorn_arch wp_unicorn_riscv64;

static inline struct wp_unicorn *wp_unicorn_of(struct wp_machine *machine)
{
	return (struct wp_unicorn *)machine;
}

/* For calls that can't fail once an engine is open: says what failed, and aborts. */
void wp_unicorn_must(uc_err error, const char *what);

/* False, with a sentence, for a library (uc_version()) too old to serve. */
bool wp_unicorn_version_serves(unsigned version, char *why, size_t why_size);

/* Everything, in every engine. */
void wp_unicorn_flush(struct wp_unicorn *unicorn);

/*
 * Walks to `va` without judging it: false if an entry on the way is one that
 * Unicorn gets wrong, or leads into its stub. A table outside of the window ends
 * the walk: Unicorn reads zeros there, and nothing is mapped on either side.
 */
static inline bool wp_unicorn_walk(const struct wp_unicorn *unicorn, uint64_t va,
                                   enum wp_entry (*classify)(const struct wp_regime *regime,
                                                             unsigned level, uint64_t entry,
                                                             uint64_t *next))
{
	const struct wp_regime *regime = unicorn->regime;
	const uint64_t stub_size = unicorn->arch->stub_frames * WP_FRAME_SIZE;
	uint64_t table = unicorn->root;

	for (unsigned level = 0; level < regime->levels; level++) {
		const uint64_t entry_pa = table + wp_regime_index(regime, level, va) * 8;
		const uint64_t *entry = wp_memory_at(unicorn->machine.memory, entry_pa, 8);
		enum wp_entry found;

		if (entry == NULL)
			return entry_pa - unicorn->arch->stub_pa >= stub_size;
		found = classify(regime, level, *entry, &table);
		if (found != WP_ENTRY_TABLE)
			return found == WP_ENTRY_END;
	}
	return true;
}

#endif
