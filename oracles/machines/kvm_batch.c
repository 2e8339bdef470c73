/* SPDX-License-Identifier: MIT */
/*
 * A batch of probes: what is asked of the virtual machine, what is lent and marked
 * in guest memory meanwhile. kvm_answers.c tells what the outcomes say.
 */
#include "kvm_batch.h"

#include <assert.h>
#include <string.h>

#define RET 0xc3u

/* So many requests that go wrong are enough for one batch. */
#define MAX_FAILURES 4u

static const uint8_t *const routines[WP_KVM_ACCESSES] = {
	wp_kvm_stub_read,
	wp_kvm_stub_write,
	wp_kvm_stub_execute,
};

/* --- choosing the probes and the slot --- */

/*
 * The root may be any table of a walk that leads back to it, so no 9-bit field of
 * a probe may be the lent entry's index.
 */
static void take_fields(const struct wp_kvm *kvm, uint64_t va, uint64_t taken[8])
{
	for (unsigned level = 0; level < kvm->regime->levels; level++) {
		const unsigned field = (unsigned)(va >> (12 + 9 * level)) & 511;

		taken[field / 64] |= (uint64_t)1 << field % 64;
	}
}

/* The highest index that is not taken; 512: all are. */
static unsigned free_slot(const uint64_t taken[8])
{
	for (unsigned i = 8; i-- > 0;) {
		if (~taken[i] != 0)
			return i * 64 + 63 - (unsigned)__builtin_clzll(~taken[i]);
	}
	return 512;
}

/* As many of the probes as leave a slot free. */
static void choose(const struct wp_kvm *kvm, struct wp_kvm_batch *batch, size_t available)
{
	uint64_t taken[8];

	memcpy(taken, kvm->refused, sizeof taken);
	batch->count = 0;
	while (batch->count < available && batch->count < WP_KVM_BATCH) {
		unsigned slot;

		take_fields(kvm, batch->probes[batch->count].va, taken);
		slot = free_slot(taken);
		if (slot == 512)
			return;
		batch->slot = slot;
		batch->count++;
	}
}

/* --- marks --- */

/*
 * NULL: the place is no plain data. Whether a frame is a table of any probe must
 * be known by now.
 */
static struct wp_kvm_mark *mark_at(const struct wp_kvm *kvm, struct wp_kvm_batch *batch,
                                   const struct wp_kvm_place *place)
{
	const uint64_t pa = place->pa & ~(uint64_t)(WP_KVM_GRANULE - 1);
	const uint64_t index = (pa - kvm->machine.memory->base) / WP_FRAME_SIZE;

	if (place->reach != WP_KVM_INSIDE || (kvm->tables[index / 64] >> index % 64 & 1) != 0)
		return NULL;
	for (size_t i = 0; i < batch->mark_count; i++) {
		if (batch->marks[i].pa == pa)
			return &batch->marks[i];
	}
	batch->marks[batch->mark_count] = (struct wp_kvm_mark){.pa = pa};
	return &batch->marks[batch->mark_count++];
}

/* A RET wherever one is executed, and the mark's number in what is left. */
static uint64_t mark_value(const struct wp_kvm_mark *mark, size_t number)
{
	uint8_t bytes[WP_KVM_GRANULE];
	uint8_t fill = (uint8_t)number;
	uint64_t value;

	for (unsigned i = 0; i < WP_KVM_GRANULE; i++) {
		bytes[i] = mark->returns >> i & 1 ? RET : fill;
		if (bytes[i] == fill)
			fill = (uint8_t)~number;
	}
	memcpy(&value, bytes, sizeof value);
	return value;
}

static void set_marks(const struct wp_kvm *kvm, struct wp_kvm_batch *batch)
{
	for (size_t i = 0; i < batch->mark_count; i++) {
		struct wp_kvm_mark *mark = &batch->marks[i];
		uint64_t *at = wp_memory_at(kvm->machine.memory, mark->pa, WP_KVM_GRANULE);

		mark->saved = *at;
		mark->value = mark_value(mark, i);
		*at = mark->value;
	}
}

static void remove_marks(const struct wp_kvm *kvm, const struct wp_kvm_batch *batch)
{
	for (size_t i = 0; i < batch->mark_count; i++) {
		const struct wp_kvm_mark *mark = &batch->marks[i];
		uint64_t *at = wp_memory_at(kvm->machine.memory, mark->pa, WP_KVM_GRANULE);

		*at = mark->saved;
	}
}

/* --- requests --- */

static void place_all(struct wp_kvm *kvm, struct wp_kvm_batch *batch)
{
	memset(kvm->tables, 0, (kvm->machine.memory->frames / 64 + 1) * sizeof *kvm->tables);
	batch->mark_count = 0;
	for (size_t i = 0; i < batch->count; i++)
		batch->place[i] = wp_kvm_place(kvm, batch->probes[i].va, kvm->tables);
	for (size_t i = 0; i < batch->count; i++)
		batch->mark[i] = mark_at(kvm, batch, &batch->place[i]);
}

/*
 * What would be executed must be a mark's RET. Where nothing is, there must be a
 * fault, and a read tells first whether there is. Outside of memory an execution
 * ends in KVM's emulator.
 */
static bool may_execute(const struct wp_kvm_batch *batch, size_t probe)
{
	return batch->mark[probe] != NULL || batch->place[probe].reach == WP_KVM_NOWHERE;
}

static void request(struct wp_kvm *kvm, struct wp_kvm_batch *batch, size_t at, size_t probe,
                    enum wp_kind kind)
{
	const enum wp_kvm_privilege privilege = kind >= WP_USER_READ ? WP_KVM_USER : WP_KVM_KERNEL;
	const uint64_t va = batch->probes[probe].va;
	const unsigned access = (unsigned)kind % WP_KVM_ACCESSES;
	const uint8_t *routine = routines[access];

	if (access == WP_KVM_EXECUTE && batch->mark[probe] != NULL)
		batch->mark[probe]->returns |= (uint8_t)(1u << va % WP_KVM_GRANULE);
	else if (access == WP_KVM_EXECUTE)
		routine = wp_kvm_stub_execute_hole;
	wp_kvm_list(kvm)[at] = (struct wp_kvm_request){
		.va = access == WP_KVM_EXECUTE ? va : va & ~(uint64_t)(WP_KVM_GRANULE - 1),
		.routine = wp_kvm_routine(kvm, privilege, routine),
		.outcome = WP_KVM_PENDING,
	};
	batch->outside[at] = WP_KVM_NOT_OUTSIDE;
	batch->asked[at] = (struct wp_kvm_asked){
		.probe = (uint16_t)probe,
		.kind = (uint8_t)kind,
		.wanted = (batch->probes[probe].kinds >> kind & 1) != 0,
	};
}

/* KVM answers before the tables could. */
static bool user_is_refused(const struct wp_kvm *kvm, uint64_t va)
{
	const unsigned index = (unsigned)(va >> 39) & 511;

	return (kvm->refused[index / 64] >> index % 64 & 1) != 0 &&
	       wp_regime_canonical(kvm->regime, va) && !kvm->machine.incautious;
}

/* One privilege's requests for one probe, from `at` on; returns how many. */
static size_t request_probe(struct wp_kvm *kvm, struct wp_kvm_batch *batch, size_t at, size_t probe,
                            enum wp_kvm_privilege privilege)
{
	const unsigned first = privilege == WP_KVM_USER ? WP_USER_READ : WP_KERNEL_READ;
	unsigned kinds = batch->probes[probe].kinds >> first & ((1u << WP_KVM_ACCESSES) - 1);
	const bool hole = batch->mark[probe] == NULL;
	size_t count = 0;

	if (batch->place[probe].reach == WP_KVM_UNSURE ||
	    (privilege == WP_KVM_USER && user_is_refused(kvm, batch->probes[probe].va)))
		return 0;
	if (!may_execute(batch, probe))
		kinds &= ~(1u << WP_KVM_EXECUTE);
	if ((kinds >> WP_KVM_EXECUTE & 1) != 0 && hole) {
		/* the write after the read would stand between them */
		request(kvm, batch, at + count++, probe, (enum wp_kind)(first + WP_KVM_READ));
		request(kvm, batch, at + count++, probe, (enum wp_kind)(first + WP_KVM_EXECUTE));
		kinds &= 1u << WP_KVM_WRITE;
	}
	for (unsigned access = WP_KVM_READ; access < WP_KVM_ACCESSES; access++) {
		if ((kinds >> access & 1) != 0)
			request(kvm, batch, at + count++, probe, (enum wp_kind)(first + access));
	}
	return count;
}

/* The kernel's first, then the user's. */
static void request_all(struct wp_kvm *kvm, struct wp_kvm_batch *batch)
{
	size_t at = 0;

	for (unsigned privilege = 0; privilege < WP_KVM_PRIVILEGES; privilege++) {
		const size_t first = at;

		for (size_t i = 0; i < batch->count; i++)
			at += request_probe(kvm, batch, at, i, (enum wp_kvm_privilege)privilege);
		batch->requests[privilege] = at - first;
	}
}

/* --- running --- */

/* Past requests that go wrong; returns how many did. */
static unsigned run_list(struct wp_kvm *kvm, struct wp_kvm_batch *batch,
                         enum wp_kvm_privilege privilege, size_t first, size_t end)
{
	unsigned failures = 0;
	char why[80];

	while (first < end && failures < MAX_FAILURES) {
		if (wp_kvm_run(kvm, privilege, first, end, batch->outside, why, sizeof why))
			break;
		while (first < end && wp_kvm_list(kvm)[first].outcome != WP_KVM_PENDING)
			first++;
		if (first == end || !wp_kvm_enter(kvm, batch->slot))
			return MAX_FAILURES;
		wp_kvm_note_failure(kvm, batch, first++, why);
		failures++;
	}
	return failures;
}

static unsigned run_all(struct wp_kvm *kvm, struct wp_kvm_batch *batch)
{
	const size_t kernel = batch->requests[WP_KVM_KERNEL];
	const size_t all = kernel + batch->requests[WP_KVM_USER];
	unsigned failures = run_list(kvm, batch, WP_KVM_KERNEL, 0, kernel);

	if (failures < MAX_FAILURES)
		failures += run_list(kvm, batch, WP_KVM_USER, kernel, all);
	return failures;
}

/* --- a batch --- */

/* All that is changed in guest memory is put back. */
static void ask(struct wp_kvm *kvm, struct wp_kvm_batch *batch, uint64_t *root)
{
	unsigned failures = MAX_FAILURES;
	const uint64_t lent = root[batch->slot];

	set_marks(kvm, batch);
	root[batch->slot] = wp_kvm_lent_entry(kvm);
	if (wp_kvm_flush(kvm)) {
		failures = run_all(kvm, batch);
		failures += wp_kvm_collect(kvm, batch);
	}
	root[batch->slot] = lent;
	remove_marks(kvm, batch);
	if (failures != 0)
		wp_kvm_stop(kvm);
}

void wp_kvm_probe(struct wp_machine *machine, const struct wp_probe *probes,
                  struct wp_answer *answers, size_t count)
{
	struct wp_kvm *kvm = wp_kvm_of(machine);
	struct wp_kvm_batch *batch = kvm->batch;
	uint64_t *root = wp_memory_at(machine->memory, kvm->root, WP_FRAME_SIZE);
	char why[200];

	assert(kvm->regime != NULL);
	for (size_t i = 0; i < count; i++)
		answers[i] = (struct wp_answer){.level = 0xff, .memory_type = WP_TYPE_UNKNOWN};
	if (root == NULL || !wp_kvm_start(kvm, why, sizeof why) ||
	    (kvm->pvm && !kvm->surveyed && !wp_kvm_survey(kvm)))
		return;
	for (size_t done = 0; done < count; done += batch->count) {
		batch->probes = probes + done;
		batch->answers = answers + done;
		choose(kvm, batch, count - done);
		if (!wp_kvm_start(kvm, why, sizeof why) || !wp_kvm_enter(kvm, batch->slot))
			return;
		place_all(kvm, batch);
		request_all(kvm, batch);
		ask(kvm, batch, root);
	}
}
