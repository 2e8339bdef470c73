/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* vasprintf */
#include "qemu_command.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((format(printf, 2, 3))) static void say(struct wp_qemu_command *command,
                                                      const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (vasprintf(&command->argument[command->count], format, list) >= 0)
		command->count++;
	va_end(list);
}

static void say_all(struct wp_qemu_command *command, const char *const *words)
{
	while (words != NULL && *words != NULL)
		say(command, "%s", *words++);
}

void wp_qemu_command_free(struct wp_qemu_command *command)
{
	while (command->count > 0)
		free(command->argument[--command->count]);
}

static void say_memories(struct wp_qemu_command *command, const struct wp_qemu_arch *arch,
                         uint64_t window_size)
{
	say(command, "-object");
	say(command,
	    "memory-backend-file,id=ram,size=%" PRIu64 ",mem-path=/proc/self/fd/%d,share=on",
	    arch->ram_size, FD_RAM);
	say(command, "-object");
	say(command,
	    "memory-backend-file,id=window,size=%" PRIu64 ",mem-path=/proc/self/fd/%d,share=on",
	    window_size, FD_WINDOW);
	say(command, "-m");
	if (arch->window_is_dimm) {
		say(command, "%" PRIu64 "M,slots=1,maxmem=%" PRIu64 "M", arch->ram_size >> 20,
		    arch->ram_size >> 19);
		say(command, "-device");
		say(command, "pc-dimm,memdev=window,addr=%#x", WP_WINDOW_BASE);
		return;
	}
	say(command, "%" PRIu64 "M", (arch->ram_size + window_size) >> 20);
	if (arch->core_per_node) {
		say(command, "-smp");
		say(command, "2");
	}
	say(command, "-numa");
	say(command, "node,memdev=ram%s", arch->core_per_node ? ",cpus=0" : "");
	say(command, "-numa");
	say(command, "node,memdev=window%s", arch->core_per_node ? ",cpus=1" : "");
}

void wp_qemu_command(struct wp_qemu_command *command, const struct wp_qemu *qemu, unsigned model)
{
	static const char *const quiet[] = {
		"-accel", "tcg,thread=single", "-nodefaults",     "-display", "none", "-serial",
		"none",   "-no-reboot",        "-no-user-config", NULL,
	};
	const struct wp_qemu_arch *arch = qemu->arch;

	say(command, "%s", qemu->program);
	say(command, "-M");
	say(command, "%s%s", arch->board, arch->window_is_dimm ? ",memory-backend=ram" : "");
	say(command, "-cpu");
	say(command, "%s", arch->cpus[model]);
	say_memories(command, arch, qemu->machine.memory->size);
	say_all(command, quiet);
	say_all(command, arch->extra);
	say(command, "%s", arch->option);
	say(command, "/proc/self/fd/%d", FD_FIRMWARE);
	say(command, "-chardev");
	say(command, "socket,id=control,fd=%d", FD_CONTROL);
	say(command, "-mon");
	say(command, "chardev=control,mode=control");
	command->argument[command->count] = NULL;
}
