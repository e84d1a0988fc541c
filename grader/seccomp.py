"""The sandbox's filter of system calls: the BPF program that ``bwrap --seccomp`` reads.

Namespaces hide files, processes and the network. The filter closes the rest of the kernel: it
allows what CPython, NumPy and the C library need, and refuses every other call.
"""

from __future__ import annotations

import platform
import struct

# Allowed calls, each with its number on x86_64 and on aarch64 ("-": it does not exist there), from
# the kernel's unistd headers.
ALLOWED = """
Files:
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, open 2 -,
openat 257 56, close 3 57, close_range 436 436, lseek 8 62, stat 4 -, fstat 5 80, lstat 6 -,
newfstatat 262 79, statx 332 291, access 21 -, faccessat 269 48, faccessat2 439 439, pipe 22 -,
pipe2 293 59, dup 32 23, dup2 33 -, dup3 292 24, getdents64 217 61, getcwd 79 17, chdir 80 49,
fchdir 81 50, rename 82 -, renameat 264 38, renameat2 316 276, mkdir 83 -, mkdirat 258 34,
rmdir 84 -, unlink 87 -, unlinkat 263 35, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36,
readlink 89 -, readlinkat 267 78, chmod 90 -, fchmod 91 52, fchmodat 268 53, utime 132 -,
utimes 235 -, utimensat 280 88, truncate 76 45, ftruncate 77 46, fsync 74 82, fdatasync 75 83,
statfs 137 43, fstatfs 138 44, umask 95 166, sendfile 40 71, copy_file_range 326 285,
getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10, listxattr 194 11, llistxattr 195 12,
flistxattr 196 13
Waiting, and what asyncio needs of a pair of sockets:
poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20,
epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22, eventfd2 290 19, sendto 44 206,
recvfrom 45 207, shutdown 48 210, getsockname 51 204, getpeername 52 205, getsockopt 55 209
Memory:
brk 12 214, munmap 11 215, mremap 25 216, mprotect 10 226, madvise 28 233
Processes and threads:
fork 57 -, vfork 58 -, execve 59 221, exit 60 93, exit_group 231 94, wait4 61 260, waitid 247 95,
kill 62 129, tkill 200 130, tgkill 234 131, futex 202 98, set_robust_list 273 99,
set_tid_address 218 96, rseq 334 293, arch_prctl 158 -, getpid 39 172, getppid 110 173,
gettid 186 178, getpgrp 111 -, getpgid 121 155, setpgid 109 154, getsid 124 156, getuid 102 174,
geteuid 107 175, getgid 104 176, getegid 108 177, getresuid 118 148, getresgid 120 150,
getgroups 115 158, sched_yield 24 124, sched_getaffinity 204 123, sched_getparam 143 121,
sched_getscheduler 145 120, getcpu 309 168, getpriority 140 141,
getrlimit 97 163, setrlimit 160 164, prlimit64 302 261, getrusage 98 165, times 100 153,
sysinfo 99 179, uname 63 160, getrandom 318 278, restart_syscall 219 128
Signals and time:
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136,
rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132, pause 34 -, alarm 37 -,
getitimer 36 102, setitimer 38 103, nanosleep 35 101, clock_nanosleep 230 115,
clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169, time 201 -
"""

# Calls that do many things: their numbers, which argument says what, and its allowed values.
CHOICES = {
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Not leases and locks: on the
    # files of Python and NumPy, which all submissions share, they would stop or signal the others.
    "fcntl": (72, 25, 1, (0, 1, 2, 3, 4, 1030)),
    # TCGETS (isatty), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": (16, 29, 1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    # PR_SET_NAME, PR_GET_NAME. Not PR_SET_PDEATHSIG, by which the sandbox ends with the grader.
    "prctl": (157, 167, 0, (15, 16)),
    "socketpair": (53, 199, 0, (1,)),  # AF_UNIX
}
# Calls of which some bits of an argument are refused: numbers, argument, bits.
WITHOUT = {
    "clone": (56, 220, 0, 0x7E020000),  # the CLONE_NEW* flags: new namespaces
    "mmap": (9, 222, 3, 0x01),  # MAP_SHARED: such memory stays when no process has it in use
}
# The C library tries newer calls, and does without them only if they seem not to exist. So it does
# with clone3 instead of clone, whose flags are in memory, where no filter can read them.
NEWER = 424

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_*
# Offsets in struct seccomp_data, and return values of the filter.
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
# BPF instructions: load a word; jump if equal, if greater or equal, if any bit is set; return.
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def allowed(column: int) -> dict[str, int]:
    """Number of each allowed call that exists on x86_64 (column 0) or on aarch64 (1)."""
    lists = [line for line in ALLOWED.splitlines() if not line.endswith(":")]
    calls = [entry.split() for line in lists for entry in line.split(",") if entry.strip()]
    return {name: int(numbers[column]) for name, *numbers in calls if numbers[column] != "-"}


def program(machine: str | None = None) -> bytes | None:
    """Filter for a processor (by default this one); None if the calls' numbers are not known."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return None
    column, audit = ARCHITECTURES[machine]
    # A test that does not apply skips the return after it.
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, audit, 1, 0),
        _step(RETURN, KILL),  # 32-bit programs number the calls differently
        _step(LOAD, NUMBER),
        _step(AT_LEAST, 0x40000000, 0, 1),
        _step(RETURN, KILL),  # and so do x32 programs
    ]
    for number in allowed(column).values():
        steps += [_step(EQUAL, number, 0, 1), _step(RETURN, ALLOW)]
    for *numbers, argument, values in CHOICES.values():
        tests = [_step(EQUAL, value, len(values) - k, 0) for k, value in enumerate(values)]
        steps += _block(numbers[column], argument, [*tests, _step(RETURN, EPERM)])
    for *numbers, argument, bits in WITHOUT.values():
        steps += _block(
            numbers[column], argument, [_step(ANY_BIT, bits, 0, 1), _step(RETURN, EPERM)]
        )
    steps += [_step(AT_LEAST, NEWER, 0, 1), _step(RETURN, ENOSYS), _step(RETURN, EPERM)]
    return b"".join(steps)


def _block(number: int, argument: int, tests: list[bytes]) -> list[bytes]:
    """Steps for one call that load an argument, test it, and then allow the call."""
    # The kernel reads these arguments as 32 bits, which come first on both processors.
    load = _step(LOAD, ARGUMENTS + 8 * argument)
    return [
        _step(EQUAL, number, 0, len(tests) + 2),
        *(load, *tests, _step(RETURN, ALLOW)),
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
