/*
 * Loads libraries in one of the ways that there are, and calls `handshake` in
 * each (tests/scripts/binding/client.c), which says what has answered:
 *   binding MODE LIBRARY...
 * MODE: local, global, deep (RTLD_DEEPBIND), apart (dlmopen), again (unloaded
 * after the call, before the next one).
 *   binding names
 * says which of a TLS library's functions are found in this program, which uses
 * none.
 *   binding owner LIBRARY FUNCTION
 * says in which file the function lies that dlsym finds.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

extern int SSL_connect(void *ssl) __attribute__((weak));
extern int gnutls_handshake(void *session) __attribute__((weak));

static const char *file_of(const void *address)
{
	Dl_info info;

	if (address == NULL)
		return "none";
	if (dladdr(address, &info) == 0)
		return "unknown";
	const char *slash = strrchr(info.dli_fname, '/');
	return slash != NULL ? slash + 1 : info.dli_fname;
}

static int say_names(void)
{
	static const char *const names[] = {"SSL_CTX_new", "SSL_read", "BIO_read",
					    "gnutls_handshake"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf("%s: %s, next %s\n", names[i], file_of(dlsym(RTLD_DEFAULT, names[i])),
		       file_of(dlsym(RTLD_NEXT, names[i])));
	printf("weak: %d %d\n", SSL_connect != NULL, gnutls_handshake != NULL);
	return 0;
}

static void *load(const char *mode, const char *library)
{
	if (strcmp(mode, "apart") == 0)
		return dlmopen(LM_ID_NEWLM, library, RTLD_LAZY);
	if (strcmp(mode, "deep") == 0)
		return dlopen(library, RTLD_LAZY | RTLD_DEEPBIND);
	return dlopen(library, RTLD_LAZY | (strcmp(mode, "global") == 0 ? RTLD_GLOBAL : 0));
}

static int call(const char *mode, const char *library)
{
	void *handle = load(mode, library);
	void *symbol = handle != NULL ? dlsym(handle, "handshake") : NULL;
	const char *(*handshake)(void);

	if (symbol == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	memcpy(&handshake, &symbol, sizeof(handshake));
	puts(handshake());
	return strcmp(mode, "again") == 0 && dlclose(handle) != 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 2 && strcmp(argv[1], "names") == 0)
		return say_names();
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "owner") == 0) {
		puts(file_of(dlsym(dlopen(argv[2], RTLD_LAZY), argv[3])));
		return 0;
	}
	for (int i = 2; i < argc; i++)
		failed |= call(argv[1], argv[i]);
	return failed;
}
