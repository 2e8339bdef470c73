/* SPDX-License-Identifier: MIT */
/*
 * The child that becomes a QEMU. It dies with the thread that started it
 * (PR_SET_PDEATHSIG), whatever ends that one.
 */
#define _GNU_SOURCE /* memfd_create */
#include "qemu_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int memory_file(const char *name, uint64_t size)
{
	const int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int firmware_file(const struct wp_firmware *firmware)
{
	const size_t size = (size_t)(firmware->end - firmware->start);
	const int fd = memory_file("firmware", 0);

	if (fd >= 0 && write(fd, firmware->start, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	return fd;
}

bool wp_qemu_open_files(struct wp_qemu_launch *launch, const struct wp_qemu *qemu,
                        struct wp_qemu_process *process)
{
	*launch = (struct wp_qemu_launch){.firmware = -1, .control = {-1, -1}, .said = -1};
	process->memory = memory_file("qemu-ram", qemu->arch->ram_size);
	launch->firmware = firmware_file(qemu->arch->firmware);
	launch->said = memory_file("qemu-said", 0);
	if (process->memory < 0 || launch->firmware < 0 || launch->said < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, launch->control) != 0)
		return false;
	process->control = launch->control[0];
	process->mailbox = mmap(NULL, sizeof *process->mailbox, PROT_READ | PROT_WRITE, MAP_SHARED,
	                        process->memory, WP_MAILBOX_OFFSET);
	return process->mailbox != MAP_FAILED;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void wp_qemu_close_files(struct wp_qemu_launch *launch)
{
	close_if_open(&launch->firmware);
	close_if_open(&launch->control[1]);
	close_if_open(&launch->said);
	wp_qemu_command_free(&launch->command);
}

void wp_qemu_forget(struct wp_qemu_process *process)
{
	if (process->mailbox != NULL && process->mailbox != MAP_FAILED)
		munmap(process->mailbox, sizeof *process->mailbox);
	process->mailbox = NULL;
	close_if_open(&process->control);
	close_if_open(&process->memory);
	process->pid = 0;
	process->resting = false;
}

/* `from` may be among the target numbers of others: first all out of their way. */
static void become_qemu(const struct wp_qemu_launch *launch, int ram, int window, pid_t parent)
{
	const int from[] = {ram, window, launch->firmware, launch->control[1], launch->said};
	int high[5];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setsid();
	for (size_t i = 0; i < 5; i++)
		high[i] = fcntl(from[i], F_DUPFD, 64);
	for (int i = 0; i < 4; i++)
		dup2(high[i], FD_RAM + i);
	dup2(high[4], STDOUT_FILENO);
	dup2(high[4], STDERR_FILENO);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	syscall(SYS_close_range, 3, FD_RAM - 1, 0);
	syscall(SYS_close_range, FD_FIRST_OTHER, ~0u, 0);
	execv(launch->command.argument[0], launch->command.argument);
	dprintf(STDERR_FILENO, "can't run it: %s\n", strerror(errno));
	_exit(127);
}

pid_t wp_qemu_launch(const struct wp_qemu_launch *launch, int ram, int window)
{
	const pid_t parent = getpid();
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		for (int number = 1; number < NSIG; number++)
			signal(number, SIG_DFL);
		sigemptyset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		become_qemu(launch, ram, window, parent);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}
