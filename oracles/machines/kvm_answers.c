/* SPDX-License-Identifier: MIT */
/*
 * What the outcomes of a batch's requests say.
 *
 * Where an access went, is seen in one of three ways. If it left memory, KVM says
 * where. If it should lead to a frame of the window that is no table, eight bytes
 * there are marked, and the access finds the mark or doesn't: that is as good as
 * the access itself. Else KVM is asked to translate the address, which is its own
 * walker even where the access was made by silicon.
 */
#include "kvm_batch.h"

#include <stdio.h>

void wp_kvm_note_failure(struct wp_kvm *kvm, const struct wp_kvm_batch *batch, size_t at,
                         const char *why)
{
	const struct wp_kvm_asked *asked = &batch->asked[at];

	wp_kvm_list(kvm)[at].outcome = WP_KVM_FAILED;
	kvm->machine.hangs++;
	snprintf(kvm->machine.hung_by, sizeof kvm->machine.hung_by, "a %s at %#llx: %s",
	         wp_kind_name((enum wp_kind)asked->kind),
	         (unsigned long long)batch->probes[asked->probe].va, why);
}

/* Where an access that was made went; 0: it can't be said, or is not where it should. */
static uint64_t where(const struct wp_kvm *kvm, const struct wp_kvm_batch *batch, size_t at)
{
	const struct wp_kvm_asked *asked = &batch->asked[at];
	const uint64_t va = batch->probes[asked->probe].va;
	const struct wp_kvm_mark *mark = batch->mark[asked->probe];
	uint64_t pa;

	if (batch->outside[at] != WP_KVM_NOT_OUTSIDE)
		return batch->outside[at] | va % WP_KVM_GRANULE;
	if (mark != NULL && wp_kvm_list(kvm)[at].value == mark->value)
		return batch->place[asked->probe].pa;
	pa = wp_kvm_translation(kvm, va);
	return mark != NULL && pa == batch->place[asked->probe].pa ? 0 : pa;
}

/*
 * If two kinds lead to different places, the first one's is the answer, and the
 * other counts as denied, so that the judge sees a difference.
 */
static void allow(const struct wp_kvm *kvm, const struct wp_kvm_batch *batch, size_t at,
                  struct wp_answer *answer)
{
	const unsigned kind = batch->asked[at].kind;

	if (kind % WP_KVM_ACCESSES != WP_KVM_EXECUTE) {
		const uint64_t pa = where(kvm, batch, at);

		if (answer->pa_unknown)
			answer->pa = pa;
		answer->pa_unknown = false;
		if (answer->pa != pa)
			return;
	}
	answer->allowed |= (uint8_t)(1u << kind);
}

/* SDM vol. 3, 4.7 and 6.15; WP_FAULT_UNKNOWN: nothing that a walk may end in. */
static enum wp_fault fault_of(const struct wp_kvm_request *request)
{
	const uint64_t present = 1, reserved = 1 << 3;

	if (request->outcome == 13)
		return WP_FAULT_ADDRESS;
	if (request->outcome != 14 || request->cr2 != request->va)
		return WP_FAULT_UNKNOWN;
	if ((request->error & present) == 0)
		return WP_FAULT_NOT_PRESENT;
	return (request->error & reserved) != 0 ? WP_FAULT_RESERVED : WP_FAULT_PERMISSION;
}

/* False: it ended in an exception that no access can raise. */
static bool collect(struct wp_kvm *kvm, const struct wp_kvm_batch *batch, size_t at)
{
	const struct wp_kvm_request *made = &wp_kvm_list(kvm)[at];
	const struct wp_kvm_asked *asked = &batch->asked[at];
	struct wp_answer *answer = &batch->answers[asked->probe];
	enum wp_fault fault;

	if (made->outcome == WP_KVM_PENDING || made->outcome == WP_KVM_FAILED)
		return true;
	fault = made->outcome == WP_KVM_DONE ? WP_FAULT_NONE : fault_of(made);
	if (fault == WP_FAULT_UNKNOWN) {
		wp_kvm_note_failure(kvm, batch, at, "an exception of another kind");
		return false;
	}
	if (!asked->wanted)
		return true;
	answer->answered |= (uint8_t)(1u << asked->kind);
	if (fault == WP_FAULT_NONE)
		allow(kvm, batch, at, answer);
	else if (answer->fault == WP_FAULT_NONE || answer->fault == WP_FAULT_PERMISSION)
		answer->fault = (uint8_t)fault;
	return true;
}

unsigned wp_kvm_collect(struct wp_kvm *kvm, const struct wp_kvm_batch *batch)
{
	const size_t all = batch->requests[WP_KVM_KERNEL] + batch->requests[WP_KVM_USER];
	unsigned failures = 0;

	for (size_t i = 0; i < batch->count; i++)
		batch->answers[i].pa_unknown = true;
	for (size_t at = 0; at < all; at++)
		failures += !collect(kvm, batch, at);
	for (size_t i = 0; i < batch->count; i++) {
		struct wp_answer *answer = &batch->answers[i];

		if (answer->allowed == 0)
			answer->pa_unknown = false;
		else if (answer->fault == WP_FAULT_PERMISSION)
			answer->fault = WP_FAULT_NONE;
	}
	return failures;
}
