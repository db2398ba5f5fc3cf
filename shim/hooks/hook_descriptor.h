/*
 * What other hooks share with those of close.
 */
#ifndef TLSWITNESS_HOOK_DESCRIPTOR_H
#define TLSWITNESS_HOOK_DESCRIPTOR_H

/*
 * `fd` is about to be closed: a connection's last record is written while its
 * descriptor still is one. Keeps errno.
 */
void before_close(int fd);

#endif
