/* SPDX-License-Identifier: MIT */
#include "machine_set.h"

#include <stdio.h>
#include <string.h>

static struct wp_machine *open_paper(struct wp_memory *memory, enum wp_arch arch, char *why,
                                     size_t why_size)
{
	struct wp_machine *machine = wp_paper_open(memory, arch);

	if (machine == NULL)
		snprintf(why, why_size, "out of memory");
	return machine;
}

#ifdef WP_UNICORN
#define UNICORN_BUILT true
#define open_unicorn  wp_unicorn_open
#else
#define UNICORN_BUILT false
#define open_unicorn  NULL
#endif

const struct wp_machine_kind wp_machine_kinds[WP_MACHINE_KINDS] = {
	{"paper", WP_ALL_ARCHS, true, open_paper},
	{"unicorn", WP_ALL_ARCHS & ~(1u << WP_LOONGARCH64), UNICORN_BUILT, open_unicorn},
};

bool wp_machines_open(struct wp_machine_set *set, struct wp_memory *memory, unsigned archs,
                      bool unicorn, char *why, size_t why_size)
{
	memset(set, 0, sizeof *set);
	set->memory = memory;
	for (unsigned i = 0; i < (unicorn ? WP_MACHINE_KINDS : 1); i++) {
		const struct wp_machine_kind *kind = &wp_machine_kinds[i];

		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			if (!kind->built || (kind->archs & archs & 1u << arch) == 0)
				continue;
			set->machines[i][arch] = kind->open(memory, (enum wp_arch)arch, why,
			                                    why_size);
			if (set->machines[i][arch] == NULL)
				return false;
		}
	}
	return true;
}

void wp_machines_close(struct wp_machine_set *set)
{
	for (unsigned i = 0; i < WP_MACHINE_KINDS; i++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			if (set->machines[i][arch] != NULL)
				set->machines[i][arch]->close(set->machines[i][arch]);
			set->machines[i][arch] = NULL;
		}
	}
}

static bool prove(struct wp_machine *machine, char *why, size_t why_size)
{
	char reason[200];

	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_regime *regime = &wp_regimes[i];

		if (!machine->supports(machine, regime))
			continue;
		wp_memory_reset(machine->memory);
		if (!machine->self_test(machine, regime, reason, sizeof reason)) {
			snprintf(why, why_size, "the %s machine (%s) fails its self-test: %s",
			         machine->name, machine->version, reason);
			return false;
		}
	}
	wp_memory_reset(machine->memory);
	return true;
}

bool wp_machines_prove(struct wp_machine_set *set, char *why, size_t why_size)
{
	for (unsigned i = 0; i < WP_MACHINE_KINDS; i++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			struct wp_machine *machine = set->machines[i][arch];

			if (machine != NULL && !prove(machine, why, why_size))
				return false;
		}
	}
	return true;
}

/* "x86_64, aarch64": those of `archs` that have a machine, or have none. */
static size_t list_archs(const struct wp_machine_set *set, unsigned kind, unsigned archs,
                         bool present, char *text, size_t size)
{
	size_t count = 0, at = 0;

	text[0] = '\0';
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		if ((archs >> arch & 1) == 0 || (set->machines[kind][arch] != NULL) != present)
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%s", count > 0 ? ", " : "",
		                       wp_arch_name((enum wp_arch)arch));
		count++;
	}
	return count;
}

void wp_machines_describe(const struct wp_machine_set *set, unsigned archs, FILE *out)
{
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		const char *version = NULL;
		char present[80], absent[80];

		for (unsigned arch = WP_ARCHS; arch-- > 0 && kind > 0;) {
			if (set->machines[kind][arch] != NULL)
				version = set->machines[kind][arch]->version;
		}
		if (list_archs(set, kind, archs, true, present, sizeof present) == 0) {
			fprintf(out, "no %s: the paper machine alone walks\n",
			        wp_machine_kinds[kind].name);
			continue;
		}
		fprintf(out, "%s%s%s proves itself for %s", wp_machine_kinds[kind].name,
		        version != NULL ? " " : "", version != NULL ? version : "", present);
		if (list_archs(set, kind, archs, false, absent, sizeof absent) > 0)
			fprintf(out, "; no %s: the paper machine alone walks it", absent);
		fputc('\n', out);
	}
}

void wp_machines_add_to(const struct wp_machine_set *set, struct wp_runner *runner)
{
	for (unsigned kind = 1; kind < WP_MACHINE_KINDS; kind++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++)
			wp_runner_add(runner, set->machines[kind][arch]);
	}
}
