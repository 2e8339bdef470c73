/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

/* A signal handler has no other way to it. */
static struct guard {
	const struct wp_memory *memory;
	size_t size; /* that can't be written now */
	volatile sig_atomic_t stored;
	struct sigaction before;
} guard;

static void protect(int protection)
{
	mprotect(guard.memory->host, guard.size, protection);
}

/* What isn't a store to a table faults again, and then ends as it would have. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	const uint64_t offset = (uint64_t)(uintptr_t)info->si_addr -
	                        (uint64_t)(uintptr_t)guard.memory->host;

	(void)context;
	if (offset >= guard.size) {
		sigaction(signal, &guard.before, NULL);
		return;
	}
	guard.stored = 1;
	protect(PROT_READ | PROT_WRITE);
	guard.size = 0;
}

void wp_guard_over(const struct wp_memory *memory)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	if (guard.memory == NULL && memory == NULL)
		return;
	if (guard.memory != NULL)
		sigaction(SIGSEGV, &guard.before, NULL);
	guard.memory = memory;
	guard.size = 0;
	sigemptyset(&action.sa_mask);
	if (memory != NULL)
		sigaction(SIGSEGV, &action, &guard.before);
}

void wp_guard_begin(void)
{
	guard.stored = 0;
	if (guard.memory == NULL)
		return;
	guard.size = guard.memory->high_water * WP_FRAME_SIZE;
	protect(PROT_READ);
}

bool wp_guard_end(void)
{
	if (guard.memory == NULL)
		return false;
	if (guard.size != 0)
		protect(PROT_READ | PROT_WRITE);
	guard.size = 0;
	return guard.stored != 0;
}
