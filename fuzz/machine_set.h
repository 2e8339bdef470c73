/* SPDX-License-Identifier: MIT */
/* All machines that there are, for some architectures. */
#ifndef WP_MACHINE_SET_H
#define WP_MACHINE_SET_H

#include "run.h"

enum wp_machine_name {
	WP_PAPER,
	WP_UNICORN_MACHINE,
	WP_QEMU_MACHINE,
	WP_KVM_MACHINE,
	WP_MACHINE_KINDS,
};

/* One kind of machine; a new one is a new row of wp_machine_kinds. */
struct wp_machine_kind {
	const char *name;
	unsigned archs;   /* bits: 1 << enum wp_arch */
	bool dispensable; /* where it can't be opened, everything else goes on */
	struct wp_machine *(*open)(struct wp_memory *memory, enum wp_arch arch, char *why,
	                           size_t why_size); /* NULL: not in this build */
};

extern const struct wp_machine_kind wp_machine_kinds[WP_MACHINE_KINDS]; /* paper first */

#define WP_ALL_ARCHS ((1u << WP_ARCHS) - 1)

/* The kind of that name; WP_MACHINE_KINDS: none, or the paper machine. */
enum wp_machine_name wp_machine_find(const char *name);

struct wp_machine_set {
	struct wp_memory *memory;
	unsigned without;                                        /* kinds left out on purpose */
	struct wp_machine *machines[WP_MACHINE_KINDS][WP_ARCHS]; /* NULL: none... */
	char why[WP_MACHINE_KINDS][200]; /* ...and why not, where it was tried */
};

/*
 * `without`: bits of kinds. False: a machine that should be here isn't; `why` is
 * one sentence.
 */
bool wp_machines_open(struct wp_machine_set *set, struct wp_memory *memory, unsigned archs,
                      unsigned without, char *why, size_t why_size);
void wp_machines_close(struct wp_machine_set *set);

/*
 * Every machine proves itself for every regime, slow ones only if asked for; leaves
 * the memory reset. One that can be done without and does not prove itself is
 * closed.
 */
bool wp_machines_prove(struct wp_machine_set *set, bool slow_too, char *why, size_t why_size);

/* Of each kind, bits of the architectures that have none; and closes those of another set. */
void wp_machines_absent(const struct wp_machine_set *set, uint8_t absent[WP_MACHINE_KINDS]);
void wp_machines_drop(struct wp_machine_set *set, const uint8_t absent[WP_MACHINE_KINDS]);

/* One line about each kind that some architecture could have and hasn't, and why. */
void wp_machines_lacking(const struct wp_machine_set *set, unsigned archs, FILE *out);

/* Before it, one about each kind of machine: what it proved itself for. */
void wp_machines_describe(const struct wp_machine_set *set, unsigned archs, FILE *out);

/*
 * Proves itself for a regime unless its bit says that it has; or says why not, and
 * ends the process with exit code 2.
 */
void wp_machine_prove_first(struct wp_machine *machine, const struct wp_regime *regime,
                            uint32_t *proven);

/* One input in `sample`, by a hash of its content alone; 0 and 1: every one. */
static inline bool wp_is_sampled(uint64_t hash, unsigned sample)
{
	return sample <= 1 || hash % sample == 0;
}

/* All but the paper machine, which a runner has of its own. */
void wp_machines_add_to(const struct wp_machine_set *set, struct wp_runner *runner);

#endif
