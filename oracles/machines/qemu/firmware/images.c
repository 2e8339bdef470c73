/* SPDX-License-Identifier: MIT */
/* The walkers as they come from the linker, in the program that runs them. */
#include "../qemu.h"

#define IMAGE(arch, file)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
	        "walker_" #arch "_start:\n"                                                        \
	        ".incbin \"" file "\"\n"                                                           \
	        "walker_" #arch "_end:\n"                                                          \
	        ".popsection\n");                                                                  \
	extern const uint8_t walker_##arch##_start[], walker_##arch##_end[];                       \
	const struct wp_firmware wp_firmware_##arch = {walker_##arch##_start, walker_##arch##_end}

#ifdef WP_QEMU_FIRMWARE
IMAGE(x86_64, WP_QEMU_FIRMWARE "/walk_x86_64.bin");
IMAGE(aarch64, WP_QEMU_FIRMWARE "/walk_aarch64.elf");
IMAGE(riscv64, WP_QEMU_FIRMWARE "/walk_riscv64.elf");
IMAGE(loongarch64, WP_QEMU_FIRMWARE "/walk_loongarch64.elf");
#else
const struct wp_firmware wp_firmware_x86_64, wp_firmware_aarch64;
const struct wp_firmware wp_firmware_riscv64, wp_firmware_loongarch64;
#endif
