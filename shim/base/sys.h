/*
 * System calls made on our own account. They go to the kernel directly
 * (sys_call.h): libc's functions of the same name are interposed by ourselves
 * and by others, and several of them are cancellation points, which the host's
 * call need not be. All of them set errno; the hooks keep the host's.
 */
#ifndef TLSWITNESS_SYS_H
#define TLSWITNESS_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <time.h>

#include "shim/base/sys_call.h"

/* As libc's functions return it: -1 and errno for what failed. */
static inline long sys_result(long result)
{
	if (result < 0 && result >= -4095) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

#define SYS_0(number)       sys_result(sys_call(number, 0, 0, 0, 0, 0, 0))
#define SYS_1(number, a)    sys_result(sys_call(number, (long)(a), 0, 0, 0, 0, 0))
#define SYS_2(number, a, b) sys_result(sys_call(number, (long)(a), (long)(b), 0, 0, 0, 0))
#define SYS_3(number, a, b, c) \
	sys_result(sys_call(number, (long)(a), (long)(b), (long)(c), 0, 0, 0))
#define SYS_4(number, a, b, c, d) \
	sys_result(sys_call(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0))
#define SYS_5(number, a, b, c, d, e) \
	sys_result(sys_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0))
#define SYS_6(number, a, b, c, d, e, f)                                                    \
	sys_result(sys_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
			    (long)(f)))

/* ---- files ---- */

static inline int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)SYS_4(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)SYS_1(SYS_close, fd);
}

static inline ssize_t sys_read(int fd, void *buffer, size_t count)
{
	return SYS_3(SYS_read, fd, buffer, count);
}

static inline ssize_t sys_write(int fd, const void *buffer, size_t count)
{
	return SYS_3(SYS_write, fd, buffer, count);
}

#ifdef SYS__llseek /* 32 bits: an offset is two registers */

static inline off_t sys_lseek(int fd, off_t offset, int whence)
{
	int64_t at = 0;

	if (SYS_5(SYS__llseek, fd, (uint64_t)offset >> 32, offset, &at, whence) < 0)
		return -1;
	return (off_t)at;
}

#else

static inline off_t sys_lseek(int fd, off_t offset, int whence)
{
	return (off_t)SYS_3(SYS_lseek, fd, offset, whence);
}

#endif

#if defined(__i386__)

static inline ssize_t sys_pread(int fd, void *buffer, size_t count, off_t offset)
{
	return SYS_5(SYS_pread64, fd, buffer, count, offset, (uint64_t)offset >> 32);
}

#elif defined(__LP64__)

static inline ssize_t sys_pread(int fd, void *buffer, size_t count, off_t offset)
{
	return SYS_4(SYS_pread64, fd, buffer, count, offset);
}

#else /* an even pair of registers */

static inline ssize_t sys_pread(int fd, void *buffer, size_t count, off_t offset)
{
	return SYS_6(SYS_pread64, fd, buffer, count, 0, offset, (uint64_t)offset >> 32);
}

#endif

static inline int sys_duplicate_above(int fd, int least)
{
	return (int)SYS_3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
}

/* Is `fd` open? */
static inline bool sys_is_open(int fd)
{
	return SYS_2(SYS_fcntl, fd, F_GETFD) >= 0;
}

#if defined(SYS_fstat) && defined(__LP64__)

static inline int sys_fstat(int fd, struct stat *status)
{
	return (int)SYS_2(SYS_fstat, fd, status);
}

#elif defined(SYS_fstat64) /* 32 bits: the kernel's form is struct stat64 */

static inline int sys_fstat(int fd, struct stat *status)
{
	struct stat64 wide;

	if (SYS_2(SYS_fstat64, fd, &wide) != 0)
		return -1;
	*status = (struct stat){
		.st_dev = (dev_t)wide.st_dev,
		.st_ino = (ino_t)wide.st_ino,
		.st_mode = wide.st_mode,
		.st_nlink = wide.st_nlink,
		.st_uid = wide.st_uid,
		.st_gid = wide.st_gid,
		.st_size = (off_t)wide.st_size,
	};
	return 0;
}

#else

static inline int sys_fstat(int fd, struct stat *status)
{
	return fstat(fd, status);
}

#endif

static inline ssize_t sys_readlink(const char *path, char *target, size_t room)
{
	return SYS_4(SYS_readlinkat, AT_FDCWD, path, target, room);
}

/* The length with the NUL, which getcwd(3) does not tell. */
static inline ssize_t sys_getcwd(char *path, size_t room)
{
	return SYS_2(SYS_getcwd, path, room);
}

/* struct pollfd of poll(2), which is the same everywhere. */
struct sys_polled {
	int fd;
	short events;
	short returned;
};

#define SYS_POLL_NOT_OPEN 0x20 /* POLLNVAL */

/* What there is at once to say of each; -1 where there are more than may be open. */
static inline int sys_poll(struct sys_polled *polled, unsigned count)
{
#ifdef SYS_poll
	return (int)SYS_3(SYS_poll, polled, count, 0);
#else
	struct {
		long seconds;
		long nanoseconds;
	} at_once = {0, 0};

	return (int)SYS_5(SYS_ppoll, polled, count, &at_once, 0, 0);
#endif
}

/* ---- sockets; i386 had one call for all of them before Linux 4.3 ---- */

#ifdef SYS_socket
#define SYS_SOCKET_CALL(name, number, a, b, c, d, e, f) SYS_6(SYS_##name, a, b, c, d, e, f)
#else
#define SYS_SOCKET_CALL(name, number, a, b, c, d, e, f) \
	SYS_2(SYS_socketcall, number,                   \
	      ((long[]){(long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)}))
#endif

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)SYS_SOCKET_CALL(socket, 1, domain, type, protocol, 0, 0, 0);
}

static inline ssize_t sys_sendto(int fd, const void *buffer, size_t count, int flags,
				 const struct sockaddr *address, socklen_t length)
{
	return SYS_SOCKET_CALL(sendto, 11, fd, buffer, count, flags, address, length);
}

static inline int sys_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)SYS_SOCKET_CALL(getpeername, 7, fd, address, length, 0, 0, 0);
}

static inline int sys_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)SYS_SOCKET_CALL(getsockname, 6, fd, address, length, 0, 0, 0);
}

static inline int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	return (int)SYS_SOCKET_CALL(getsockopt, 15, fd, level, name, value, length, 0);
}

static inline int sys_shutdown(int fd, int how)
{
	return (int)SYS_SOCKET_CALL(shutdown, 13, fd, how, 0, 0, 0, 0);
}

static inline int sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)SYS_SOCKET_CALL(connect, 3, fd, address, length, 0, 0, 0);
}

/* ---- processes and threads ---- */

static inline ssize_t sys_getrandom(void *buffer, size_t count, unsigned flags)
{
	return SYS_3(SYS_getrandom, buffer, count, flags);
}

static inline pid_t sys_getpid(void)
{
	return (pid_t)SYS_0(SYS_getpid);
}

static inline pid_t sys_getppid(void)
{
	return (pid_t)SYS_0(SYS_getppid);
}

static inline pid_t sys_gettid(void)
{
	return (pid_t)SYS_0(SYS_gettid);
}

static inline uid_t sys_geteuid(void)
{
#ifdef SYS_geteuid32
	return (uid_t)SYS_0(SYS_geteuid32);
#else
	return (uid_t)SYS_0(SYS_geteuid);
#endif
}

static inline void sys_yield(void)
{
	(void)SYS_0(SYS_sched_yield);
}

/* The limit on the size of a file, in bytes; UINT64_MAX: none. */
static inline uint64_t sys_file_size_limit(void)
{
	struct {
		uint64_t current;
		uint64_t highest;
	} limit = {UINT64_MAX, UINT64_MAX};

	/* RLIMIT_FSIZE is 1 everywhere; the call knows 64 bits everywhere. */
	if (SYS_4(SYS_prlimit64, 0, 1, 0, &limit) != 0)
		return UINT64_MAX;
	return limit.current;
}

static inline int sys_uname(struct utsname *name)
{
	return (int)SYS_1(SYS_uname, name);
}

/* The signals that this thread blocks, as the kernel counts them. */
struct sys_signals {
	uint64_t bits[2]; /* MIPS has 128 of them */
};

/* All but the two that glibc needs for itself (setuid and the like, pthread_cancel). */
#define SYS_SIGNALS_ALL ((struct sys_signals){{~((uint64_t)3 << 31), UINT64_MAX}})

/* `previous` may be NULL. */
static inline void sys_set_signals(const struct sys_signals *set, struct sys_signals *previous)
{
#if defined(__mips__)
	(void)SYS_4(SYS_rt_sigprocmask, 3, set, previous, 16); /* SIG_SETMASK there */
#else
	(void)SYS_4(SYS_rt_sigprocmask, 2, set, previous, 8); /* SIG_SETMASK */
#endif
}

/*
 * Can 8 bytes be read at `address`? The kernel reads the set of signals before
 * it finds that there is no such way to change the mask. Sets errno.
 */
static inline bool sys_can_read(const void *address)
{
#if defined(__mips__)
	return SYS_4(SYS_rt_sigprocmask, -1, address, 0, 16) == 0 || errno != EFAULT;
#else
	return SYS_4(SYS_rt_sigprocmask, -1, address, 0, 8) == 0 || errno != EFAULT;
#endif
}

/* ---- memory ---- */

static inline int sys_mprotect(void *start, size_t length, int protection)
{
	return (int)SYS_3(SYS_mprotect, start, length, protection);
}

static inline int sys_madvise(void *start, size_t length, int advice)
{
	return (int)SYS_3(SYS_madvise, start, length, advice);
}

/* Is there anything at this address? */
static inline bool sys_is_mapped(const void *address)
{
	unsigned char resident;

	/* EINVAL: it is no multiple of this machine's page size. */
	for (uintptr_t size = 4096; size <= 65536; size *= 2) {
		if (SYS_3(SYS_mincore, (uintptr_t)address & ~(size - 1), 1, &resident) == 0)
			return true;
		if (errno != EINVAL)
			return false;
	}
	return false;
}

static inline int sys_munmap(void *start, size_t length)
{
	return (int)SYS_2(SYS_munmap, start, length);
}

/* Zeroed memory of our own, read and written; NULL where there is none. */
static inline void *sys_map(size_t length)
{
	/* PROT_READ | PROT_WRITE, and MAP_PRIVATE | MAP_ANONYMOUS. */
#if defined(__mips__)
	const int flags = 0x802;
#elif defined(__alpha__)
	const int flags = 0x12;
#else
	const int flags = 0x22;
#endif
#ifdef SYS_mmap2
	long result = SYS_6(SYS_mmap2, 0, length, 3, flags, -1, 0);
#else
	long result = SYS_6(SYS_mmap, 0, length, 3, flags, -1, 0);
#endif
	return result == -1 ? NULL : (void *)result;
}

/* ---- time ---- */

/* clock_gettime(2), not libc's, which others like to lie with (libfaketime). */
static inline void sys_clock(clockid_t clock, struct timespec *now)
{
#ifdef SYS_clock_gettime64 /* 32 bits */
	struct {
		int64_t seconds;
		int64_t nanoseconds;
	} wide;

	if (SYS_2(SYS_clock_gettime64, clock, &wide) == 0) {
		now->tv_sec = (time_t)wide.seconds;
		now->tv_nsec = (long)wide.nanoseconds;
		return;
	}
#endif
	now->tv_sec = 0;
	now->tv_nsec = 0;
	(void)SYS_2(SYS_clock_gettime, clock, now);
}

#endif
