/* SPDX-License-Identifier: MIT */
/* All machines that there are, for some architectures. */
#ifndef WP_MACHINE_SET_H
#define WP_MACHINE_SET_H

#include "run.h"

/* One kind of machine; a new one is a new row of wp_machine_kinds. */
struct wp_machine_kind {
	const char *name;
	unsigned archs; /* bits: 1 << enum wp_arch */
	bool built;     /* into this program */
	struct wp_machine *(*open)(struct wp_memory *memory, enum wp_arch arch, char *why,
	                           size_t why_size);
};

#define WP_MACHINE_KINDS 2
extern const struct wp_machine_kind wp_machine_kinds[WP_MACHINE_KINDS]; /* paper first */

#define WP_ALL_ARCHS ((1u << WP_ARCHS) - 1)

struct wp_machine_set {
	struct wp_memory *memory;
	struct wp_machine *machines[WP_MACHINE_KINDS][WP_ARCHS]; /* NULL: none */
};

/* False: a machine that should be here isn't; `why` is one sentence. */
bool wp_machines_open(struct wp_machine_set *set, struct wp_memory *memory, unsigned archs,
                      bool unicorn, char *why, size_t why_size);
void wp_machines_close(struct wp_machine_set *set);

/* Every machine proves itself for every regime; leaves the memory reset. */
bool wp_machines_prove(struct wp_machine_set *set, char *why, size_t why_size);

/* One line about each kind of machine: what it proved itself for. */
void wp_machines_describe(const struct wp_machine_set *set, unsigned archs, FILE *out);

/* All but the paper machine, which a runner has of its own. */
void wp_machines_add_to(const struct wp_machine_set *set, struct wp_runner *runner);

#endif
