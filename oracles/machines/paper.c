/* SPDX-License-Identifier: MIT */
/*
 * The paper machine: what the manuals say a CPU does. It has no TLB, writes
 * nothing, and is fast enough to be asked after every store.
 */
#include "paper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct wp_paper_arch *const archs[] = {
	[WP_X86_64] = &wp_paper_x86_64,   [WP_AARCH64] = &wp_paper_aarch64,
	[WP_RISCV64] = &wp_paper_riscv64, [WP_LOONGARCH64] = &wp_paper_loongarch64,
	[WP_X86_EPT] = &wp_paper_x86_ept,
};
_Static_assert(sizeof archs / sizeof archs[0] == WP_ARCHS, "How is the new one walked on paper?");

struct paper {
	struct wp_machine machine; /* first: what the caller holds */
	const struct wp_regime *regime;
	uint64_t root;
};

static struct paper *paper_of(struct wp_machine *machine)
{
	return (struct paper *)machine;
}

void wp_paper_walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer)
{
	archs[regime->arch]->walk(regime, memory, root, va, answer, NULL);
}

size_t wp_paper_steps(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                      uint64_t va, struct wp_step steps[WP_MAX_STEPS])
{
	struct wp_answer answer;

	return archs[regime->arch]->walk(regime, memory, root, va, &answer, steps);
}

size_t wp_paper_trail(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                      uint64_t va, struct wp_answer *answer, struct wp_step steps[WP_MAX_STEPS])
{
	return archs[regime->arch]->walk(regime, memory, root, va, answer, steps);
}

/* ---------------------------------------------------------------- machine */

static bool supports(const struct wp_machine *machine, const struct wp_regime *regime)
{
	return regime->arch == machine->arch;
}

static void load(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	assert(supports(machine, regime));
	paper_of(machine)->regime = regime;
	paper_of(machine)->root = root;
}

/* Keeps what was asked: a leaf that allows none of these kinds is a permission fault. */
static void narrow(struct wp_answer *answer, uint8_t kinds)
{
	answer->answered &= kinds;
	answer->allowed &= kinds;
	answer->open &= kinds;
	if (answer->fault == WP_FAULT_NONE && answer->allowed == 0)
		answer->fault = WP_FAULT_PERMISSION;
}

static void probe(struct wp_machine *machine, const struct wp_probe *probes,
                  struct wp_answer *answers, size_t count)
{
	const struct paper *paper = paper_of(machine);
	wp_paper_walker *const walk = archs[machine->arch]->walk;

	assert(paper->regime != NULL);
	for (size_t i = 0; i < count; i++) {
		walk(paper->regime, machine->memory, paper->root, probes[i].va, &answers[i], NULL);
		narrow(&answers[i], probes[i].kinds);
	}
}

static void flush(struct wp_machine *machine, const uint64_t *va)
{
	(void)machine;
	(void)va;
}

static void close_machine(struct wp_machine *machine)
{
	free(paper_of(machine));
}

/* -------------------------------------------------------------- self-test */

/* What each slot of the last table holds; then what is asked of its page. */
enum slot {
	SLOT_WRITABLE,
	SLOT_HOLE,
	SLOT_READ_ONLY,
	SLOT_USER,
	SLOTS,
};

struct check {
	const char *what;
	enum slot slot;
	enum wp_kind kind;
	bool allowed;
};

static const struct check checks[] = {
	{"a kernel page can't be read by the kernel", SLOT_WRITABLE, WP_KERNEL_READ, true},
	{"a writable page can't be written", SLOT_WRITABLE, WP_KERNEL_WRITE, true},
	{"a hole can be read", SLOT_HOLE, WP_KERNEL_READ, false},
	{"a read-only page can't be read", SLOT_READ_ONLY, WP_KERNEL_READ, true},
	{"a read-only page can be written", SLOT_READ_ONLY, WP_KERNEL_WRITE, false},
	{"a kernel page can be read by the user", SLOT_WRITABLE, WP_USER_READ, false},
	{"a user page can't be read by the user", SLOT_USER, WP_USER_READ, true},
	{"a read-only user page can be written by the user", SLOT_USER, WP_USER_WRITE, false},
};

/* A different index at every level, so that none stands in for another. */
static uint64_t first_page(const struct wp_regime *regime)
{
	uint64_t first[2], last[2], va;

	wp_regime_ranges(regime, first, last);
	va = first[0];
	for (unsigned level = 0; level < regime->levels; level++)
		va += (level + 3) * wp_regime_span(regime, level);
	return va;
}

/* Where a slot's page leads: in another order, so that no offset is right for all. */
static uint64_t target_page(const struct paper *paper, unsigned slot)
{
	return paper->machine.memory->base + (SLOTS - slot) * wp_regime_page(paper->regime);
}

/* The tables of one address, each aligned to the root's size or to a frame's. */
static size_t table_bytes(const struct wp_regime *regime)
{
	const size_t page = wp_regime_page_bytes(regime), root = wp_regime_root_bytes(regime);

	return root > page ? root : page;
}

/* One table a level from `root` on, each leading to the next by a slot of its own. */
static void build(const struct paper *paper, uint64_t root, uint64_t va)
{
	const struct wp_paper_arch *arch = archs[paper->machine.arch];
	const uint64_t leaves[SLOTS] = {
		[SLOT_WRITABLE] = arch->kernel_writable,
		[SLOT_READ_ONLY] = arch->kernel_read_only,
		[SLOT_USER] = arch->user_read_only,
	};
	const struct wp_regime *regime = paper->regime;
	const unsigned last = regime->levels - 1u;
	const size_t bytes = table_bytes(regime);
	uint64_t *table = wp_memory_at(paper->machine.memory, root, regime->levels * bytes);

	memset(table, 0, regime->levels * bytes);
	for (unsigned level = 0; level < last; level++) {
		const uint64_t next = root + (level + 1) * bytes;

		table[wp_regime_index(regime, level, va)] = next >> arch->address_shift |
		                                            arch->table;
		table += bytes / sizeof *table;
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		const uint64_t pa = target_page(paper, slot);

		if (leaves[slot] != 0)
			table[wp_regime_index(regime, last, va) + slot] =
				pa >> arch->address_shift | leaves[slot] |
				(regime->stage_2 ? arch->stage_2 : 0);
	}
}

/* NULL: as it must be. */
static const char *run_check(struct wp_machine *machine, const struct check *check, uint64_t va)
{
	const uint64_t page = va + check->slot * wp_regime_page(paper_of(machine)->regime);
	const uint64_t pa = target_page(paper_of(machine), check->slot) + 0x123;
	const struct wp_probe asked = {page + 0x123, (uint8_t)(1u << check->kind)};
	struct wp_answer answer;

	probe(machine, &asked, &answer, 1);
	if (answer.answered == 0)
		return NULL;
	if ((answer.allowed != 0) != check->allowed)
		return check->what;
	if (check->allowed && (answer.pa != pa || answer.pa == asked.va))
		return "a page leads to another address than its entry says";
	return NULL;
}

static bool self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                      size_t why_size)
{
	const char *wrong = NULL;
	const size_t size = regime->levels * table_bytes(regime);
	uint64_t root, va;

	if (!wp_memory_alloc_bytes(machine->memory, size, table_bytes(regime), &root)) {
		snprintf(why, why_size, "no frames for the self-test's tables");
		return false;
	}
	load(machine, regime, root);
	va = first_page(regime);
	build(paper_of(machine), root, va);
	for (size_t i = 0; i < sizeof checks / sizeof checks[0] && wrong == NULL; i++)
		wrong = run_check(machine, &checks[i], va);
	wp_memory_free_bytes(machine->memory, root, size);
	paper_of(machine)->regime = NULL;
	if (wrong != NULL)
		snprintf(why, why_size, "%s: %s", regime->name, wrong);
	return wrong == NULL;
}

struct wp_machine *wp_paper_open(struct wp_memory *memory, enum wp_arch arch)
{
	struct paper *paper = calloc(1, sizeof *paper);

	if (paper == NULL)
		return NULL;
	paper->machine = (struct wp_machine){
		.name = "paper",
		.arch = arch,
		.memory = memory,
		.supports = supports,
		.load = load,
		.probe = probe,
		.flush = flush,
		.self_test = self_test,
		.close = close_machine,
	};
	snprintf(paper->machine.version, sizeof paper->machine.version, "%s", archs[arch]->manual);
	return &paper->machine;
}
