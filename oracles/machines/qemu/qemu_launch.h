/* SPDX-License-Identifier: MIT */
/* The start of a QEMU: the files that it inherits, and the child that becomes it. */
#ifndef WP_QEMU_LAUNCH_H
#define WP_QEMU_LAUNCH_H

#include "qemu.h"
#include "qemu_command.h"

/* All that a start needs and that must be let go of again, whether it fails or not. */
struct wp_qemu_launch {
	int firmware;
	int control[2];
	int said; /* where QEMU's complaints go */
	struct wp_qemu_command command;
};

/*
 * The memory, the mailbox in it and one end of the control are the process's to keep.
 * False: errno says why; what was opened until then is open.
 */
bool wp_qemu_open_files(struct wp_qemu_launch *launch, const struct wp_qemu *qemu,
                        struct wp_qemu_process *process);
void wp_qemu_close_files(struct wp_qemu_launch *launch);

/* Lets go of what this process holds of a QEMU, dead or another process's. */
void wp_qemu_forget(struct wp_qemu_process *process);

/*
 * Runs the command with these memory files and those of `launch`. Signals that this
 * process ignores or blocks are nothing to QEMU. Negative: it can't fork.
 */
pid_t wp_qemu_launch(const struct wp_qemu_launch *launch, int ram, int window);

#endif
