/*
 * A preload with a dl_iterate_phdr of its own, which finds the real one only when
 * it is called.
 */
#include <dlfcn.h>
#include <link.h>

typedef int visitor(struct dl_phdr_info *info, size_t size, void *data);

int dl_iterate_phdr(visitor *visit, void *data)
{
	static int (*real)(visitor * visit, void *data);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "dl_iterate_phdr");
	return real(visit, data);
}
