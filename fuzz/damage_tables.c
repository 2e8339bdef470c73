/* SPDX-License-Identifier: MIT */
/* Which bits of which entries are turned. */
#include "damage_private.h"

#define MOST_FLIPS 4

/* NULL: not in a frame that is handed out, where earlier damage may have led. */
static uint64_t *entry_at(const struct wp_runner *runner, uint64_t pa)
{
	if (!wp_memory_is_used(&runner->memory, wp_frame_of(&runner->memory, pa)))
		return NULL;
	return wp_memory_at(&runner->memory, pa, sizeof(uint64_t));
}

/*
 * LoongArch: the frame that all holes lead to, in entries that lead back to it. What
 * is in it means nothing to the library, and damage there is not in any table.
 */
static bool is_hole(const struct wp_runner *runner, const struct wp_step *step)
{
	const uint64_t address = 0x0000fffffffff000u;

	return runner->regime->arch == WP_LOONGARCH64 &&
	       (step->entry & address) == (step->entry_pa & address);
}

/*
 * An address that something is mapped at, most often; otherwise one beside it, so
 * that what gets damaged may be a hole.
 */
static uint64_t choose_address(struct wp_damaged *d, unsigned table)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(d->runner->model, table, &count);
	const struct wp_run *run;

	if (count == 0) {
		uint64_t first[2], last[2];

		wp_regime_ranges(d->runner->regime, first, last);
		return first[0];
	}
	run = &runs[wp_random_below(&d->random, count)];
	if (wp_random_below(&d->random, 6) == 0 &&
	    wp_regime_canonical(d->runner->regime, run->va + run->bytes))
		return run->va + run->bytes;
	return run->va +
	       (wp_random_below(&d->random, run->bytes) & ~(wp_regime_page(d->runner->regime) - 1));
}

/* Attributes are more often hit than address bits, of which there are so many. */
static unsigned choose_bit(struct wp_damaged *d)
{
	const unsigned bit = (unsigned)wp_random_below(&d->random, 64);

	if (bit < 12 || bit >= 52 || wp_random_below(&d->random, 3) == 0)
		return bit;
	return (unsigned)wp_random_below(&d->random, 12);
}

static void count_effect(struct wp_damaged *d, const struct wp_answer *before,
                         const struct wp_answer *after)
{
	struct wp_damage_stats *stats = d->stats;

	if (before->allowed == after->allowed && before->pa == after->pa)
		stats->same++;
	else if (after->allowed == 0)
		stats->broke++;
	else
		stats->moved++;
}

/* One bit of one entry on the way to an address. */
static void turn_one(struct wp_damaged *d, unsigned table)
{
	struct wp_runner *runner = d->runner;
	const uint64_t root = runner->subject->root(runner->instance, table);
	const uint64_t va = choose_address(d, table);
	struct wp_step steps[WP_MAX_STEPS];
	const size_t count = wp_paper_steps(runner->regime, &runner->memory, root, va, steps);
	struct wp_answer before, after;
	const struct wp_step *step;
	uint64_t *entry;

	if (count == 0)
		return;
	step = &steps[wp_random_below(&d->random, count)];
	entry = entry_at(runner, step->entry_pa);
	if (entry == NULL || is_hole(runner, step))
		return;
	wp_paper_walk(runner->regime, &runner->memory, root, va, &before);
	*entry ^= (uint64_t)1 << choose_bit(d);
	wp_paper_walk(runner->regime, &runner->memory, root, va, &after);
	count_effect(d, &before, &after);
	d->stats->flips++;
	if (d->count[table] < WP_DAMAGED_ADDRESSES)
		d->va[table][d->count[table]++] = va;
}

/* Before the damage: frames whose entries all lead back to themselves. */
static void find_holes(struct wp_damaged *d)
{
	const struct wp_memory *memory = &d->runner->memory;
	uint64_t pa = memory->base;

	for (size_t seen = 0; seen < memory->in_use && d->holes < WP_MODEL_TABLES;
	     pa += WP_FRAME_SIZE) {
		const uint64_t *entries = wp_memory_at(memory, pa, WP_FRAME_SIZE);

		if (!wp_memory_is_used(memory, pa))
			continue;
		seen++;
		if (entries[0] == pa && entries[1] == pa && entries[511] == pa)
			d->hole[d->holes++] = pa;
	}
}

bool wp_damage_reached_holes(const struct wp_damaged *d)
{
	for (size_t i = 0; i < d->holes; i++) {
		const uint64_t *entries = wp_memory_at(&d->runner->memory, d->hole[i],
		                                       WP_FRAME_SIZE);

		for (size_t k = 0; k < WP_FRAME_SIZE / sizeof *entries; k++) {
			if (entries[k] != d->hole[i])
				return true;
		}
	}
	return false;
}

void wp_damage_tables(struct wp_damaged *d)
{
	const uint64_t flips = 1 + wp_random_below(&d->random, MOST_FLIPS);

	if (d->runner->regime->arch == WP_LOONGARCH64)
		find_holes(d);
	for (uint64_t i = 0; i < flips; i++) {
		const unsigned table = (unsigned)wp_random_below(&d->random, WP_MODEL_TABLES);
		const unsigned other = WP_MODEL_TABLES - 1 - table;

		if (wp_model_exists(d->runner->model, table))
			turn_one(d, table);
		else if (wp_model_exists(d->runner->model, other))
			turn_one(d, other);
	}
}
