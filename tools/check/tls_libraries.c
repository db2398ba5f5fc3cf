/*
 * Walks from a program along what it links, breadth first, so that the first
 * TLS library it comes to is the nearest.
 */
#include "tools/check/tls_libraries.h"

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "shim/record/record_values.h"
#include "tools/base/table.h"
#include "tools/check/library_path.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct tls_library known_libraries[] = {
	{"OpenSSL", "libssl.so", "SSL_do_handshake", WITNESS_NUMBER_OPENSSL + 1,
	 "SSL_do_handshake"},
	{"GnuTLS", "libgnutls.so", "gnutls_handshake", WITNESS_NUMBER_GNUTLS + 1,
	 "gnutls_handshake"},
	{"NSS", "libssl3.so", NULL, 0, NULL},
	{"Mbed TLS", "libmbedtls.so", "mbedtls_ssl_handshake", 0, NULL},
	{"wolfSSL", "libwolfssl.so", "wolfSSL_connect", 0, NULL},
	{"s2n-tls", "libs2n.so", "s2n_negotiate", 0, NULL},
	{"Botan", "libbotan-", NULL, 0, NULL},
};

/*
 * Modules that interpreters load when a script asks for them, where
 * distributions put them: %p is the directory above the interpreter's, %n its name.
 */
static const struct known_module {
	const char *program; /* a pattern of the name without its directory */
	const char *module;  /* a pattern of paths */
} known_modules[] = {
	{"python*", "%p/lib/%n/lib-dynload/_ssl.*so"},
	{"python*", "%p/lib/python3/dist-packages/pycurl.*so"},
	{"python*", "%p/lib/%n/*-packages/pycurl.*so"},
	{"perl*", "/usr/lib/*/perl5/*/auto/Net/SSLeay/SSLeay.so"},
	{"perl*", "/usr/lib*/perl5/vendor_perl/auto/Net/SSLeay/SSLeay.so"},
	{"perl*", "/usr/local/lib/*/perl/*/auto/Net/SSLeay/SSLeay.so"},
	{"ruby*", "%p/lib/*/ruby/*/openssl.so"},
	{"ruby*", "%p/lib/ruby/*/*/openssl.so"},
	{"php*", "%p/lib/php/*/openssl.so"},
	{"php*", "%p/lib/php/*/curl.so"},
	{"php*", "%p/local/lib/php/extensions/*/*.so"},
	{"apache2", "%p/lib/apache2/modules/libphp*.so"},
	{"httpd", "%p/lib*/httpd/modules/libphp*.so"},
	{"lua*", "%p/lib/*/lua/*/ssl.so"},
	{"lua*", "%p/lib*/lua/*/ssl.so"},
	{"tclsh*", "%p/lib/tcltk/*/tcltls*/*tls*.so"},
	{"tclsh*", "%p/lib*/tcl*/tcltls*/*tls*.so"},
	{"guile*", "%p/extensions/guile-gnutls*.so"},
	{"guile*", "%p/lib*/guile/*/extensions/guile-gnutls*.so"},
};

/* An object that the walk has come to, by the name that it was asked for. */
struct object {
	char *name;
	char *path;
	struct elf_file file;
	bool is_ours_to_close;
	unsigned distance;
	const struct object *user; /* NULL: the walk began here */
	struct object *next;       /* to be looked into after this one */
	UT_hash_handle hh;
};

struct walk {
	struct tls_libraries *libraries;
	const struct library_path *search;
	struct object *objects; /* uthash, by name */
	struct object *last;
	const char *module; /* "": from the program itself */
	unsigned nearest;   /* distance of the nearest TLS library; UINT_MAX: none yet */
};

/* "libssl.so.3" is "libssl.so", "libssl.sofa" is not. */
static const struct tls_library *library_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(known_libraries); i++) {
		const char *soname = known_libraries[i].soname;
		size_t length = strlen(soname);

		if (strncmp(name, soname, length) == 0 &&
		    (name[length] == '\0' || name[length] == '.' || soname[length - 1] == '-'))
			return &known_libraries[i];
	}
	return NULL;
}

static void add_use(struct walk *walk, const struct tls_library *library, enum tls_library_way way,
		    const char *file, const struct object *user, unsigned distance)
{
	struct tls_libraries *libraries = walk->libraries;
	struct tls_library_use *use;
	const char *through = user->user ? user->name : walk->module;

	if (libraries->count == TLS_LIBRARY_USES_MAX)
		return;
	use = &libraries->use[libraries->count++];
	use->library = library;
	use->way = way;
	(void)snprintf(use->file, sizeof(use->file), "%s", file);
	(void)snprintf(use->through, sizeof(use->through), "%s", through);
	/* Breadth first: the first is the nearest, and those as near come before any other. */
	if (walk->nearest == UINT_MAX)
		walk->nearest = distance;
	use->is_nearest = distance == walk->nearest;
}

static struct object *add_object(struct walk *walk, const char *name, const char *path,
				 const struct elf_file *file, const struct object *user)
{
	struct object *object = table_allocate(sizeof(*object));

	memset(object, 0, sizeof(*object));
	object->name = strdup(name);
	object->path = strdup(path);
	if (!object->name || !object->path)
		table_out_of_memory();
	object->file = *file;
	object->user = user;
	object->distance = user ? user->distance + 1 : 0;
	if (walk->last)
		walk->last->next = object;
	walk->last = object;
	HASH_ADD_KEYPTR(hh, walk->objects, object->name, strlen(object->name), object);
	return object;
}

static void need(struct walk *walk, const struct object *user, const char *name,
		 enum tls_library_way way)
{
	const struct tls_library *library = library_by_name(name);
	struct object *object = NULL;
	struct elf_file file;
	char path[PATH_MAX];

	HASH_FIND_STR(walk->objects, name, object);
	if (object)
		return;
	if (strncmp(name, "liburing.so", strlen("liburing.so")) == 0)
		walk->libraries->links_io_uring = true;
	if (!library_path_open(walk->search, &user->file, user->path, name, &file, path)) {
		/* What is only named may be of another system: a program tries one after another.
		 */
		if (way == TLS_LIBRARY_LINKED && walk->libraries->missing[0] == '\0')
			(void)snprintf(walk->libraries->missing, sizeof(walk->libraries->missing),
				       "%s", name);
		return;
	}
	object = add_object(walk, name, path, &file, user);
	object->is_ours_to_close = true;
	if (library)
		add_use(walk, library, way, name, user, object->distance);
}

/* The library names among the texts of a program that loads libraries itself. */
static void find_loaded(struct walk *walk, const struct object *object)
{
	size_t length = 0;
	const char *texts;
	const char *end;

	if (!elf_file_imports(&object->file, "dlopen") &&
	    !elf_file_imports(&object->file, "dlmopen"))
		return;
	texts = elf_file_section(&object->file, ".rodata", &length);
	end = texts ? texts + length : NULL;
	for (size_t i = 0; texts && i < COUNT(known_libraries); i++) {
		const char *soname = known_libraries[i].soname;
		const char *at = texts;

		while ((at = memmem(at, (size_t)(end - at), soname, strlen(soname))) != NULL) {
			char name[128] = "";
			size_t size = strnlen(at, (size_t)(end - at));

			if (size < sizeof(name) && (at == texts || strchr("/", at[-1]))) {
				memcpy(name, at, size);
				name[size] = '\0';
				need(walk, object, name, TLS_LIBRARY_LOADED);
			}
			at += strlen(soname);
		}
	}
}

/* A program that defines a library's functions has it within: Node's official build. */
static void find_built_in(struct walk *walk, const struct object *program)
{
	for (size_t i = 0; i < COUNT(known_libraries); i++) {
		const struct tls_library *library = &known_libraries[i];

		if (library->symbol && elf_file_exports(&program->file, library->symbol))
			add_use(walk, library, TLS_LIBRARY_BUILT_IN, program->name, program, 0);
	}
}

static void walk_from(struct tls_libraries *libraries, const struct library_path *search,
		      const char *path, const struct elf_file *file, const char *module)
{
	const char *slash = strrchr(path, '/');
	struct walk walk = {
		.libraries = libraries, .search = search, .module = module, .nearest = UINT_MAX};
	struct object *object;
	struct object *next;

	object = add_object(&walk, slash ? slash + 1 : path, path, file, NULL);
	find_built_in(&walk, object);
	for (; object; object = object->next) {
		for (size_t i = 0; i < object->file.needed_count; i++)
			need(&walk, object, object->file.needed[i], TLS_LIBRARY_LINKED);
		find_loaded(&walk, object);
	}
	object = walk.objects;
	HASH_CLEAR(hh, walk.objects);
	for (; object; object = next) {
		next = object->hh.next;
		if (object->is_ours_to_close)
			elf_file_close(&object->file);
		free(object->name);
		free(object->path);
		free(object);
	}
}

struct module_search {
	struct tls_libraries *libraries;
	const struct library_path *search;
	const struct elf_file *program;
};

static bool walk_from_module(void *context, const char *path)
{
	struct module_search *modules = context;
	struct elf_file file;

	if (!elf_file_open(&file, root_open_file(modules->search->root, path, O_RDONLY)))
		return true;
	if (file.machine == modules->program->machine)
		walk_from(modules->libraries, modules->search, path, &file, path);
	elf_file_close(&file);
	return true;
}

/* Puts the interpreter's place into a pattern of the table above. */
static void module_pattern(char pattern[PATH_MAX], const char *form, const char *path,
			   const char *name)
{
	size_t used = 0;
	size_t directory = (size_t)(name - path); /* with its slash */

	/* "/usr/bin/" -> "/usr" */
	while (directory > 0 && path[directory - 1] == '/')
		directory--;
	while (directory > 0 && path[directory - 1] != '/')
		directory--;
	if (directory > 0)
		directory--;
	pattern[0] = '\0';
	for (; *form && used < PATH_MAX - 1; form++) {
		int written;

		if (form[0] == '%' && form[1] == 'p')
			written = snprintf(pattern + used, PATH_MAX - used, "%.*s", (int)directory,
					   path);
		else if (form[0] == '%' && form[1] == 'n')
			written = snprintf(pattern + used, PATH_MAX - used, "%s", name);
		else
			written = snprintf(pattern + used, PATH_MAX - used, "%c", *form);
		used += (size_t)written;
		form += form[0] == '%';
	}
}

void tls_libraries_find(struct tls_libraries *libraries, const struct root *root, const char *path,
			const struct elf_file *program)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct library_path search;

	memset(libraries, 0, sizeof(*libraries));
	library_path_read(&search, root);
	walk_from(libraries, &search, path, program, "");
	for (size_t i = 0; i < COUNT(known_modules); i++) {
		struct module_search modules = {libraries, &search, program};
		char pattern[PATH_MAX];

		if (fnmatch(known_modules[i].program, name, 0) != 0)
			continue;
		module_pattern(pattern, known_modules[i].module, path, name);
		root_glob(root, pattern, walk_from_module, &modules);
	}
	library_path_free(&search);
}
