/* SPDX-License-Identifier: MIT */
/*
 * The QEMU machine: a CPU of a system emulator that runs our walker firmware,
 * which makes real accesses through the tested tables.
 *
 * Nothing is started before the first probe; after a fork each process starts its
 * own. A QEMU that dies is started anew and asked again. One that hangs is killed;
 * the access that it hung on is left unanswered and told of (wp_machine.hung_by),
 * for that is a quirk and not a finding.
 */
#include "qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"

static const struct wp_qemu_arch *const archs[WP_ARCHS] = {
	[WP_X86_64] = &wp_qemu_x86_64,
	[WP_AARCH64] = &wp_qemu_aarch64,
	[WP_RISCV64] = &wp_qemu_riscv64,
	[WP_LOONGARCH64] = &wp_qemu_loongarch64,
};

static bool supports(const struct wp_machine *machine, const struct wp_regime *regime)
{
	return regime->arch == machine->arch && archs[machine->arch]->model(regime) >= 0;
}

static void load(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	qemu->regime = regime;
	qemu->root = root;
	qemu->model = (unsigned)qemu->arch->model(regime);
	qemu->stale = true;
	qemu->flushes = 0;
}

static void rest(struct wp_machine *machine)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	for (unsigned i = 0; i < WP_QEMU_MODELS; i++)
		wp_qemu_rest(&qemu->processes[i]);
}

static void close_machine(struct wp_machine *machine)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	for (unsigned i = 0; i < WP_QEMU_MODELS; i++)
		wp_qemu_stop(&qemu->processes[i]);
	free(qemu);
}

/* Which of the quirks this QEMU has: what it then isn't asked for. */
static void try_quirks(struct wp_qemu *qemu)
{
	qemu->quirks_tried = true;
	for (size_t i = 0; i < qemu->arch->quirk_count; i++) {
		if (qemu->arch->quirks[i].still_there(&qemu->machine))
			qemu->shown |= (uint64_t)1 << i;
	}
}

static bool self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                      size_t why_size)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	if (supports(machine, regime)) {
		load(machine, regime, machine->memory->base);
		if (wp_qemu_ready(qemu) == NULL) {
			snprintf(why, why_size, "%s does not start", qemu->program);
			return false;
		}
		if (!qemu->quirks_tried)
			try_quirks(qemu);
	}
	return wp_machine_self_test(machine, regime, why, why_size);
}

/* --- finding it --- */

static const char *chosen;

void wp_qemu_choose(const char *path)
{
	chosen = path;
}

static bool runs(const char *path)
{
	struct stat stat_of;

	return access(path, X_OK) == 0 && stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode);
}

/* False: the path chosen is of no use to this architecture. */
static bool find_chosen(struct wp_qemu *qemu)
{
	const char *program = qemu->arch->program;
	const char *base = strrchr(chosen, '/');

	snprintf(qemu->program, sizeof qemu->program, "%s/%s", chosen, program);
	if (runs(qemu->program))
		return true;
	if (strcmp(base != NULL ? base + 1 : chosen, program) != 0 || !runs(chosen))
		return false;
	snprintf(qemu->program, sizeof qemu->program, "%s", chosen);
	return true;
}

static bool find(struct wp_qemu *qemu)
{
	const char *path = getenv("PATH");

	if (chosen != NULL && find_chosen(qemu))
		return true;
	while (path != NULL && *path != '\0') {
		const size_t length = strcspn(path, ":");

		snprintf(qemu->program, sizeof qemu->program, "%.*s/%s", (int)length, path,
		         qemu->arch->program);
		if (runs(qemu->program))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static bool serves(struct wp_qemu *qemu, char *why, size_t why_size)
{
	const struct wp_memory *memory = qemu->machine.memory;

	if (qemu->arch->firmware->start == qemu->arch->firmware->end)
		snprintf(why, why_size,
		         "built without the walker firmware for QEMU: run scripts/setup, "
		         "and build anew");
	else if (memory->base != WP_WINDOW_BASE || memory->frames % 256 != 0 ||
	         memory->frames > WP_WINDOW_FRAMES)
		snprintf(why, why_size,
		         "QEMU needs the guest memory window at %#x, up to 16 whole MiB",
		         WP_WINDOW_BASE);
	else if (!find(qemu))
		snprintf(why, why_size, "no %s: install %s, or name it with --qemu PATH",
		         qemu->arch->program, qemu->arch->package);
	else
		return true;
	return false;
}

struct wp_machine *wp_qemu_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                                size_t why_size)
{
	struct wp_qemu *qemu;

	if (archs[arch] == NULL) {
		snprintf(why, why_size, "QEMU emulates nothing that walks %s", wp_arch_name(arch));
		return NULL;
	}
	qemu = calloc(1, sizeof *qemu);
	if (qemu == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	qemu->arch = archs[arch];
	for (unsigned i = 0; i < WP_QEMU_MODELS; i++) {
		qemu->processes[i].control = -1;
		qemu->processes[i].memory = -1;
	}
	qemu->machine = (struct wp_machine){
		.name = "qemu",
		.arch = arch,
		.memory = memory,
		.quirks = qemu->arch->quirks,
		.quirk_count = qemu->arch->quirk_count,
		.slow = true,
		.quirks_vary = true,
		.records = true,
		.supports = supports,
		.load = load,
		.probe = wp_qemu_probe,
		.probe_warm = qemu->arch->keeps_tlb ? wp_qemu_probe_warm : NULL,
		.flush = wp_qemu_flush,
		.rest = rest,
		.self_test = self_test,
		.close = close_machine,
	};
	if (!serves(qemu, why, why_size)) {
		free(qemu);
		return NULL;
	}
	return &qemu->machine;
}
