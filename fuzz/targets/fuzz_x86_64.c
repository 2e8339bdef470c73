/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to 4-level or 5-level x86_64 tables, each call
 * returns what the model predicts, and after it query(), the paper machine and,
 * at the end of the program, Unicorn in rings 0 and 3 translate each address that
 * matters as the model says; no flush is missing, and no frame is lost.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("x86_64");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
