/* SPDX-License-Identifier: MIT */
/* Entries side by side in one table, so that machines are asked about many at once. */
#include "check_codec.h"

#include "model.h"

void wp_codec_collect(struct wp_codec_check *check, unsigned level)
{
	check->level = level;
	check->next = 0;
	check->count = 0;
}

/* The one that leads down stays as it is, and some of the root have no address. */
static bool is_free(const struct wp_codec_check *check, size_t slot)
{
	uint64_t va;

	return slot != check->tables.link[check->level] &&
	       wp_codec_va(&check->tables, check->level, slot, &va);
}

/* The next slot that is free; none: as many as there are. */
static size_t next_slot(const struct wp_codec_check *check)
{
	const size_t slots = wp_codec_slots(&check->tables, check->level);
	size_t slot = check->next;

	while (slot < slots && !is_free(check, slot))
		slot++;
	return slot;
}

size_t wp_codec_slot(struct wp_codec_check *check, size_t probes, unsigned line,
                     wp_codec_judge *judge)
{
	size_t slot = next_slot(check);

	if (check->count + probes > WP_CODEC_BATCH ||
	    slot == wp_codec_slots(&check->tables, check->level)) {
		wp_codec_ask(check, line, judge);
		slot = next_slot(check);
	}
	check->next = slot + 1;
	return slot;
}

void wp_codec_add(struct wp_codec_check *check, const struct wp_codec_case *what)
{
	check->cases[check->count++] = *what;
}

/* A leaf at the end of the chain, with all rights there are, for what is led there. */
static void put_leaf_below(const struct wp_codec_tables *tables)
{
	const pt_flags rwx = PT_READ | PT_WRITE | PT_EXECUTE, user = rwx | PT_USER;
	const unsigned last = wp_codec_last(tables);
	const pt_flags flags = wp_flags_expressible(tables->regime, user) ? user : rwx;
	const struct wp_codec_leaf leaf =
		wp_codec_encode(tables, last, flags, (uint64_t)9 << tables->levels[last].shift, 0);

	wp_codec_put(tables, last, tables->link[last], leaf.entry);
}

/* As no machine has touched them: CPUs set accessed and dirty bits. */
static void put_cases(const struct wp_codec_check *check)
{
	wp_codec_tables_reset(&check->tables);
	put_leaf_below(&check->tables);
	for (size_t i = 0; i < check->count; i++)
		wp_codec_put(&check->tables, check->level, check->cases[i].slot,
		             check->cases[i].entry);
}

/* False: there is none for the regime; and it is said why. */
static bool ask_machine(struct wp_codec_check *check, enum wp_machine_name name, unsigned line,
                        struct wp_answer *answers)
{
	const struct wp_regime *regime = check->tables.regime;
	struct wp_machine_set *set = check->machines;
	struct wp_machine *machine = set->machines[name][regime->arch];

	if (machine != NULL && machine->supports(machine, regime)) {
		put_cases(check);
		machine->load(machine, regime, check->tables.table[0]);
		machine->probe(machine, check->probes, answers, check->count);
		return true;
	}
	if (machine != NULL || (wp_machine_kinds[name].archs >> regime->arch & 1) == 0)
		wp_check_skipped(check->report, line, "%s has no %s", wp_machine_kinds[name].name,
		                 machine != NULL ? regime->name : wp_arch_name(regime->arch));
	else if ((set->without >> name & 1) != 0)
		wp_check_skipped(check->report, line, "left out");
	else if (wp_machine_kinds[name].open == NULL)
		wp_check_skipped(check->report, line, "not in this build");
	else
		wp_check_skipped(check->report, line, "%s", set->why[name]);
	return false;
}

void wp_codec_ask(struct wp_codec_check *check, unsigned line, wp_codec_judge *judge)
{
	const uint8_t kinds = wp_regime_kinds(check->tables.regime);

	put_cases(check);
	for (size_t i = 0; i < check->count; i++) {
		check->probes[i] = (struct wp_probe){check->cases[i].va, kinds};
		wp_codec_read(&check->tables, check->cases[i].va, &check->cases[i].reading);
	}
	for (unsigned name = WP_PAPER; name < WP_MACHINE_KINDS && check->count > 0; name++) {
		struct wp_answer *answers = name == WP_PAPER ? check->paper : check->answers;

		if (!ask_machine(check, (enum wp_machine_name)name, line + name, answers))
			continue;
		put_cases(check);
		for (size_t i = 0; i < check->count; i++)
			judge(check, &check->cases[i], (enum wp_machine_name)name, &check->paper[i],
			      &answers[i]);
	}
	wp_codec_collect(check, check->level);
}
