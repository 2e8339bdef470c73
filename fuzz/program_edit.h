/* SPDX-License-Identifier: MIT */
/* Whole programs, and operations in them, moved about. */
#ifndef WP_PROGRAM_EDIT_H
#define WP_PROGRAM_EDIT_H

#include "program.h"

/* Of its operations those that there are: a program has room for many more. */
void wp_program_copy(struct wp_program *to, const struct wp_program *from);

/* Takes `count` operations away, from `first` on. */
void wp_program_remove(struct wp_program *program, size_t first, size_t count);

#endif
