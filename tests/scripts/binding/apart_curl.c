/*
 * A libcurl in a name space of its own (dlmopen) that says NOOP to the server at URL.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void *library;

static void find(const char *name, void *function)
{
	void *address = dlsym(library, name);

	memcpy(function, &address, sizeof(address));
}

int main(int argc, char **argv)
{
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_setopt) *set;
	__typeof__(curl_easy_perform) *perform;
	CURL *curl;

	library = dlmopen(LM_ID_NEWLM, "libcurl.so.4", RTLD_NOW);
	if (argc != 2 || !library)
		return 2;
	find("curl_easy_init", &init);
	find("curl_easy_setopt", &set);
	find("curl_easy_perform", &perform);
	curl = init();
	(set)(curl, CURLOPT_URL, argv[1]);
	(set)(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	(set)(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	(set)(curl, CURLOPT_CUSTOMREQUEST, "NOOP");
	printf("%d\n", (int)perform(curl));
	return 0;
}
