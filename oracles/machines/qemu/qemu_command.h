/* SPDX-License-Identifier: MIT */
/* The command line of a QEMU: its memories, its CPU model, its firmware. */
#ifndef WP_QEMU_COMMAND_H
#define WP_QEMU_COMMAND_H

#include "qemu.h"

/* The inherited files' numbers in QEMU. */
enum {
	FD_RAM = 10,
	FD_WINDOW,
	FD_FIRMWARE,
	FD_CONTROL,
	FD_FIRST_OTHER,
};

struct wp_qemu_command {
	size_t count;
	char *argument[48]; /* the last is followed by NULL */
};

void wp_qemu_command(struct wp_qemu_command *command, const struct wp_qemu *qemu, unsigned model);
void wp_qemu_command_free(struct wp_qemu_command *command);

#endif
