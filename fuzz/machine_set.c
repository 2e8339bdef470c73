/* SPDX-License-Identifier: MIT */
#include "machine_set.h"

#include <stdio.h>
#include <stdlib.h>
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
#define open_unicorn wp_unicorn_open
#else
#define open_unicorn NULL
#endif
#ifdef WP_QEMU
#define open_qemu wp_qemu_open
#else
#define open_qemu NULL
#endif
#ifdef WP_KVM
#define open_kvm wp_kvm_open
#else
#define open_kvm NULL
#endif

/* Where no CPU can be had. */
static const char *const why_paper_alone[WP_ARCHS] = {
	[WP_X86_EPT] = "neither Unicorn nor QEMU emulates VMX, and KVM's tables are its own",
};
#define NO_VMX (1u << WP_X86_EPT)

const struct wp_machine_kind wp_machine_kinds[WP_MACHINE_KINDS] = {
	[WP_PAPER] = {"paper", WP_ALL_ARCHS, false, open_paper},
	[WP_UNICORN_MACHINE] = {"unicorn", WP_ALL_ARCHS & ~(1u << WP_LOONGARCH64 | NO_VMX), false,
                                open_unicorn},
	[WP_QEMU_MACHINE] = {"qemu", WP_ALL_ARCHS & ~NO_VMX, true, open_qemu},
	[WP_KVM_MACHINE] = {"kvm", 1u << WP_X86_64, true, open_kvm},
};

enum wp_machine_name wp_machine_find(const char *name)
{
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		if (strcmp(wp_machine_kinds[kind].name, name) == 0)
			return (enum wp_machine_name)kind;
	}
	return WP_MACHINE_KINDS;
}

/* False: it can't be done without. */
static bool open_one(struct wp_machine_set *set, unsigned kind, unsigned arch, char *why,
                     size_t why_size)
{
	set->machines[kind][arch] = wp_machine_kinds[kind].open(set->memory, (enum wp_arch)arch,
	                                                        why, why_size);
	if (set->machines[kind][arch] != NULL)
		return true;
	snprintf(set->why[kind], sizeof set->why[kind], "%s", why);
	return wp_machine_kinds[kind].dispensable;
}

bool wp_machines_open(struct wp_machine_set *set, struct wp_memory *memory, unsigned archs,
                      unsigned without, char *why, size_t why_size)
{
	memset(set, 0, sizeof *set);
	set->memory = memory;
	set->without = without;
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		if ((without >> kind & 1) != 0 || wp_machine_kinds[kind].open == NULL)
			continue;
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			if ((wp_machine_kinds[kind].archs & archs & 1u << arch) != 0 &&
			    !open_one(set, kind, arch, why, why_size))
				return false;
		}
	}
	return true;
}

static void close_one(struct wp_machine **machine)
{
	if (*machine != NULL)
		(*machine)->close(*machine);
	*machine = NULL;
}

void wp_machines_close(struct wp_machine_set *set)
{
	for (unsigned i = 0; i < WP_MACHINE_KINDS; i++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++)
			close_one(&set->machines[i][arch]);
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

bool wp_machines_prove(struct wp_machine_set *set, bool slow_too, char *why, size_t why_size)
{
	for (unsigned i = 0; i < WP_MACHINE_KINDS; i++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			struct wp_machine *machine = set->machines[i][arch];

			if (machine == NULL || (machine->slow && !slow_too) ||
			    prove(machine, why, why_size))
				continue;
			if (!wp_machine_kinds[i].dispensable)
				return false;
			snprintf(set->why[i], sizeof set->why[i], "%s", why);
			close_one(&set->machines[i][arch]);
		}
	}
	return true;
}

void wp_machines_absent(const struct wp_machine_set *set, uint8_t absent[WP_MACHINE_KINDS])
{
	memset(absent, 0, WP_MACHINE_KINDS);
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++)
			absent[kind] |= (uint8_t)((set->machines[kind][arch] == NULL) << arch);
	}
}

void wp_machines_drop(struct wp_machine_set *set, const uint8_t absent[WP_MACHINE_KINDS])
{
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			if ((absent[kind] >> arch & 1) != 0)
				close_one(&set->machines[kind][arch]);
		}
	}
}

void wp_machine_prove_first(struct wp_machine *machine, const struct wp_regime *regime,
                            uint32_t *proven)
{
	const uint32_t bit = (uint32_t)1 << (regime - wp_regimes);
	char why[300];

	if ((*proven & bit) != 0)
		return;
	if (!machine->self_test(machine, regime, why, sizeof why)) {
		fprintf(stderr,
		        "walkproof: the %s machine fails its self-test (leave it out: --without "
		        "%s, or WALKPROOF_WITHOUT=%s): %s\n",
		        machine->name, machine->name, machine->name, why);
		exit(2);
	}
	*proven |= bit;
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

static void describe_kind(const struct wp_machine_set *set, unsigned kind, unsigned archs,
                          FILE *out)
{
	const char *name = wp_machine_kinds[kind].name, *version = NULL;
	char present[80];

	for (unsigned arch = WP_ARCHS; arch-- > 0 && kind > 0;) {
		if (set->machines[kind][arch] != NULL)
			version = set->machines[kind][arch]->version;
	}
	if (list_archs(set, kind, archs, true, present, sizeof present) > 0)
		fprintf(out, "%s%s%s proves itself for %s\n", name, version != NULL ? " " : "",
		        version != NULL ? version : "", present);
}

void wp_machines_lacking(const struct wp_machine_set *set, unsigned archs, FILE *out)
{
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		const struct wp_machine_kind *row = &wp_machine_kinds[kind];
		char absent[80];

		if ((set->without >> kind & 1) != 0 ||
		    list_archs(set, kind, archs & row->archs, false, absent, sizeof absent) == 0)
			continue;
		if (row->open == NULL)
			fprintf(out, "no %s in this build\n", row->name);
		else
			fprintf(out, "no %s for %s: %s\n", row->name, absent, set->why[kind]);
	}
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		if ((archs >> arch & 1) != 0 && why_paper_alone[arch] != NULL)
			fprintf(out, "paper alone for %s: %s\n", wp_arch_name((enum wp_arch)arch),
			        why_paper_alone[arch]);
	}
}

void wp_machines_describe(const struct wp_machine_set *set, unsigned archs, FILE *out)
{
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++)
		describe_kind(set, kind, archs, out);
	wp_machines_lacking(set, archs, out);
}

void wp_machines_add_to(const struct wp_machine_set *set, struct wp_runner *runner)
{
	for (unsigned kind = 1; kind < WP_MACHINE_KINDS; kind++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++)
			wp_runner_add(runner, set->machines[kind][arch]);
	}
}
