/*
 * The C library's functions behind our hooks: what the loader would have bound
 * had this library not been there, which is the next function of that name in
 * the global scope (another preload's, or the C library's own).
 */
#ifndef TLSWITNESS_REAL_LIBC_H
#define TLSWITNESS_REAL_LIBC_H

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/core/descriptor_table.h"

/* Marks a hook that is a symbol. Everything else in this library is hidden. */
#define EXPORT __attribute__((visibility("default")))

/*
 * glibc declares the address arguments of these calls as a union of pointers
 * and the flags of two others as int; definitions have to agree. musl's headers
 * have neither, and not the loader's functions that only glibc has: there the
 * hooks of those are never called.
 */
#ifdef __GLIBC__
#define ADDRESS_OF(argument) ((argument).__sockaddr__)
#define OF_ADDRESS(address)  ((__SOCKADDR_ARG){.__sockaddr__ = (address)})
typedef int mmsg_flags;
#else
#define __SOCKADDR_ARG       struct sockaddr *
#define __CONST_SOCKADDR_ARG const struct sockaddr *
#define ADDRESS_OF(argument) (argument)
#define OF_ADDRESS(address)  (address)
#define RTLD_DEEPBIND        0
typedef unsigned mmsg_flags;
typedef long Lmid_t;
void *dlmopen(Lmid_t name_space, const char *path, int flags);
void *dlvsym(void *handle, const char *name, const char *version);
#undef sendfile64
/* A macro of musl's until 1.2.3, and nothing since. */
#undef off64_t
typedef off_t off64_t;
int fcntl64(int fd, int command, ...);
ssize_t sendfile64(int out, int in, off_t *offset, size_t count);
#endif

/* Siblings that libc exports without declaring them, and what old headers lack. */
int __connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length);
ssize_t __read(int fd, void *buffer, size_t count);
ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
		       struct sockaddr *address, socklen_t *length);
ssize_t __write(int fd, const void *buffer, size_t count);
ssize_t __send(int fd, const void *buffer, size_t count, int flags);
int __dup2(int old_fd, int new_fd);
int __fcntl(int fd, int command, ...);
int __close(int fd);
pid_t __fork(void);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags);
ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags);
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);

#define HOOK(name, base) __typeof__(name) *name;
/* A function that this libc does not have fails as an unknown system call does: ENOSYS. */
struct real_libc {
#include "shim/hooks/hooks_libc.def"
#include "shim/hooks/hooks_loader.def"
};
#undef HOOK

/* Filled when `read` is there; only for what follows. */
extern struct real_libc real_libc __attribute__((visibility("hidden")));

/* Fills it. At start, or at the first call of a hook before that. */
void real_libc_find(void);

/* The one way to a real function: libc()->read(...). */
static inline const struct real_libc *libc(void)
{
	if (!real_libc.read)
		real_libc_find();
	return &real_libc;
}

/* Is this a function that libc has? */
bool real_libc_has(uintptr_t function);

/*
 * Is this a descriptor that is no mail connection, and libc() nothing but the
 * table? Then a hook's way to the real function is a jump: nothing is called
 * before, and no register saved.
 */
static inline bool passes(int fd)
{
	return descriptor_unmonitored(fd) && real_libc.read;
}

/* hook_descriptor.c: our own, where the name leads to a preload before us. */
extern __typeof__(connect) hook_connect __attribute__((visibility("hidden")));

#endif
