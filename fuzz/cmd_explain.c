/* SPDX-License-Identifier: MIT */
#include "cli.h"
static int run(int argc, char **argv) { (void)argc; (void)argv; return 0; }
const struct wp_command wp_command_explain = {"explain", "tell what a program breaks, and how", run};
