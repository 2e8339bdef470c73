/* SPDX-License-Identifier: MIT */
/*
 * Private to the KVM machine: what its files share.
 *
 * The virtual machine's memory is the guest memory window, as it is, and a few
 * frames of the machine's own, for the stub. Its CR3 is the tested root: for the
 * time of a batch one entry of it that no probe uses is lent to the stub's tables.
 */
#ifndef WP_KVM_H
#define WP_KVM_H

#include <linux/kvm.h>
#include <sys/types.h>

#include "../machine.h"
#include "kvm_stub.h"

/* Where the stub's frames are, away from what anybody maps by chance. */
#define WP_KVM_STUB_PA 0xedcc00000u

/* What one batch holds: the rest of the probes waits for the next. */
#define WP_KVM_BATCH    256u
#define WP_KVM_REQUESTS (WP_KVM_BATCH * WP_KINDS)

enum wp_kvm_frame {
	WP_KVM_TABLES, /* of the stub: one for each level below the root */
	WP_KVM_TABLES_END = WP_KVM_TABLES + 4,
	WP_KVM_CODE = WP_KVM_TABLES_END,
	WP_KVM_SYSTEM, /* GDT, IDT, TSS */
	WP_KVM_KERNEL_STACK,
	WP_KVM_USER_STACK,
	WP_KVM_SURVEY_ROOT,
	WP_KVM_LEVER,
	WP_KVM_LIST,
	WP_KVM_FRAMES = WP_KVM_LIST + WP_KVM_REQUESTS * WP_KVM_REQUEST_SIZE / WP_FRAME_SIZE,
};
#define WP_KVM_STUB_SIZE ((uint64_t)WP_KVM_FRAMES * WP_FRAME_SIZE)

/* Beyond them, two places for one more frame: see wp_kvm_flush(). */
#define WP_KVM_LEVER_PA (WP_KVM_STUB_PA + WP_KVM_STUB_SIZE)
#define WP_KVM_STUB_END (WP_KVM_LEVER_PA + 2 * (uint64_t)WP_FRAME_SIZE)

enum wp_kvm_privilege {
	WP_KVM_KERNEL,
	WP_KVM_USER,
	WP_KVM_PRIVILEGES,
};

/* As the stub sees it. */
struct wp_kvm_request {
	uint64_t va;
	uint64_t routine; /* the stub's, as the list's privilege sees it */
	uint64_t outcome; /* a vector, or WP_KVM_DONE and such */
	uint64_t error;   /* code, of a fault */
	uint64_t cr2;
	uint64_t value; /* what was in memory */
	uint64_t unused[2];
};

_Static_assert(offsetof(struct wp_kvm_request, value) == WP_KVM_VALUE &&
                       sizeof(struct wp_kvm_request) == WP_KVM_REQUEST_SIZE,
               "the stub knows its place");

/* The virtual machine, once it is started. */
struct wp_kvm_vm {
	bool started;
	pid_t owner; /* the process: of no use to another */
	int device, vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
	struct kvm_sregs start; /* what the CPU came with */
	uint8_t *stub;          /* the frames at WP_KVM_STUB_PA */
	uint64_t base;          /* virtual: where the stub is now */
	unsigned lever;         /* which of the two places it is in */
	bool empty;             /* nothing ran since the last flush */
};

/* Where the tables say that an address leads, and whether it may be asked about. */
enum wp_kvm_reach {
	WP_KVM_UNSURE, /* through an entry of a quirk, or through or to the stub: not asked */
	WP_KVM_NOWHERE,
	WP_KVM_INSIDE, /* to the window */
	WP_KVM_OUTSIDE,
};

struct wp_kvm_place {
	enum wp_kvm_reach reach;
	uint64_t pa;
};

struct wp_kvm_batch;

struct wp_kvm {
	struct wp_machine machine; /* first: a machine is cast to this */
	const struct wp_regime *regime;
	uint64_t root;
	unsigned pa_bits;          /* MAXPHYADDR of the virtual CPU */
	bool gigapages;            /* it knows leaves of 1 GiB */
	bool five_levels;          /* and CR4.LA57 */
	bool walks_itself;         /* KVM does, and not the CPU */
	bool pvm;                  /* and without hardware support for anything */
	bool surveyed;             /* see wp_kvm_survey() */
	uint64_t refused[8];       /* by it: a set of the root's entries */
	unsigned patience;         /* milliseconds for one list */
	struct wp_quirk quirks[4]; /* those of this host */
	struct wp_kvm_vm vm;       /* started when there is something to ask */
	struct wp_kvm_batch *batch;
	uint64_t *tables; /* a set of the window's frames: the batch's tables */
};

static inline struct wp_kvm *wp_kvm_of(struct wp_machine *machine)
{
	return (struct wp_kvm *)machine;
}

/* --- the virtual machine --- */

/* Where the host's KVM is; a test may look elsewhere. */
extern const char *wp_kvm_device;

/* Starts it, unless this process has. False: `why` says what failed. */
bool wp_kvm_start(struct wp_kvm *kvm, char *why, size_t why_size);
void wp_kvm_stop(struct wp_kvm *kvm);

/* Drops all translations. False: it had to be stopped. */
bool wp_kvm_flush(struct wp_kvm *kvm);

/* The stub's tables are in the loaded root's entry `slot` from now on. */
bool wp_kvm_enter(struct wp_kvm *kvm, unsigned slot);

/*
 * Which of the 512 root entries KVM keeps from the user, whatever they are: a KVM
 * without hardware support may need a part of each address space for itself.
 */
bool wp_kvm_survey(struct wp_kvm *kvm);

/* Of a virtual machine just started. */
bool wp_kvm_knows_five_levels(struct wp_kvm *kvm);

/* An entry for a root that leads to the stub's tables. */
uint64_t wp_kvm_lent_entry(const struct wp_kvm *kvm);

/* Once: NULL, or the step that failed and errno. */
const char *wp_kvm_prepare_cpu(struct wp_kvm *kvm);

/* Ready to run this part of the list. */
bool wp_kvm_set_list(struct wp_kvm *kvm, enum wp_kvm_privilege privilege, size_t first, size_t end);

struct wp_kvm_request *wp_kvm_list(const struct wp_kvm *kvm);

/* The address of one of the stub's routines for a privilege. */
uint64_t wp_kvm_routine(const struct wp_kvm *kvm, enum wp_kvm_privilege privilege,
                        const uint8_t *routine);
extern const uint8_t wp_kvm_stub[], wp_kvm_stub_read[], wp_kvm_stub_write[], wp_kvm_stub_execute[],
	wp_kvm_stub_execute_hole[];

/*
 * Runs requests [first, end) of the list; outside[i] is where request i left
 * memory, if it did. False: it stopped at a request, which is still pending, and
 * had to be given up; `why` says what happened.
 */
bool wp_kvm_run(struct wp_kvm *kvm, enum wp_kvm_privilege privilege, size_t first, size_t end,
                uint64_t *outside, char *why, size_t why_size);

/* No physical address: nothing was seen outside. */
#define WP_KVM_NOT_OUTSIDE UINT64_MAX

/* As the virtual machine itself translates `va` for a read by the kernel; 0: not. */
uint64_t wp_kvm_translation(const struct wp_kvm *kvm, uint64_t va);

/* --- the tables, as the host sees them --- */

/* Marks each frame of the window that is a table on the way in the set `tables`. */
struct wp_kvm_place wp_kvm_place(const struct wp_kvm *kvm, uint64_t va, uint64_t *tables);

/* Those that this host's KVM has. */
void wp_kvm_list_quirks(struct wp_kvm *kvm);

/* wp_machine.probe */
void wp_kvm_probe(struct wp_machine *machine, const struct wp_probe *probes,
                  struct wp_answer *answers, size_t count);

#endif
