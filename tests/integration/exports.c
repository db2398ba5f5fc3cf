/*
 * What libtlswitness.so puts in front of the host's functions: just the hooks
 * of hooks_*.def, each in front of something that exists, with no sibling left
 * open. What it needs itself: nothing that others may own, and nothing that an
 * old C library lacks. And what it must leave alone: the loader's own behaviour.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(exports, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

enum family { LIBC, SSL, CRYPTO };

struct hook {
	enum family family;
	const char *name;
	const char *base;
};

static const struct hook hooks[] = {
#define HOOK(name, base) {LIBC, #name, #base},
#include "shim/hooks/hooks_libc.def"
#include "shim/hooks/hooks_loader.def"
#undef HOOK
#define HOOK(name) {SSL, #name, #name},
#include "shim/hooks/hooks_libssl.def"
#undef HOOK
#define HOOK(name) {CRYPTO, #name, #name},
#include "shim/hooks/hooks_libcrypto.def"
#undef HOOK
};

#define HOOKS_COUNT (sizeof(hooks) / sizeof(hooks[0]))

static bool is_hook_of(enum family family, const char *name)
{
	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		if (hooks[i].family == family && strcmp(hooks[i].name, name) == 0)
			return true;
	}
	return false;
}

/* ---- a shared object's dynamic symbols ---- */

struct object {
	const char *path;
	int fd;
	Elf *elf;
	Elf_Scn *symbols;
	Elf_Scn *versions;    /* one version index for each symbol (LSB, "Symbol Versioning") */
	Elf_Scn *definitions; /* of versions, by index */
};

static void open_object(struct object *object, const char *path)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	memset(object, 0, sizeof(*object));
	object->path = path;
	elf_version(EV_CURRENT);
	object->fd = open(path, O_RDONLY | O_CLOEXEC);
	object->elf = elf_begin(object->fd, ELF_C_READ, NULL);
	cr_assert_not_null(object->elf, "%s can't be read", path);
	while ((section = elf_nextscn(object->elf, section)) != NULL) {
		cr_assert_not_null(gelf_getshdr(section, &header));
		if (header.sh_type == SHT_DYNSYM)
			object->symbols = section;
		else if (header.sh_type == SHT_GNU_versym)
			object->versions = section;
		else if (header.sh_type == SHT_GNU_verdef)
			object->definitions = section;
	}
	cr_assert_not_null(object->symbols, "%s has no dynamic symbols", path);
}

static void close_object(struct object *object)
{
	elf_end(object->elf);
	close(object->fd);
}

/* "GLIBC_2.2.5"; "" for a symbol without a version. */
static const char *version_of(const struct object *object, size_t symbol)
{
	GElf_Versym index = 0;
	GElf_Shdr header;
	GElf_Verdef definition;
	GElf_Verdaux name;
	int offset = 0;

	if (object->versions == NULL || object->definitions == NULL)
		return "";
	gelf_getversym(elf_getdata(object->versions, NULL), (int)symbol, &index);
	gelf_getshdr(object->definitions, &header);
	Elf_Data *data = elf_getdata(object->definitions, NULL);
	while (gelf_getverdef(data, offset, &definition) != NULL) {
		if (definition.vd_ndx == (index & 0x7fff)) {
			gelf_getverdaux(data, offset + (int)definition.vd_aux, &name);
			return elf_strptr(object->elf, header.sh_link, name.vda_name);
		}
		if (definition.vd_next == 0)
			break;
		offset += (int)definition.vd_next;
	}
	return "";
}

/* The name of the object's symbol, if that is a function which others may use; else NULL. */
static const char *exported_function(const struct object *object, size_t symbol)
{
	GElf_Shdr header;
	GElf_Sym entry;

	gelf_getshdr(object->symbols, &header);
	gelf_getsym(elf_getdata(object->symbols, NULL), (int)symbol, &entry);
	if (entry.st_shndx == SHN_UNDEF || GELF_ST_BIND(entry.st_info) == STB_LOCAL ||
	    GELF_ST_VISIBILITY(entry.st_other) == STV_HIDDEN ||
	    GELF_ST_TYPE(entry.st_info) == STT_OBJECT || entry.st_shndx == SHN_ABS)
		return NULL;
	if (strcmp(version_of(object, symbol), "GLIBC_PRIVATE") == 0)
		return NULL;
	return elf_strptr(object->elf, header.sh_link, entry.st_name);
}

static size_t count_symbols(const struct object *object)
{
	GElf_Shdr header;

	gelf_getshdr(object->symbols, &header);
	return header.sh_size / header.sh_entsize;
}

static bool exports(const struct object *object, const char *name)
{
	for (size_t i = 0; i < count_symbols(object); i++) {
		const char *exported = exported_function(object, i);

		if (exported != NULL && strcmp(exported, name) == 0)
			return true;
	}
	return false;
}

/* The file that this process has loaded the function from. */
static const char *file_with(const char *function)
{
	Dl_info info;
	void *address = dlsym(RTLD_DEFAULT, function);

	cr_assert(address != NULL && dladdr(address, &info) != 0, "no %s", function);
	return text("%s", info.dli_fname);
}

/* ---- the table, the recorder and the libraries, against each other ---- */

Test(exports, are_those_of_the_table)
{
	struct object recorder;

	open_object(&recorder, recorder_path());
	for (size_t i = 0; i < count_symbols(&recorder); i++) {
		const char *name = exported_function(&recorder, i);

		cr_expect(name == NULL || is_hook_of(LIBC, name), "%s is exported and in no table",
			  name);
	}
	for (size_t i = 0; i < HOOKS_COUNT; i++)
		cr_expect_eq(exports(&recorder, hooks[i].name), hooks[i].family == LIBC, "%s",
			     hooks[i].name);
	close_object(&recorder);
}

Test(exports, stand_before_functions_that_exist)
{
	struct object libraries[CRYPTO + 1];

	open_object(&libraries[LIBC], file_with("read"));
	open_object(&libraries[SSL], file_with("SSL_connect"));
	open_object(&libraries[CRYPTO], file_with("BIO_ctrl"));
	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		const struct object *library = &libraries[hooks[i].family];

		cr_expect(exports(library, hooks[i].name), "%s has no %s", library->path,
			  hooks[i].name);
		cr_expect(exports(library, hooks[i].base), "%s has no %s", library->path,
			  hooks[i].base);
	}
	for (size_t i = 0; i <= CRYPTO; i++)
		close_object(&libraries[i]);
}

/* Fortified calls, reserved names and 64-bit ones: each is a way past its sibling. */
Test(exports, leave_no_sibling_open)
{
	static const char *const forms[] = {"__%s",       "__%s_chk",  "%s64",         "__%s64",
					    "__%s64_chk", "__libc_%s", "__%s_time64",  "__%s_2",
					    "__%s64_2",   "%s_chk",    "__%s64_time64"};
	struct object libc;

	open_object(&libc, file_with("read"));
	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		if (hooks[i].family != LIBC)
			continue;
		for (size_t j = 0; j < sizeof(forms) / sizeof(forms[0]); j++) {
			char sibling[128];
			/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
			(void)snprintf(sibling, sizeof(sibling), forms[j], hooks[i].base);
			cr_expect(is_hook_of(LIBC, sibling) || !exports(&libc, sibling),
				  "libc's %s goes past the hook of %s", sibling, hooks[i].base);
		}
	}
	close_object(&libc);
}

/* An OpenSSL that has SSL_read has SSL_read_ex and the like, which do the same. */
Test(exports, leave_no_extended_form_open)
{
	struct object ssl;
	struct object crypto;

	open_object(&ssl, file_with("SSL_connect"));
	open_object(&crypto, file_with("BIO_ctrl"));
	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		const char *extended = text("%s_ex", hooks[i].base);

		if (hooks[i].family == SSL)
			cr_expect(is_hook_of(SSL, extended) || !exports(&ssl, extended), "%s",
				  extended);
		if (hooks[i].family == CRYPTO)
			cr_expect(is_hook_of(CRYPTO, extended) || !exports(&crypto, extended), "%s",
				  extended);
	}
	close_object(&ssl);
	close_object(&crypto);
}

Test(exports, need_libc_alone)
{
	struct object recorder;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Dyn entry;
	unsigned needed = 0;

	open_object(&recorder, recorder_path());
	while ((section = elf_nextscn(recorder.elf, section)) != NULL) {
		gelf_getshdr(section, &header);
		if (header.sh_type != SHT_DYNAMIC)
			continue;
		for (int i = 0; gelf_getdyn(elf_getdata(section, NULL), i, &entry) != NULL; i++) {
			if (entry.d_tag != DT_NEEDED)
				continue;
			cr_expect_str_eq(elf_strptr(recorder.elf, header.sh_link, entry.d_un.d_val),
					 "libc.so.6");
			needed++;
		}
	}
	cr_expect_eq(needed, 1);
	close_object(&recorder);
}

/* The name of a symbol that the recorder needs from outside, or NULL if this is none. */
static const char *needed_symbol(const struct object *object, size_t symbol)
{
	GElf_Shdr header;
	GElf_Sym entry;

	gelf_getshdr(object->symbols, &header);
	gelf_getsym(elf_getdata(object->symbols, NULL), (int)symbol, &entry);
	if (symbol == 0 || entry.st_shndx != SHN_UNDEF)
		return NULL;
	/* The toolchain's own, for profilers and transactions: nobody has to have them. */
	if (GELF_ST_BIND(entry.st_info) == STB_WEAK)
		return NULL;
	return elf_strptr(object->elf, header.sh_link, entry.st_name);
}

/*
 * Whatever else a program may bring a function of its own for, torsocks, fakeroot
 * or libfaketime: system calls, time, users, memory. environ is the process's own
 * variable, by both of its names.
 */
Test(exports, need_nothing_that_others_may_own)
{
	static const char *const needed[] = {
		"__errno_location", "__tls_get_addr", "dl_iterate_phdr",
		"getauxval",        "__ctype_b_loc",  "__ctype_tolower_loc",
		"environ",          "__environ",      "inet_ntop",
		"inet_pton",        "memchr",         "memcmp",
		"memcpy",           "memmove",        "memset",
		"strcasecmp",       "strchr",         "strcmp",
		"strcspn",          "strlen",         "strncasecmp",
		"strncmp",          "strnlen",        "strrchr",
		"strspn",           "strstr",         "strtoul"};
	struct object recorder;

	open_object(&recorder, recorder_path());
	for (size_t i = 0; i < count_symbols(&recorder); i++) {
		const char *name = needed_symbol(&recorder, i);
		bool known = name == NULL;

		for (size_t j = 0; !known && j < sizeof(needed) / sizeof(needed[0]); j++)
			known = strcmp(name, needed[j]) == 0;
		cr_expect(known, "the recorder calls %s", name);
	}
	close_object(&recorder);
}

/* 17 of "GLIBC_2.17", 2 of "GLIBC_2.2.5". */
static unsigned long minor_of_glibc(const char *version)
{
	static const char glibc[] = "GLIBC_2.";
	char *end = NULL;
	unsigned long minor = 0;

	if (strncmp(version, glibc, strlen(glibc)) == 0)
		minor = strtoul(version + strlen(glibc), &end, 10);
	cr_assert(end && end > version + strlen(glibc), "%s is no version of glibc 2", version);
	return minor;
}

/* glibc's versions are in a section of their own: a library and the versions needed of it. */
Test(exports, need_no_glibc_newer_than_2_17)
{
	struct object recorder;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	unsigned versions = 0;

	open_object(&recorder, recorder_path());
	while ((section = elf_nextscn(recorder.elf, section)) != NULL) {
		GElf_Verneed need;
		int at = 0;

		gelf_getshdr(section, &header);
		if (header.sh_type != SHT_GNU_verneed)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (bool more = true; more && gelf_getverneed(data, at, &need) != NULL;
		     at += (int)need.vn_next) {
			GElf_Vernaux version;
			int of = at + (int)need.vn_aux;

			for (unsigned i = 0; i < need.vn_cnt; i++) {
				gelf_getvernaux(data, of, &version);
				const char *name =
					elf_strptr(recorder.elf, header.sh_link, version.vna_name);

				cr_expect_leq(minor_of_glibc(name), 17, "the recorder needs %s",
					      name);
				versions++;
				of += (int)version.vna_next;
			}
			more = need.vn_next != 0;
		}
	}
	cr_expect_neq(versions, 0);
	close_object(&recorder);
}

/* ---- the loader's own behaviour ---- */

/* Compiles a shared object of this source into this test's directory. */
static const char *shared_object(const char *name, const char *source, const char *rpath)
{
	const char *file = test_file(text("%s.c", name), source);
	const char *path = test_path(text("%s.so", name));
	struct program compiler = {.argv = join_words(WORDS("gcc", "-shared", "-fPIC", "-o", path,
							    file, "-D_GNU_SOURCE"),
						      WORDS(rpath))};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	return path;
}

/* The same program bare and preloaded says the same and nothing else. */
static void expect_same_run(struct program *bare, const char *said)
{
	struct program with = preloaded(bare, test_path("log.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(bare), 0, "%s", bare->err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_str_eq(bare->out, said);
	cr_expect_str_eq(with.out, said);
	cr_expect_str_eq(with.err, bare->err);
}

/* glibc searches the DT_RUNPATH of the object that the call returns to. */
Test(exports, leave_the_run_path_of_the_caller)
{
	const char *directory = test_path("hidden");
	struct program mkdir = {.argv = WORDS("mkdir", directory)};

	cr_assert_eq(run_program(&mkdir), 0, "%s", mkdir.err);
	shared_object("hidden/inner", "int inner(void) { return 42; }\n", NULL);
	const char *outer = shared_object("outer",
					  "#include <dlfcn.h>\n"
					  "int outer(void)\n"
					  "{\n"
					  "	void *library = dlopen(\"inner.so\", RTLD_NOW);\n"
					  "	int (*inner)(void) = library ? (int (*)(void))dlsym"
					  "(library, \"inner\") : 0;\n"
					  "	return inner ? inner() : -1;\n"
					  "}\n",
					  text("-Wl,--enable-new-dtags,-rpath,%s", directory));
	struct program loader = {.argv = WORDS(program_path("loader"), "call", outer, "outer")};
	expect_same_run(&loader, "42\n");
}

/* PHP loads its extensions so; the symbols of libc would come before ours. */
Test(exports, are_seen_by_libraries_that_are_bound_deeply)
{
	const char *library = shared_object("deep",
					    "#include <sys/socket.h>\n"
					    "void *asked(void) { return (void *)connect; }\n",
					    NULL);
	struct program bare = {.argv = WORDS(program_path("loader"), "deep", library, "asked")};
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_str_eq(bare.out, "libc.so.6\n");
	cr_expect_str_eq(with.out, "libtlswitness.so\n");
}

/* What such a library brings along under a name of libc's stays its own. */
Test(exports, leave_what_a_deeply_bound_library_brings_along)
{
	const char *own = shared_object("own", "int connect(void) { return 7; }\n", NULL);
	const char *library = shared_object("deep",
					    "int connect(void);\n"
					    "void *asked(void) { return (void *)connect; }\n",
					    own);
	struct program loader = {.argv = WORDS(program_path("loader"), "deep", library, "asked")};

	expect_same_run(&loader, "own.so\n");
}

/* Another preload asks for the next function of its own name, before or behind us. */
Test(exports, pass_on_to_another_preload)
{
	const char *other = shared_object(
		"other",
		"#include <dlfcn.h>\n"
		"#include <sys/socket.h>\n"
		"#include <unistd.h>\n"
		"int connect(int fd, const struct sockaddr *address, socklen_t length)\n"
		"{\n"
		"	int (*next)(int, const struct sockaddr *, socklen_t) =\n"
		"		dlsym(RTLD_NEXT, \"connect\");\n"
		"	if (address->sa_family == AF_INET && write(2, \"other\\n\", 6) != 6)\n"
		"		_exit(1);\n"
		"	return next(fd, address, length);\n"
		"}\n",
		NULL);
	const char *const orders[] = {text("LD_PRELOAD=%s:%s", other, recorder_path()),
				      text("LD_PRELOAD=%s:%s", recorder_path(), other)};
	struct sink *sink = start_sink(NO_WORDS);

	for (size_t i = 0; i < 2; i++) {
		const char *log = test_path(text("log%zu.jsonl", i));
		struct program client = {
			.argv = WORDS("openssl", "s_client", "-connect", sink->address, "-starttls",
				      "smtp", "-quiet"),
			.env = WORDS(orders[i], text("TLSWITNESS_LOG=%s", log)),
			.input = "QUIT\r\n",
		};

		cr_expect_eq(run_program(&client), 0, "%s", client.err);
		cr_expect_not_null(strstr(client.err, "other\n"), "%s", client.err);
		expect_equal_to_entry(only_handshake(log),
				      json_array_get(sink_entries(sink, i + 1), i), orders[i]);
	}
}
