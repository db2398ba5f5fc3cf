/* Macros of headers that cppcheck does not read, as far as it must know them. */
#define ElfW(type)                                Elf64_##type
#define Test(suite, name, ...)                    static void suite##_##name(void)
#define TestSuite(suite, ...)                     extern int suite_##suite
#define json_array_foreach(array, index, value)   for (index = 0; (value = json_array_get(array, index)); index++)
#define json_object_foreach(object, key, value)   for (key = first_key(object); (value = json_object_get(object, key)); key = next_key(key))
#define HASH_ITER(hh, head, element, after)                                                        \
	for ((element) = (head), (after) = (element) ? (element)->hh.next : 0; (element);          \
	     (element) = (after), (after) = (element) ? (element)->hh.next : 0)
