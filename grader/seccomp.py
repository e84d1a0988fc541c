"""The sandbox's filter of system calls: the BPF program that ``bwrap --seccomp`` reads.

Namespaces hide files, processes and the network. The filter refuses what they do not cover: sockets
outside any namespace (vsock reaches a virtual machine's host), memory that the limits do not count
(``memfd_create``, System V shared memory), new namespaces, and rarely used parts of the kernel.
"""

from __future__ import annotations

import platform
import struct

# Number of each refused call on (x86_64, aarch64), from the kernel's unistd headers.
REFUSED = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "fanotify_init": (300, 262),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "socket": (41, 198),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
CLONE = (56, 220)
CLONE3 = 435
NEW_NAMESPACES = 0x7E020000  # the CLONE_NEW* flags
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_*

# Offsets in struct seccomp_data, and return values of the filter.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
# BPF instructions: load a word; jump if equal, if greater or equal, if any bit is set; return.
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def program(machine: str | None = None) -> bytes | None:
    """Filter for a processor (by default this one); None if `REFUSED` lacks its numbers."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return None
    column, audit = ARCHITECTURES[machine]

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    # A test that does not apply skips the return after it.
    steps = [
        step(LOAD, ARCHITECTURE),
        step(EQUAL, audit, 1, 0),
        step(RETURN, KILL),  # 32-bit programs number the calls differently
        step(LOAD, NUMBER),
        step(AT_LEAST, 0x40000000, 0, 1),
        step(RETURN, KILL),  # and so do x32 programs
        # A filter cannot read the flags of clone3, which are in memory. If clone3 seems not to
        # exist, the C library uses clone instead.
        step(EQUAL, CLONE3, 0, 1),
        step(RETURN, ENOSYS),
    ]
    for numbers in REFUSED.values():
        steps += [step(EQUAL, numbers[column], 0, 1), step(RETURN, EPERM)]
    steps += [
        step(EQUAL, CLONE[column], 0, 3),
        step(LOAD, FIRST_ARGUMENT),
        step(ANY_BIT, NEW_NAMESPACES, 0, 1),
        step(RETURN, EPERM),
        step(RETURN, ALLOW),
    ]
    return b"".join(steps)
