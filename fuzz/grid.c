/* SPDX-License-Identifier: MIT */
#include "grid.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <walkproof/pt.h>

static size_t column_count(const char cells[WP_GRID_COLUMNS][WP_GRID_CELL])
{
	size_t count = WP_GRID_COLUMNS;

	while (count > 0 && cells[count - 1][0] == '\0')
		count--;
	return count;
}

void wp_grid_row(struct wp_grid *grid)
{
	if (grid->rows < WP_GRID_ROWS)
		memset(grid->cells[grid->rows++], 0, sizeof grid->cells[0]);
	grid->columns = 0;
}

void wp_grid_cell(struct wp_grid *grid, const char *format, ...)
{
	va_list arguments;

	assert(grid->rows > 0 && grid->columns < WP_GRID_COLUMNS);
	va_start(arguments, format);
	vsnprintf(grid->cells[grid->rows - 1][grid->columns++], WP_GRID_CELL, format, arguments);
	va_end(arguments);
}

void wp_grid_print(const struct wp_grid *grid, FILE *out)
{
	int widths[WP_GRID_COLUMNS] = {0};

	for (size_t row = 0; row < grid->rows; row++) {
		for (size_t column = 0; column < WP_GRID_COLUMNS; column++) {
			const int width = (int)strlen(grid->cells[row][column]);

			if (width > widths[column])
				widths[column] = width;
		}
	}
	for (size_t row = 0; row < grid->rows; row++) {
		const size_t columns = column_count(grid->cells[row]);

		for (size_t column = 0; column < columns; column++) {
			const bool left = grid->left || column == 0;
			const int width = left && column + 1 == columns ? 0 : widths[column];

			fprintf(out, "%s%*s", column == 0 ? "" : "  ", left ? -width : width,
			        grid->cells[row][column]);
		}
		fputc('\n', out);
	}
}

static char *next_text(void)
{
	static char texts[8][32];
	static unsigned next;

	return texts[next++ % 8];
}

const char *wp_number(uint64_t number)
{
	char *text = next_text();
	char digits[24];
	const size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number);
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *wp_size_name(uint64_t size)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} units[] = {
		{PT_256T, "256T"}, {PT_512G, "512G"}, {PT_1G, "1G"}, {PT_512M, "512M"},
		{PT_2M, "2M"},     {PT_64K, "64K"},   {PT_4K, "4K"},
	};
	char *text = next_text();

	snprintf(text, 32, "%#" PRIx64, size);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (size == 0 || size % units[i].bytes != 0)
			continue;
		if (size == units[i].bytes)
			return units[i].name;
		snprintf(text, 32, "%" PRIu64 "x%s", size / units[i].bytes, units[i].name);
		break;
	}
	return text;
}
