/* SPDX-License-Identifier: MIT */
/*
 * A target under AFL++: inputs come through shared memory, thousands to a process, and
 * processes are copies of one whose machines are up. With files as arguments it runs
 * those, as libFuzzer's targets do.
 *
 * What an input shows must not depend on those before it (AFL++ calls that stability).
 * Between two inputs, therefore, everything is brought back, unseen, to where it was.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

#define INPUTS_OF_A_PROCESS 20000u

__AFL_FUZZ_INIT();
__AFL_COVERAGE();

extern uint32_t __afl_map_size;
void __afl_coverage_interesting(uint8_t value, uint32_t slot);

/* Coverpoints, beside edges: each has a slot of the map, which it may share with an edge. */
static void mark_points(void)
{
	for (size_t i = 0; i < WP_POINTS; i++) {
		const uint32_t slot = (uint32_t)i * 0x9e3779b1u % __afl_map_size;

		if (wp_target_counters[i] != 0)
			__afl_coverage_interesting(1, slot);
	}
}

static void run_file(const char *path)
{
	static uint8_t bytes[1u << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		wp_target_refuse("can't read one of the files");
	size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
}

int main(int argc, char **argv)
{
	const uint8_t *bytes;

	LLVMFuzzerInitialize(&argc, &argv);
	wp_target_settle();
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc > 1)
		return 0;
	__AFL_INIT();
	wp_target_forked();
	bytes = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(INPUTS_OF_A_PROCESS)) {
		__AFL_COVERAGE_OFF();
		wp_target_settle();
		memset(wp_target_counters, 0, sizeof wp_target_counters);
		__AFL_COVERAGE_ON();
		LLVMFuzzerTestOneInput(bytes, __AFL_FUZZ_TESTCASE_LEN);
		__AFL_COVERAGE_OFF();
		mark_points();
		__AFL_COVERAGE_ON();
	}
	return 0;
}
