/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine's life: made, run for a list of requests, given up when it
 * doesn't come back. A process that was forked makes its own: KVM serves only the
 * process that made one, and what the parent has is not touched.
 */
#define _GNU_SOURCE
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* glibc before 2.41 has no name for it */
#define sigev_notify_thread_id _sigev_un._tid
#endif

const char *wp_kvm_device = "/dev/kvm";

enum {
	SLOT_WINDOW,
	SLOT_STUB,
	SLOT_LEVER,
};

static bool set_memory(const struct wp_kvm *kvm, unsigned slot, uint64_t pa, uint64_t size,
                       const uint8_t *host)
{
	const struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = pa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(kvm->vm.vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static bool set_lever(const struct wp_kvm *kvm)
{
	return set_memory(kvm, SLOT_LEVER, WP_KVM_LEVER_PA + kvm->vm.lever * WP_FRAME_SIZE,
	                  WP_FRAME_SIZE, kvm->vm.stub + WP_KVM_LEVER * WP_FRAME_SIZE);
}

/* --- start and stop --- */

/* A child of fork() has the parent's descriptors, and not the mappings. */
static void abandon(struct wp_kvm_vm *vm)
{
	if (vm->vcpu >= 0)
		close(vm->vcpu);
	if (vm->vm >= 0)
		close(vm->vm);
	if (vm->device >= 0)
		close(vm->device);
	*vm = (struct wp_kvm_vm){.device = -1, .vm = -1, .vcpu = -1};
}

void wp_kvm_stop(struct wp_kvm *kvm)
{
	struct wp_kvm_vm *vm = &kvm->vm;

	if (vm->owner == getpid()) {
		if (vm->run != NULL)
			munmap(vm->run, vm->run_size);
		if (vm->stub != NULL)
			munmap(vm->stub, WP_KVM_STUB_SIZE);
	}
	abandon(vm);
}

/* Zeroed or as the descriptor has it, and not inherited. */
static void *map(size_t size, int fd)
{
	const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (mapped == MAP_FAILED)
		return NULL;
	if (madvise(mapped, size, MADV_DONTFORK) == 0)
		return mapped;
	munmap(mapped, size);
	return NULL;
}

/* NULL: all went well; else the step that didn't, and errno. */
static const char *make(struct wp_kvm *kvm)
{
	struct wp_kvm_vm *vm = &kvm->vm;
	const struct wp_memory *memory = kvm->machine.memory;
	int size;

	vm->device = open(wp_kvm_device, O_RDWR | O_CLOEXEC);
	if (vm->device < 0)
		return "open";
	vm->vm = ioctl(vm->device, KVM_CREATE_VM, 0);
	if (vm->vm < 0)
		return "KVM_CREATE_VM";
	vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0)
		return "KVM_CREATE_VCPU";
	if (ioctl(vm->device, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return "KVM_GET_API_VERSION";
	size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof *vm->run)
		return "KVM_GET_VCPU_MMAP_SIZE";
	vm->run_size = (size_t)size;
	vm->run = map(vm->run_size, vm->vcpu);
	vm->stub = map(WP_KVM_STUB_SIZE, -1);
	if (vm->run == NULL || vm->stub == NULL)
		return "mmap";
	if (!set_memory(kvm, SLOT_STUB, WP_KVM_STUB_PA, WP_KVM_STUB_SIZE, vm->stub) ||
	    !set_memory(kvm, SLOT_WINDOW, memory->base, memory->size, memory->host) ||
	    !set_lever(kvm))
		return "KVM_SET_USER_MEMORY_REGION";
	return wp_kvm_prepare_cpu(kvm);
}

bool wp_kvm_start(struct wp_kvm *kvm, char *why, size_t why_size)
{
	struct wp_kvm_vm *vm = &kvm->vm;
	const char *failed;

	if (vm->started && vm->owner == getpid())
		return true;
	abandon(vm);
	vm->owner = getpid();
	failed = make(kvm);
	if (failed == NULL) {
		vm->started = true;
		vm->empty = true;
		return true;
	}
	snprintf(why, why_size, "KVM can't start a virtual machine: %s: %s", failed,
	         strerror(errno));
	wp_kvm_stop(kvm);
	return false;
}

/*
 * KVM without hardware support keeps shadows of the tables and doesn't see the
 * host write them; with it, the CPU's TLB may hold what they were. Both are
 * dropped, for all memory, when a part of it is moved (the KVM API document,
 * "KVM_X86_QUIRK_SLOT_ZAP_ALL"): so there is one frame that serves nothing else.
 */
bool wp_kvm_flush(struct wp_kvm *kvm)
{
	if (kvm->vm.empty)
		return true;
	kvm->vm.lever ^= 1;
	kvm->vm.empty = set_lever(kvm);
	if (!kvm->vm.empty)
		wp_kvm_stop(kvm);
	return kvm->vm.empty;
}

/* --- running --- */

/*
 * A virtual machine that hangs is interrupted by a signal that is blocked but in
 * KVM_RUN, so that no handler of anybody's ever sees it, and no timer or handler
 * of the program is used.
 */
struct watchdog {
	timer_t timer;
	sigset_t signal;
	sigset_t before; /* the thread's mask */
};

static int watchdog_signal(void)
{
	return SIGRTMAX - 2;
}

/* struct kvm_signal_mask: the length of the kernel's own mask, and that. */
static bool set_run_mask(const struct wp_kvm *kvm, const sigset_t *mask)
{
	uint32_t argument[3] = {8};

	memcpy(&argument[1], mask, 8);
	return ioctl(kvm->vm.vcpu, KVM_SET_SIGNAL_MASK, argument) == 0;
}

static bool watch(const struct wp_kvm *kvm, struct watchdog *watchdog)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = watchdog_signal(),
	};
	const struct itimerspec limit = {
		.it_value = {kvm->patience / 1000, kvm->patience % 1000 * 1000000L},
	};
	sigset_t in_run;

	event.sigev_notify_thread_id = gettid();
	sigemptyset(&watchdog->signal);
	sigaddset(&watchdog->signal, watchdog_signal());
	pthread_sigmask(SIG_BLOCK, &watchdog->signal, &watchdog->before);
	in_run = watchdog->before;
	sigdelset(&in_run, watchdog_signal());
	if (set_run_mask(kvm, &in_run) &&
	    timer_create(CLOCK_MONOTONIC, &event, &watchdog->timer) == 0) {
		if (timer_settime(watchdog->timer, 0, &limit, NULL) == 0)
			return true;
		timer_delete(watchdog->timer);
	}
	pthread_sigmask(SIG_SETMASK, &watchdog->before, NULL);
	return false;
}

static bool expired(const struct watchdog *watchdog)
{
	const struct timespec now = {0};

	return sigtimedwait(&watchdog->signal, NULL, &now) > 0;
}

static void unwatch(const struct watchdog *watchdog)
{
	timer_delete(watchdog->timer);
	expired(watchdog);
	pthread_sigmask(SIG_SETMASK, &watchdog->before, NULL);
}

/* The access left memory: says where, and lets it read zeros or write nothing. */
static void answer_outside(const struct wp_kvm *kvm, size_t *at, size_t end, uint64_t *outside)
{
	const struct wp_kvm_request *list = wp_kvm_list(kvm);

	while (*at < end && list[*at].outcome != WP_KVM_PENDING)
		(*at)++;
	if (*at < end && outside[*at] == WP_KVM_NOT_OUTSIDE)
		outside[*at] = kvm->vm.run->mmio.phys_addr;
	memset(kvm->vm.run->mmio.data, 0, sizeof kvm->vm.run->mmio.data);
}

/* Until the stub is through, or something else happens: then `why` says what. */
static bool run_to_doorbell(struct wp_kvm *kvm, const struct watchdog *watchdog, size_t first,
                            size_t end, uint64_t *outside, char *why, size_t why_size)
{
	const struct kvm_run *run = kvm->vm.run;
	size_t at = first;

	for (;;) {
		if (ioctl(kvm->vm.vcpu, KVM_RUN, 0) != 0) {
			if (errno == EINTR && !expired(watchdog))
				continue;
			snprintf(why, why_size, "%s",
			         errno == EINTR ? "it does not come back" : strerror(errno));
			return false;
		}
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == WP_KVM_DOORBELL)
			return true;
		if (run->exit_reason != KVM_EXIT_MMIO) {
			snprintf(why, why_size, "exit %u, %u", run->exit_reason,
			         run->exit_reason == KVM_EXIT_INTERNAL_ERROR
			                 ? run->internal.suberror
			                 : 0);
			return false;
		}
		answer_outside(kvm, &at, end, outside);
	}
}

bool wp_kvm_run(struct wp_kvm *kvm, enum wp_kvm_privilege privilege, size_t first, size_t end,
                uint64_t *outside, char *why, size_t why_size)
{
	struct watchdog watchdog = {0};
	bool finished = false;

	if (!wp_kvm_set_list(kvm, privilege, first, end) || !watch(kvm, &watchdog)) {
		snprintf(why, why_size, "%s", strerror(errno));
	} else {
		kvm->vm.empty = false;
		finished = run_to_doorbell(kvm, &watchdog, first, end, outside, why, why_size);
		unwatch(&watchdog);
	}
	return finished;
}

uint64_t wp_kvm_translation(const struct wp_kvm *kvm, uint64_t va)
{
	struct kvm_translation translation = {.linear_address = va};

	if (ioctl(kvm->vm.vcpu, KVM_TRANSLATE, &translation) != 0 || !translation.valid)
		return 0;
	return translation.physical_address;
}
