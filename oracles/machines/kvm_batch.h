/* SPDX-License-Identifier: MIT */
/* Private to the KVM machine: what a batch of probes needs while it is asked. */
#ifndef WP_KVM_BATCH_H
#define WP_KVM_BATCH_H

#include "kvm.h"

/* A kind is one of these by one of the privileges. */
enum wp_kvm_access {
	WP_KVM_READ,
	WP_KVM_WRITE,
	WP_KVM_EXECUTE,
	WP_KVM_ACCESSES,
};

/* What is read, written and marked at once. */
#define WP_KVM_GRANULE 8u

/* What a request is for. */
struct wp_kvm_asked {
	uint16_t probe;
	uint8_t kind;
	bool wanted; /* else it only tells whether the next one may be made */
};

/* A granule of the window that has other contents for the time of a batch. */
struct wp_kvm_mark {
	uint64_t pa;
	uint64_t saved;
	uint64_t value;
	uint8_t returns; /* the bytes that are a RET */
};

struct wp_kvm_batch {
	const struct wp_probe *probes;
	struct wp_answer *answers;
	size_t count;
	unsigned slot; /* of the root, lent */
	struct wp_kvm_place place[WP_KVM_BATCH];
	struct wp_kvm_mark *mark[WP_KVM_BATCH]; /* where the probe leads; NULL: none */
	struct wp_kvm_mark marks[WP_KVM_BATCH];
	size_t mark_count;
	struct wp_kvm_asked asked[WP_KVM_REQUESTS];
	uint64_t outside[WP_KVM_REQUESTS]; /* where the request left memory */
	size_t requests[WP_KVM_PRIVILEGES];
};

/* A request that has to be given up. */
void wp_kvm_note_failure(struct wp_kvm *kvm, const struct wp_kvm_batch *batch, size_t at,
                         const char *why);

/* Fills in the answers; returns how many requests went wrong in a way nobody noticed yet. */
unsigned wp_kvm_collect(struct wp_kvm *kvm, const struct wp_kvm_batch *batch);

#endif
