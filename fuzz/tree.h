/* SPDX-License-Identifier: MIT */
/* A table as a tree: its entries, as the subject's walk() finds them. */
#ifndef WP_TREE_H
#define WP_TREE_H

#include <jansson.h>

#include "run.h"

/* Runs of leaves that continue each other are folded. */
void wp_tree_print(struct wp_runner *runner, unsigned table, FILE *out);

/* Every entry, none folded. */
json_t *wp_tree_json(struct wp_runner *runner, unsigned table);

#endif
