/*
 * The pure folders are pure by what they link: their objects need memory and
 * string functions, each other, and nothing else. No clock, no file, no
 * allocation, no locale, no errno.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(pure, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* What knows bytes and facts alone; others may be pure as well, these must be. */
static const char *const pure[] = {"shim/wire/*.o", "shim/record/*.o", "shim/config/config.o",
				   "shim/config/config_exception.o", "shim/core/enforcement.o"};

static const char *const allowed[] = {"memchr",  "memcmp",  "memcpy",  "memmove",
				      "memrchr", "memset",  "strchr",  "strcmp",
				      "strlen",  "strncmp", "strnlen", "strrchr"};

/* What the compiler adds for sanitizers, coverage and position-independent code. */
static const char *const compiler[] = {"__asan_", "__ubsan_", "__gcov_", "__stack_chk_fail",
				       "_GLOBAL_OFFSET_TABLE_"};

static bool is_allowed(const char *symbol)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (strcmp(symbol, allowed[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(compiler) / sizeof(compiler[0]); i++) {
		if (strncmp(symbol, compiler[i], strlen(compiler[i])) == 0)
			return true;
	}
	return false;
}

static const char *const *objects(void)
{
	const char *const *paths = join_words(NO_WORDS, NO_WORDS);
	const char *build = getenv("TLSWITNESS_BUILD");

	for (size_t i = 0; i < sizeof(pure) / sizeof(pure[0]); i++) {
		glob_t found;

		if (glob(text("%s/%s", build ? build : "build", pure[i]), 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			paths = join_words(paths, WORDS(text("%s", found.gl_pathv[j])));
		globfree(&found);
	}
	return paths;
}

/* "name type ..." in each line of what nm says with this option. */
static const char *symbols(const char *option)
{
	struct program nm = {.argv = join_words(WORDS("nm", "-P", option), objects())};

	cr_assert_eq(run_program(&nm), 0, "%s", nm.err);
	return nm.out;
}

static bool is_defined(const char *defined, const char *symbol)
{
	const char *line = text("\n%s ", symbol);

	return strstr(defined, line) != NULL;
}

/* What the recorder needs of the C library besides: tables of the loader, and texts. */
static const char *const looked_up[] = {
	"__ctype_tolower_loc", "__environ", "environ",   "__errno_location", "dl_iterate_phdr",
	"getauxval",           "inet_ntop", "inet_pton", "strcasecmp",       "strcspn",
	"strncasecmp",         "strspn",    "strstr"};

static bool is_looked_up(const char *symbol)
{
	for (size_t i = 0; i < sizeof(looked_up) / sizeof(looked_up[0]); i++) {
		if (strcmp(symbol, looked_up[i]) == 0)
			return true;
	}
	return is_allowed(symbol);
}

/* On a hook's path nothing is allocated, no lock of libc's is waited for, no thread is cancelled.
 */
Test(pure, the_recorder_needs_no_allocator_no_lock_and_no_system_call_of_libc)
{
	struct program nm = {.argv = WORDS("nm", "-D", "-P", "--undefined-only", recorder_path())};
	size_t count = 0;
	char *rest = NULL;
	char *copy;

	cr_assert_eq(run_program(&nm), 0, "%s", nm.err);
	copy = strdup(nm.out);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *type = strchr(line, ' ');

		if (!type || type[1] != 'U') /* weak: the linker's and the compiler's */
			continue;
		line[strcspn(line, "@ ")] = '\0';
		count++;
		cr_expect(is_looked_up(line), "the recorder needs '%s'", line);
	}
	cr_expect_gt(count, 5, "nm named no symbols");
	free(copy);
}

Test(pure, objects_need_memory_and_string_functions_alone)
{
	const char *defined = symbols("--defined-only");
	const char *needed = symbols("--undefined-only");
	char *copy = strdup(needed);
	size_t count = 0;
	char *rest = NULL;

	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');

		if (!space) /* the name of an object */
			continue;
		*space = '\0';
		count++;
		cr_expect(is_allowed(line) || is_defined(defined, line), "a pure object needs '%s'",
			  line);
	}
	cr_expect_gt(count, 5, "nm named no symbols:\n%s", needed);
	free(copy);
}
