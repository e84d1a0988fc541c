"""Submissions that never end, crash, or use too much memory, disk, output or processes."""

from tests.grader.hostile.case import (
    ALL,
    FIRST,
    SOLUTIONS,
    TOKEN,
    Case,
    answer,
    cell,
    first_cell,
    refused,
    refused_call,
    saved,
    solved,
)

SLOW = """
def work():
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
"""

# What spins for ever uses up its notebook's own time, the sooner the slower the machine is.
SPIN = """
if os.fork() == 0:
    while time.process_time() < 1.5: pass
    os._exit(0)
"""
CASES: dict[str, Case] = {
    "endless cell": first_cell("while True: pass", status="killed", says="ran for more than"),
    "endless cell, signals ignored": first_cell(
        "for s in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(s, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        status="killed",
        says="ran for more than",
    ),
    "endless call": answer("while True: time.sleep(1)", status="killed", says="ran for more than"),
    "endless call in C": answer("return sum(range(10**15))", status="killed", says="ran for more"),
    "endless everywhere": Case(
        saved(
            solved(
                after="def slow(*args):\n    time.sleep(100)\n"
                + "\n".join(f"{name} = slow" for name in SOLUTIONS)
            )
        ),
        ALL,
        "killed",
        "seconds were used up",
    ),
    "spins in many processes": first_cell(
        "for _ in range(14):\n    if os.fork() == 0:\n        try: os.setsid()\n"
        "        finally:\n            while True: pass\ntime.sleep(100)",
        status="killed",
        says="ran for more than 2 seconds",
    ),
    "spins in processes that nobody waits for": first_cell(
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "def spin(seconds):\n    end = time.process_time() + seconds\n"
        "    while time.process_time() < end: pass\n"
        "while True:\n    try:\n        if os.fork() == 0:\n            spin(0.02)\n"
        "            os._exit(0)\n    except BlockingIOError: pass\n    time.sleep(0.01)",
        status="killed",
        says="seconds",  # by which clock depends on the machine
    ),
    "spins in the background": Case(
        saved(solved(before=SPIN)),
    ),
    "spins while it is graded": Case(
        saved(
            solved(
                before=SPIN,
                first=f"def {FIRST}(scores, targets):\n    time.sleep(100)",
            )
        ),
        (FIRST,),
        "killed",
        "ran for more than 2 seconds",
    ),
    "honest but slow": Case(
        saved(solved(first=SLOW + SOLUTIONS[FIRST].replace("    return", "    work()\n    return")))
    ),
    # ---- crashes
    "exit of the process": first_cell("os._exit(0)", status="killed", says="its process ended"),
    "exit of the process in a call": answer("os._exit(0)", status="killed", says="process ended"),
    "segmentation fault": first_cell("ctypes.string_at(0)", status="killed", says="process ended"),
    "segmentation fault in a call": answer("ctypes.string_at(0)", status="killed"),
    "kills everybody": first_cell(
        "try: os.kill(-1, 9)\nfinally: os.kill(os.getpid(), 9)", status="killed"
    ),
    "closes all files": first_cell("os.closerange(0, 64)", status="killed"),
    # ---- memory, processes, output and disk
    "12 GB": first_cell("x = np.ones(12 << 27)", says="MemoryError"),
    "12 GB in a call": answer("return np.ones(12 << 27).sum()", says="MemoryError"),
    "fork bomb": first_cell("while True: os.fork()", says="BlockingIOError"),
    "forks that remain": cell(
        "for _ in range(5):\n    if os.fork() == 0:\n        while True: time.sleep(1)"
    ),
    "forks times memory": first_cell(
        "for _ in range(8):\n    if os.fork() == 0:\n        x = bytearray(200 << 20)\n"
        "        time.sleep(60)\ntime.sleep(60)",
        status="killed",
        says="GB of memory",
    ),
    "threads": first_cell(
        "end, started = threading.Event(), []\ntry:\n    for _ in range(100):\n"
        "        started.append(threading.Thread(target=end.wait))\n        started[-1].start()\n"
        "finally:\n    end.set()\n    [thread.join() for thread in started[:-1]]",
        says="can't start new thread",
    ),
    "hidden memory": refused("os.memfd_create('x')"),
    "hidden memory, shared": refused("import mmap\nmmap.mmap(-1, 1 << 20)"),
    "hidden memory, of a device": refused(
        "import mmap\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20)"
    ),
    "hidden memory, System V": refused_call("shmget(0, 1 << 20, 0o1600)"),
    "hidden memory, messages": refused_call("msgget(0, 0o1600)"),
    "hidden memory, in pipes": refused(
        "import fcntl\nfcntl.fcntl(os.pipe()[0], fcntl.F_SETPIPE_SZ, 1 << 20)"
    ),
    "hidden memory, in pages of pipes": refused_call("vmsplice(1, 0, 0, 0)"),
    "hidden memory, in sockets": refused(
        "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)"
    ),
    "hidden memory, in keys": refused_call("syscall(248, b'user', b'x', b'x', 1, -3)"),
    "hidden memory, in attributes": refused("os.setxattr('/tmp', 'user.x', b'x')"),
    "empty files": first_cell(
        "for k in range(100_000): open(f'/tmp/{k}', 'w').close()",
        status="killed",
        says="it made more than 10000 files",
    ),
    "empty folders": first_cell(
        "for k in range(100_000): os.mkdir(f'/tmp/{k}')",
        status="killed",
        says="it made more than 10000 files",
    ),
    "orphan daemon": cell(
        "if os.fork() == 0:\n    if os.fork() == 0:\n"
        f"        os.execv('/usr/bin/sleep', ['{TOKEN}', '1000'])\n    os._exit(0)"
    ),
    "200 MB of output": first_cell(
        "for _ in range(200): print('x' * 10**6)", status="killed", says="printed more than"
    ),
    "200 MB of output in a call": answer(
        "os.write(2, b'x' * 200_000_000)", status="killed", says="printed more than"
    ),
    "full disk": first_cell(
        f"for k in range(100):\n    open(f'/tmp/{TOKEN}-{{k}}', 'wb').write(bytes(9 << 20))",
        says="No space left",
    ),
    "large file": first_cell("open('/tmp/x', 'wb').write(bytes(99 << 20))", says="File too large"),
}
