/*
 * What a connection can fail with, in the words of strerror(3) and whatever the
 * locale. libc's strerrordesc_np() is not in every glibc, and strerror()
 * translates and allocates.
 */
#ifndef TLSWITNESS_ERROR_TEXT_H
#define TLSWITNESS_ERROR_TEXT_H

/* Static text for an error number, or NULL for one that no connection has. */
const char *error_text(int error);

#endif
