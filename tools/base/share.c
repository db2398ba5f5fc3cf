#include "tools/base/share.h"

#include <stdio.h>

size_t share_text(char text[SHARE_TEXT_MAX], uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;
	int length = 0;

	/* As they would be rounded. */
	if (part > 0 && share < 0.1)
		length = snprintf(text, SHARE_TEXT_MAX, "<0.1 %%");
	else if (part < whole && share > 99.9)
		length = snprintf(text, SHARE_TEXT_MAX, ">99.9 %%");
	else
		length = snprintf(text, SHARE_TEXT_MAX, "%.*f %%",
				  part == whole || part == 0 ? 0 : 1, share);
	return (size_t)length;
}
