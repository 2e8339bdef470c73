/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

bool wp_reading_open(struct wp_reading *reading, const struct wp_memory *memory,
                     const struct pt_platform *platform)
{
	void *view = mmap(NULL, memory->size, PROT_READ, MAP_SHARED | MAP_POPULATE, memory->fd, 0);

	if (view == MAP_FAILED)
		return false;
	*reading = (struct wp_reading){memory, view, *platform};
	reading->platform.direct_base = view;
	return true;
}

void wp_reading_close(struct wp_reading *reading)
{
	if (reading->view != NULL)
		munmap(reading->view, reading->memory->size);
	reading->view = NULL;
}

/* The work at hand; a signal handler has no other way to it. */
static struct watch {
	const struct wp_reading *reading;
	bool crashes;
	enum wp_watched came_to;
	uint64_t address;
	struct sigaction before_segv, before_bus;
	sigjmp_buf back;
} watch;

static void restore_handlers(void)
{
	sigaction(SIGSEGV, &watch.before_segv, NULL);
	sigaction(SIGBUS, &watch.before_bus, NULL);
}

/* Nothing of the work is in the kernel or holds a lock: an entry was stored to, or read. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	const uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
	const uint64_t view = (uint64_t)(uintptr_t)watch.reading->view;
	const uint64_t size = watch.reading->memory->size;
	const bool store = view != 0 && address - view < size;

	(void)signal;
	(void)context;
	if (!store && !watch.crashes) {
		restore_handlers(); /* it faults again, and then ends as it would have */
		return;
	}
	watch.came_to = store ? WP_WATCHED_STORE : WP_WATCHED_CRASH;
	watch.address = store ? watch.reading->memory->base + (address - view) : address;
	siglongjmp(watch.back, 1);
}

enum wp_watched wp_reading_watch(const struct wp_reading *reading, bool crashes,
                                 void (*work)(void *context), void *context, uint64_t *address)
{
	/* test frameworks and engines have handlers of their own: ours is there for the work only */
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigemptyset(&action.sa_mask);
	watch.reading = reading;
	watch.crashes = crashes;
	watch.came_to = WP_WATCHED_FINE;
	sigaction(SIGSEGV, &action, &watch.before_segv);
	sigaction(SIGBUS, &action, &watch.before_bus);
	if (sigsetjmp(watch.back, 0) == 0)
		work(context);
	restore_handlers();
	*address = watch.address;
	return watch.came_to;
}

void wp_reading_leave(void)
{
	watch.came_to = WP_WATCHED_LEFT;
	siglongjmp(watch.back, 1);
}
