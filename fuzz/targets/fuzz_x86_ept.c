/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to x86 extended page tables, each call returns what
 * the model predicts, and after it query() and the paper machine, which alone walks them,
 * translate each address that matters as the model says; no flush is missing, no frame and
 * no accessed or dirty bit is lost.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("x86_ept");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
