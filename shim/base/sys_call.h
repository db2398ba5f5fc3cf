/*
 * A system call by the machine's own instruction. libc's `syscall` is a symbol,
 * and symbols have other owners at times: torsocks, for one, has its own, from
 * which ours would come back to us.
 *
 * sys_call() takes the number and six arguments and returns what the kernel
 * returns: the result, or a negated error number from -4095 to -1. It leaves
 * errno alone. On an architecture that is not known here it is libc's.
 */
#ifndef TLSWITNESS_SYS_CALL_H
#define TLSWITNESS_SYS_CALL_H

#if defined(__clang_analyzer__)

/* Which reads no assembler: whatever the kernel may write to is not known after this. */
long sys_call(long number, long a, long b, long c, long d, long e, long f);

#elif defined(__x86_64__)

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

#elif defined(__i386__)

/*
 * The sixth argument goes into the frame pointer and the first into the pointer
 * of the global offset table, neither of which a constraint can always ask for.
 */
static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	const long others[3] = {a, e, f};
	const long *at = others;
	long result;

	__asm__ volatile("push %%ebp\n\t"
			 "push %%ebx\n\t"
			 "mov (%%edi), %%ebx\n\t"
			 "mov 8(%%edi), %%ebp\n\t"
			 "mov 4(%%edi), %%edi\n\t"
			 "int $0x80\n\t"
			 "pop %%ebx\n\t"
			 "pop %%ebp"
			 : "=a"(result), "+D"(at)
			 : "a"(number), "c"(b), "d"(c), "S"(d)
			 : "memory", "cc");
	return result;
}

#elif defined(__riscv)

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = number;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

#else

#include <errno.h>
#include <unistd.h>

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	const int saved = errno;
	long result = syscall(number, a, b, c, d, e, f);

	if (result == -1)
		result = -errno;
	errno = saved;
	return result;
}

#endif

#endif
