/*
 * System calls made on our own account. They go to the kernel directly: libc's
 * functions of the same name are interposed by ourselves, and several of them
 * are cancellation points, which the host's call need not be. All of them set
 * errno; the hooks keep the host's.
 */
#ifndef TLSWITNESS_SYS_H
#define TLSWITNESS_SYS_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

static inline ssize_t sys_read(int fd, void *buffer, size_t count)
{
	return syscall(SYS_read, fd, buffer, count);
}

static inline ssize_t sys_pread(int fd, void *buffer, size_t count, off_t offset)
{
	return syscall(SYS_pread64, fd, buffer, count, offset);
}

static inline ssize_t sys_write(int fd, const void *buffer, size_t count)
{
	return syscall(SYS_write, fd, buffer, count);
}

static inline off_t sys_lseek(int fd, off_t offset, int whence)
{
	return (off_t)syscall(SYS_lseek, fd, offset, whence);
}

static inline int sys_duplicate_above(int fd, int least)
{
	return (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
}

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static inline ssize_t sys_sendto(int fd, const void *buffer, size_t count, int flags,
				 const struct sockaddr *address, socklen_t length)
{
	return syscall(SYS_sendto, fd, buffer, count, flags, address, length);
}

static inline int sys_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)syscall(SYS_getpeername, fd, address, length);
}

static inline int sys_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)syscall(SYS_getsockname, fd, address, length);
}

static inline int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}

static inline int sys_shutdown(int fd, int how)
{
	return (int)syscall(SYS_shutdown, fd, how);
}

static inline ssize_t sys_getrandom(void *buffer, size_t count, unsigned flags)
{
	return syscall(SYS_getrandom, buffer, count, flags);
}

static inline pid_t sys_getpid(void)
{
	return (pid_t)syscall(SYS_getpid);
}

#endif
