/* SPDX-License-Identifier: MIT */
/* Programs as text. */
#include "program_fixture.h"

#define ROUNDS 3000

static void print(const struct wp_program *program, char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);

	assert_non_null(out);
	wp_program_print(program, out);
	fclose(out);
}

static void text_loses_nothing(void **state)
{
	static struct wp_program program, again;
	struct wp_random random;
	char why[200], *text;

	(void)state;
	wp_random_seed(&random, 7);
	for (unsigned round = 0; round < ROUNDS; round++) {
		any_program(&program, &random);
		print(&program, &text);
		memset(&again, 0xa5, sizeof again);
		if (!wp_program_parse(&again, text, why, sizeof why))
			fail_msg("%s in:\n%s", why, text);
		assert_same(&program, &again);
		assert_true(wp_program_is_text((const uint8_t *)text, strlen(text)));
		free(text);
	}
}

/* The canonical text of each kind of line, which is also how to write it. */
static const char *const canonical =
	"walkproof 1\n"
	"regime riscv64_sv48\n"
	"map t0 va=hot3+2M pa=0x40000000 size=2M flags=rwxu--\n"
	"map t1 va=edge15-128x4K pa=edge0+5 size=3x4K flags=------+0xc0\n"
	"map t0 va=hot0 pa=hot0 size=0x8000000000000000 flags=r---dn\n"
	"map t0 va=hot0 pa=hot0 size=0x4K flags=r-----\n"
	"map t0 va=hot0 pa=hot0 size=5 flags=r-----\n"
	"unmap t0 va=live200\n"
	"protect t1 va=live0+4K flags=rw----\n"
	"remap t0 va=live1 pa=hot5 flags=r-x---\n"
	"query t0 va=0x0\n"
	"map_region t1 va=live2_end-3x4K pa=hot0 size=17x4K flags=rw---- huge\n"
	"map_region_with t0 va=hot0+127x1G pa=live1_end size=2M flags=r----- source=broken huge\n"
	"unmap_region t0 va=live0 size=0xffffffffffffffff\n"
	"protect_region t0 va=live0 size=65535x1G flags=--x---\n"
	"harvest t1 va=live3 size=600x4K uses=ad\n"
	"harvest t0 va=hot0 size=2M uses=-d\n"
	"harvest t0 va=hot0 size=4K uses=--\n"
	"harvest t0 va=hot0 size=4K uses=a-+0xfc\n"
	"walk t0\n"
	"walk t1 limit=5\n"
	"copy_from t0 va=edge1 size=2x512G\n"
	"give_back t0 va=edge1 size=256T\n"
	"batch t0\n"
	"flush t0\n"
	"flush_all t1\n"
	"ignore t0\n"
	"refuse 3 once\n"
	"refuse 0\n"
	"allow\n"
	"renew t1\n"
	"probe\n";

static void each_operation_prints_as_it_is_read(void **state)
{
	static struct wp_program program;
	char why[200] = "", *text;

	(void)state;
	if (!wp_program_parse(&program, canonical, why, sizeof why))
		fail_msg("%s", why);
	print(&program, &text);
	assert_string_equal(text, canonical);
	free(text);
}

static void people_may_write_comments_and_spaces_as_they_like(void **state)
{
	static struct wp_program program, plain;
	char why[200] = "";

	(void)state;
	assert_true(wp_program_parse(&program,
	                             "# why this is kept\n\n  walkproof\t1 # the first version\r\n"
	                             "\tregime  x86_64\n   \n# nothing\n"
	                             "map flags=wr  size=0x1000\tva=4096 pa=hot0+0x2M t0# no end",
	                             why, sizeof why));
	assert_true(wp_program_parse(&plain,
	                             "walkproof 1\nregime x86_64\n"
	                             "map t0 va=0x1000 pa=hot0 size=0x1000 flags=rw----\n",
	                             why, sizeof why));
	assert_same(&program, &plain);
}

static void a_mistake_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} mistakes[] = {
		{"", "line 0: the text ends before 'walkproof'"},
		{"# walkproof 1\n", "line 1: the text ends before 'walkproof'"},
		{"walkproof 1\n", "line 1: the text ends before 'regime'"},
		{"walkproof 2\nregime x86_64\n", "line 1: unknown version '2'"},
		{"walkprof 1\n", "line 1: expected 'walkproof' and one word"},
		{"walkproof 1\nregime\n", "line 2: expected 'regime' and one word"},
		{"walkproof 1\nregime x86_64 x\n", "line 2: expected 'regime' and one word"},
		{"walkproof 1\nregime vax\n", "line 2: unknown regime 'vax'"},
	};
#define LIKE_VA "': it should look like va=hot3+2x4K"
	static const struct {
		const char *line, *why;
	} bad_lines[] = {
		{"mpa t0", "unknown operation 'mpa' (did you mean 'map'?)"},
		{"quer t0", "unknown operation 'quer' (did you mean 'query'?)"},
		{"flushh t0", "unknown operation 'flushh' (did you mean 'flush'?)"},
		{"wolk t0", "unknown operation 'wolk' (did you mean 'walk'?)"},
		{"frobnicate", "unknown operation 'frobnicate'"},
		{"unmap va=hot0", "unmap lacks an operand such as t0"},
		{"unmap t0", "unmap lacks an operand such as va=hot3+2x4K"},
		{"refuse once", "refuse lacks an operand such as 3"},
		{"unmap t0 va=hot0 pa=hot0", "unmap has no operand 'pa=hot0'"},
		{"unmap t0 va=hot0 t1", "a second 't1'"},
		{"unmap t2 va=hot0", "can't read 't2': it should look like t0"},
		{"unmap t0 va=hot", "can't read 'va=hot" LIKE_VA},
		{"unmap t0 va=hot256", "can't read 'va=hot256" LIKE_VA},
		{"unmap t0 va=hot0_end", "can't read 'va=hot0_end" LIKE_VA},
		{"unmap t0 va=hot0+128", "can't read 'va=hot0+128" LIKE_VA},
		{"unmap t0 va=hot0+1x3K", "can't read 'va=hot0+1x3K" LIKE_VA},
		{"unmap t0 va=0x", "can't read 'va=0x" LIKE_VA},
		{"unmap t0 va=0x10000000000000000", "can't read 'va=0x10000000000000000" LIKE_VA},
		{"unmap_region t0 va=hot0 size=65536x4K",
	         "can't read 'size=65536x4K': it should look like size=17x4K"},
		{"protect t0 va=hot0 flags=rwz",
	         "can't read 'flags=rwz': it should look like flags=rw-u--"},
		{"harvest t0 va=hot0 size=4K", "harvest lacks an operand such as uses=ad"},
		{"harvest t0 va=hot0 size=4K uses=rw",
	         "can't read 'uses=rw': it should look like uses=ad"},
		{"protect t0 va=hot0 flags=",
	         "can't read 'flags=': it should look like flags=rw-u--"},
		{"refuse 65536", "can't read '65536': it should look like 3"},
	};
#undef LIKE_VA
	static struct wp_program program;
	char text[300], expected[300], why[300];

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		assert_false(wp_program_parse(&program, mistakes[i].text, why, sizeof why));
		assert_string_equal(why, mistakes[i].why);
	}
	for (size_t i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
		snprintf(text, sizeof text, "walkproof 1\nregime x86_64\nprobe\n\n%s\nprobe\n",
		         bad_lines[i].line);
		snprintf(expected, sizeof expected, "line 5: %s", bad_lines[i].why);
		assert_false(wp_program_parse(&program, text, why, sizeof why));
		assert_string_equal(why, expected);
	}
}

static void too_much_is_refused(void **state)
{
	static char text[WP_PROGRAM_MAX_OPS * 8 + 300];
	static struct wp_program program;
	char why[100], tiny[4];
	size_t length;

	(void)state;
	strcpy(text, "walkproof 1\nregime x86_64\n");
	for (unsigned i = 0; i < WP_PROGRAM_MAX_OPS; i++)
		strcat(text, "probe\n");
	assert_true(wp_program_parse(&program, text, why, sizeof why));
	assert_int_equal(program.count, WP_PROGRAM_MAX_OPS);
	strcat(text, "probe\n");
	assert_false(wp_program_parse(&program, text, why, sizeof why));
	assert_string_equal(why, "line 259: more than 256 operations");
	assert_false(wp_program_parse(&program, text, tiny, sizeof tiny));
	assert_string_equal(tiny, "lin");

	strcpy(text, "walkproof 1\n");
	length = strlen(text);
	memset(text + length, ' ', 256);
	strcpy(text + length + 256, "\nregime x86_64\n");
	assert_false(wp_program_parse(&program, text, why, sizeof why));
	assert_string_equal(why, "line 2: longer than 255 characters");
}

/* The parser reads files that people edit, and fuzzers may mutate: it must survive all. */
static void mangled_text_is_read_or_refused(void **state)
{
	static struct wp_program program;
	struct wp_random random;
	char why[200], text[2000];
	unsigned refused = 0;

	(void)state;
	wp_random_seed(&random, 8);
	for (unsigned round = 0; round < ROUNDS; round++) {
		strcpy(text, canonical);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			text[wp_random_below(&random, strlen(canonical))] =
				(char)wp_random_below(&random, 256);
		refused += !wp_program_parse(&program, text, why, sizeof why);
	}
	assert_true(refused > ROUNDS / 2);
}

static bool is_text(const char *bytes)
{
	return wp_program_is_text((const uint8_t *)bytes, strlen(bytes));
}

static void text_is_told_from_bytes(void **state)
{
	static const uint8_t bytes[] = {WP_PROGRAM_VERSION, 0, 0, 0};

	(void)state;
	assert_true(is_text("walkproof 1\n"));
	assert_true(is_text("# one\n\n # two\nwalkproof 1\n"));
	assert_false(is_text("# walkproof 1"));
	assert_false(is_text("walk"));
	assert_false(is_text(""));
	assert_false(wp_program_is_text(bytes, sizeof bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_loses_nothing),
		cmocka_unit_test(each_operation_prints_as_it_is_read),
		cmocka_unit_test(people_may_write_comments_and_spaces_as_they_like),
		cmocka_unit_test(a_mistake_is_named_with_its_line),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(mangled_text_is_read_or_refused),
		cmocka_unit_test(text_is_told_from_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
