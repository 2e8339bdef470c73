/* SPDX-License-Identifier: MIT */
/*
 * A QEMU as a process: started, asked through the mailbox, watched, and never left
 * behind.
 */
#include "qemu_launch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000u

/* Without progress for so long, of QEMU's own time: it hangs; or of anybody's: it is stuck. */
#define HANG_NS     (500u * (uint64_t)MILLISECOND)
#define STUCK_NS    (5000u * (uint64_t)MILLISECOND)
#define START_NS    (2000u * (uint64_t)MILLISECOND)
#define STARTS      3
#define QUIT_NS     (1000u * (uint64_t)MILLISECOND)
#define SPIN_NS     60000u
#define NAP_NS      40000u
#define SAID_LENGTH 200u

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000u * MILLISECOND + (uint64_t)time.tv_nsec;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return nanoseconds(time);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* --- starting --- */

static bool has_ended(struct wp_qemu_process *process)
{
	if (waitpid(process->pid, NULL, WNOHANG) == 0)
		return false;
	process->pid = 0;
	return true;
}

static void kill_and_reap(struct wp_qemu_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	process->pid = 0;
}

/* QEMU's own words on why it ended, on one line. */
static void quote(int said, char *text)
{
	const ssize_t length = pread(said, text, SAID_LENGTH - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (text[0] == '\0')
		snprintf(text, SAID_LENGTH, "it says nothing");
}

/* What QEMU has computed so far: a busy host must not make it look hung. */
static uint64_t computed(const struct wp_qemu_process *process)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(process->pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
		return 0;
	return nanoseconds(time);
}

static bool await_firmware(struct wp_qemu_process *process, const char *program, int said,
                           char *why, size_t why_size)
{
	const uint64_t begun = now();
	char text[SAID_LENGTH];

	while (__atomic_load_n(&process->mailbox->magic, __ATOMIC_ACQUIRE) != WP_MAILBOX_MAGIC) {
		if (has_ended(process)) {
			quote(said, text);
			snprintf(why, why_size, "%s ended as it started: %s", program, text);
			return false;
		}
		if (now() - begun > START_NS &&
		    (computed(process) > START_NS || now() - begun > STARTS * STUCK_NS)) {
			quote(said, text);
			snprintf(why, why_size,
			         "the walker in %s does not start (exception %#" PRIx64
			         " at %#" PRIx64 "): %s",
			         program, process->mailbox->panic[0], process->mailbox->panic[1],
			         text);
			return false;
		}
		nap();
	}
	return true;
}

/* The number after `name` in QMP's greeting. */
static int number_after(const char *greeting, const char *name)
{
	const char *at = strstr(greeting, name);

	return at != NULL ? atoi(at + strlen(name)) : 0;
}

/* The version is in QMP's greeting, which is the first thing it sends. */
static void read_version(struct wp_qemu_process *process)
{
	struct pollfd greeted = {.fd = process->control, .events = POLLIN};
	ssize_t length = 0;
	char text[512];

	if (poll(&greeted, 1, 1000) > 0)
		length = recv(process->control, text, sizeof text - 1, MSG_DONTWAIT);
	text[length > 0 ? length : 0] = '\0';
	snprintf(process->version, sizeof process->version, "%d.%d.%d",
	         number_after(text, "\"major\":"), number_after(text, "\"minor\":"),
	         number_after(text, "\"micro\":"));
}

static size_t spoiled(const struct wp_qemu *qemu)
{
	const size_t window = qemu->machine.memory->size;

	return qemu->arch->spoils_end < window ? qemu->arch->spoils_end : window;
}

/* The end of the window, which some boards write as they start; NULL: this one doesn't. */
static uint8_t *save_end(const struct wp_qemu *qemu)
{
	const struct wp_memory *memory = qemu->machine.memory;
	const size_t size = spoiled(qemu);
	uint8_t *end = size > 0 ? malloc(size) : NULL;

	if (end != NULL)
		memcpy(end, memory->host + memory->size - size, size);
	return end;
}

static void restore_end(const struct wp_qemu *qemu, uint8_t *end)
{
	const struct wp_memory *memory = qemu->machine.memory;
	const size_t size = spoiled(qemu);

	if (end != NULL)
		memcpy(memory->host + memory->size - size, end, size);
	free(end);
}

static bool start_once(struct wp_qemu *qemu, unsigned model, char *why, size_t why_size)
{
	struct wp_qemu_process *process = &qemu->processes[model];
	struct wp_qemu_launch launch;
	uint8_t *end = save_end(qemu);
	bool started = false;

	wp_qemu_forget(process);
	if (!wp_qemu_open_files(&launch, qemu, process)) {
		snprintf(why, why_size, "no memory file for %s: %s", qemu->arch->program,
		         strerror(errno));
	} else {
		wp_qemu_command(&launch.command, qemu, model);
		process->owner = getpid();
		process->pid = wp_qemu_launch(&launch, process->memory, qemu->machine.memory->fd);
		if (process->pid < 0)
			snprintf(why, why_size, "can't fork: %s", strerror(errno));
		else
			started = await_firmware(process, qemu->program, launch.said, why,
			                         why_size);
	}
	wp_qemu_close_files(&launch);
	restore_end(qemu, end);
	if (!started) {
		kill_and_reap(process);
		wp_qemu_forget(process);
		return false;
	}
	qemu->starts++;
	read_version(process);
	return true;
}

/*
 * On a busy host one in some hundred QEMUs was seen that never came to run the
 * firmware; the next one does.
 */
bool wp_qemu_start(struct wp_qemu *qemu, unsigned model, char *why, size_t why_size)
{
	for (unsigned attempt = 0; attempt < STARTS; attempt++) {
		if (start_once(qemu, model, why, why_size))
			return true;
	}
	return false;
}

/* --- asking --- */

/* Since when the firmware, which notes each access, has not moved on. */
struct watch {
	uint32_t at;
	uint64_t since, computed;
};

static bool hangs(struct watch *watch, const struct wp_qemu_process *process, uint64_t time)
{
	const uint32_t at = __atomic_load_n(&process->mailbox->at, __ATOMIC_RELAXED);

	if (at != watch->at || watch->computed == 0) {
		*watch = (struct watch){at, time, computed(process)};
		return false;
	}
	if (time - watch->since < HANG_NS)
		return false;
	return time - watch->since > STUCK_NS || computed(process) - watch->computed > HANG_NS;
}

enum wp_qemu_end wp_qemu_exchange(struct wp_qemu_process *process)
{
	struct wp_mailbox *mailbox = process->mailbox;
	const uint32_t number = mailbox->asked + 1;
	const uint64_t begun = now();
	struct watch watch = {.at = mailbox->at};

	__atomic_store_n(&mailbox->asked, number, __ATOMIC_RELEASE);
	if (process->resting)
		kill(process->pid, SIGCONT);
	process->resting = false;
	for (unsigned turn = 1;; turn++) {
		uint64_t time;

		if (__atomic_load_n(&mailbox->done, __ATOMIC_ACQUIRE) == number)
			return WP_QEMU_DONE;
		if (turn % 64 != 0)
			continue;
		time = now();
		if (time - begun > SPIN_NS) {
			nap();
			if (has_ended(process))
				return WP_QEMU_DIED;
		}
		if (mailbox->panic[0] != 0 || hangs(&watch, process, time)) {
			kill_and_reap(process);
			return WP_QEMU_HUNG;
		}
	}
}

void wp_qemu_rest(struct wp_qemu_process *process)
{
	if (process->pid <= 0 || process->owner != getpid() || process->resting)
		return;
	kill(process->pid, SIGSTOP);
	process->resting = true;
}

void wp_qemu_stop(struct wp_qemu_process *process)
{
	static const char quit[] = "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"quit\"}";
	const uint64_t begun = now();

	if (process->pid > 0 && process->owner == getpid()) {
		if (process->resting)
			kill(process->pid, SIGCONT);
		if (send(process->control, quit, sizeof quit - 1, MSG_NOSIGNAL) > 0) {
			while (!has_ended(process) && now() - begun < QUIT_NS)
				nap();
		}
		kill_and_reap(process);
	}
	wp_qemu_forget(process);
}
