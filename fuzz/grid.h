/* SPDX-License-Identifier: MIT */
/* Text in columns: the first to the left, the others to the right. */
#ifndef WP_GRID_H
#define WP_GRID_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WP_GRID_ROWS    40
#define WP_GRID_COLUMNS 12
#define WP_GRID_CELL    80

struct wp_grid {
	size_t columns, rows;
	bool left; /* all columns to the left */
	char cells[WP_GRID_ROWS][WP_GRID_COLUMNS][WP_GRID_CELL];
};

void wp_grid_row(struct wp_grid *grid);
/* Appends a cell to the last row. */
void wp_grid_cell(struct wp_grid *grid, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void wp_grid_print(const struct wp_grid *grid, FILE *out);

/* "1,234,567"; the text stays valid for eight calls. */
const char *wp_number(uint64_t number);

/* "2M", "512G", "17x4K"; bytes if it is no multiple of 4K. The same holds. */
const char *wp_size_name(uint64_t size);

#endif
