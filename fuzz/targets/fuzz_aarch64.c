/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to AArch64 tables (EL1&0, low or high half, or
 * EL2), each call returns what the model predicts, and after it query(), the paper
 * machine and, at the end of the program, Unicorn at EL0, EL1 or EL2 translate each
 * address that matters as the model says; no live leaf changes without
 * break-before-make, no flush is missing, and no frame is lost.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("aarch64");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
