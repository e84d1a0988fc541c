"""The filter of system calls, run by a small interpreter of BPF, so for both processors."""

import errno
import re
import struct
from functools import cache
from pathlib import Path

import pytest

from grader import seccomp

COLUMNS = {name: column for name, (column, _) in seccomp.ARCHITECTURES.items()}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
EPERM, ENOSYS, ALLOWED, KILLED = errno.EPERM, errno.ENOSYS, "allowed", "killed"


@cache
def steps_of(machine):
    """Instructions of the filter."""
    return list(struct.iter_unpack("=HBBI", seccomp.program(machine)))


def outcome(machine, number, *arguments, audit=None):
    """What the filter decides on a call: `ALLOWED`, `KILLED`, or an error number."""
    audit = audit or seccomp.ARCHITECTURES[machine][1]
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    steps, at, word = steps_of(machine), 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (word,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}.get(value, value & 0xFFFF)
        else:
            test = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[code]
            at += if_true if test else if_false


@pytest.mark.parametrize("machine", COLUMNS)
def test_only_listed_calls_are_allowed(machine):
    listed = set(seccomp.allowed(COLUMNS[machine]).values())
    special = {v[COLUMNS[machine]] for v in [*seccomp.CHOICES.values(), *seccomp.WITHOUT.values()]}
    assert not listed & special
    for number in set(range(700)) - special:
        refusal = ENOSYS if number >= 424 else EPERM
        assert outcome(machine, number) == (ALLOWED if number in listed else refusal), number


@pytest.mark.parametrize("machine", COLUMNS)
def test_arguments_are_checked(machine):
    column = COLUMNS[machine]
    for name, (*numbers, argument, values) in seccomp.CHOICES.items():
        for value in {
            *range(50),
            *(v + k for v in values for k in (0, 1, 16)),
            1024,
            1031,
            1 << 31,
        }:
            arguments = [7] * argument + [value]
            expected = ALLOWED if value in values else EPERM
            assert outcome(machine, numbers[column], *arguments) == expected, (name, value)
            # The kernel reads 32 bits, so more of them change nothing.
            arguments[-1] |= 1 << 32
            assert outcome(machine, numbers[column], *arguments) == expected, (name, value)
    for *numbers, argument, bits in seccomp.WITHOUT.values():
        for bit in range(32):
            arguments = [0] * argument + [1 << bit]
            expected = EPERM if 1 << bit & bits else ALLOWED
            assert outcome(machine, numbers[column], *arguments) == expected, bit


@pytest.mark.parametrize("machine", COLUMNS)
def test_programs_that_number_the_calls_differently_are_killed(machine):
    assert outcome(machine, 0, audit=0x40000003) == KILLED  # 32-bit x86
    assert outcome(machine, 0x40000000) == KILLED  # x32


@pytest.mark.parametrize("machine", COLUMNS)
def test_numbers_are_those_of_the_kernel(machine):
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip("the kernel's headers (linux-libc-dev) are not installed")
    names = {"newfstatat": "fstatat"} if machine == "aarch64" else {}
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    numbers = seccomp.allowed(COLUMNS[machine])
    for name, (*both, _, _) in [*seccomp.CHOICES.items(), *seccomp.WITHOUT.items()]:
        numbers[name] = both[COLUMNS[machine]]
    for name, number in numbers.items():
        assert int(known[names.get(name, name)]) == number, name


def test_no_filter_for_other_processors():
    assert seccomp.program("riscv64") is None
