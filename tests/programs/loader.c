/*
 * Loads a library by hand and calls a function of it without arguments:
 *   loader call LIBRARY FUNCTION   prints the int that it returns
 *   loader deep LIBRARY FUNCTION   with RTLD_DEEPBIND; prints the name of the
 *                                  file that the returned address lies in
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int say_owner(const void *address)
{
	Dl_info info;

	if (dladdr(address, &info) == 0)
		return 1;
	const char *slash = strrchr(info.dli_fname, '/');
	puts(slash != NULL ? slash + 1 : info.dli_fname);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	const int deep = strcmp(argv[1], "deep") == 0;
	void *library = dlopen(argv[2], RTLD_NOW | (deep ? RTLD_DEEPBIND : 0));
	void *function = library != NULL ? dlsym(library, argv[3]) : NULL;

	if (function == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	if (deep) {
		void *(*address)(void);

		memcpy(&address, &function, sizeof(address));
		return say_owner(address());
	}
	int (*number)(void);

	memcpy(&number, &function, sizeof(number));
	printf("%d\n", number());
	return 0;
}
