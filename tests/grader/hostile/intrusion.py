"""Submissions that read or change what is not theirs: files, processes, network, hidden inputs."""

from tests.grader.hostile.case import Case, answer, cell, first_cell, refused, refused_call

CASES: dict[str, Case] = {
    "deletes everything": cell(
        "import shutil\n"
        "for path in ('/grader', '/packages/numpy/fft', '{submissions}', '{home}', '{root}'):\n"
        "    shutil.rmtree(path, ignore_errors=True)"
    ),
    "writes elsewhere": first_cell("open('/grader/wire.py', 'w')", says="Read-only"),
    "writes to the root": first_cell("open('/x', 'w')", says="Read-only"),
    "writes to devices": first_cell("open('/dev/x', 'w')", says="Read-only"),
    "overwrites a neighbour": first_cell(
        "open('{submissions}/honest.ipynb', 'w')", says="FileNotFoundError"
    ),
    "reads a neighbour": first_cell(
        "open('{submissions}/honest.ipynb').read()", says="FileNotFoundError"
    ),
    "reads the hidden tests": first_cell(
        "open('{root}/assignments/mse/hidden_tests.py').read()", says="FileNotFoundError"
    ),
    "reads a home directory": first_cell("open('{home}/secret').read()", says="FileNotFoundError"),
    "reads accounts": first_cell("open('/etc/passwd').read()", says="FileNotFoundError"),
    "reads the environment": first_cell("os.environ['GRADER_SEED']", says="KeyError"),
    "reads the grader's environment": first_cell(
        "open('/proc/1/environ').read()", says="FileNotFoundError"
    ),
    "reads the memory of the first process": first_cell(
        "open('/proc/1/mem', 'rb')", says="FileNotFoundError"
    ),
    "finds no environment by any path": cell(
        "found = [os.path.join(place, name) for place, _, names in os.walk('/')\n"
        "         if not place.startswith(('/usr', '/root')) for name in names\n"
        "         if name in ('environ', 'mem', 'maps', 'mountinfo', 'cmdline', 'oom_score_adj')]\n"
        "assert found == [] and os.listdir('/proc') == [], found"
    ),
    "becomes root": first_cell("os.setuid(0)", says="Operation not permitted"),
    "network": first_cell(
        "socket.create_connection(('127.0.0.1', {port}), timeout=2)", says="PermissionError"
    ),
    "network by another way": first_cell(
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}', timeout=2)",
        says="Operation not permitted",
    ),
    "sees only its own network": cell(
        "assert [name for _, name in socket.if_nameindex()] == ['lo']", says="PermissionError"
    ),
    # ---- other parts of the kernel
    "traces": refused_call("ptrace(16, 1, 0, 0)"),
    "reads another process": refused_call("process_vm_readv(1, 0, 0, 0, 0, 0)"),
    "takes a descriptor": refused_call("syscall(438, 3, 0, 0)", "Function not implemented"),
    "opens a tree of mounts": refused_call("syscall(428, -100, b'/', 0)", "not implemented"),
    "lists the mounts": refused_call("syscall(458, 0, 0, 0, 0)", "Function not implemented"),
    "mounts": refused_call("mount(b'proc', b'/tmp', b'proc', 0, 0)"),
    "new namespace": refused_call("unshare(0x10000000)"),
    "new namespace by clone": refused_call(
        "syscall({'x86_64': 56, 'aarch64': 220}[os.uname().machine], 0x10000011, 0, 0, 0, 0)"
    ),
    "io_uring": refused_call("syscall(425, 1, 0)", "Function not implemented"),
    "personality": refused_call("personality(0x0040000)"),
    "outlives the grader": refused_call("prctl(1, 0)"),
    "hides from the grader": refused_call("prctl(4, 0)"),
    "leaves the session": refused("os.setsid()"),
    "types into a terminal": refused(
        "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')", "Operation not permitted"
    ),
    "watches files": refused_call("inotify_init()"),
    "evicts files from memory": refused("os.posix_fadvise(os.open(np.__file__, 0), 0, 0, 4)"),
    "sees which files are in memory": refused(
        "os.preadv(os.open(np.__file__, 0), [bytearray(9)], 0, os.RWF_NOWAIT)"
    ),
    "changes its chance to be killed": refused(
        "open('/proc/self/oom_score_adj', 'w').write('-1')", "FileNotFoundError"
    ),
    "reads where the grader is": refused(
        "open('/proc/self/mountinfo').read()", "FileNotFoundError"
    ),
    "finds the grader's path nowhere": cell(
        "texts = [repr(vars(sys)), repr(os.environ), np.__file__, os.getcwd(), repr(sys.argv)]\n"
        "assert '{root}' not in ''.join(texts)"
    ),
    **{
        f"{what} on shared files": refused(f"import fcntl\nfile = os.open(np.__file__, 0)\n{code}")
        for what, code in {
            "lease": "fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)",
            "lease of a folder": "fcntl.fcntl(os.open('/packages', 0), 1024, 0)",
            "lock": "fcntl.lockf(file, fcntl.LOCK_SH)",
            "lock of another kind": "fcntl.flock(file, fcntl.LOCK_EX)",
            "notice": "fcntl.fcntl(os.open('/packages', 0), fcntl.F_NOTIFY, 1)",
            "owner": "fcntl.fcntl(file, fcntl.F_SETOWN, 1)",
            "signal": "fcntl.fcntl(file, 10, 9)",
        }.items()
    },
    **{
        f"pair of sockets, {family}": refused(f"socket.socketpair(socket.{family})")
        for family in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_VSOCK", "AF_PACKET")
    },
    "sends a descriptor": refused(
        "one, other = socket.socketpair()\nsocket.send_fds(one, [b'x'], [0])"
    ),
    "asyncio, threads and processes": cell(
        "import asyncio, subprocess, tempfile\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "async def three():\n    await asyncio.sleep(0)\n    return 3\n"
        "assert asyncio.run(three()) == 3\n"
        "assert list(ThreadPoolExecutor(2).map(abs, [-1, 2])) == [1, 2]\n"
        "assert subprocess.run(['echo', 'x'], capture_output=True).stdout == b'x\\n'\n"
        "with tempfile.TemporaryDirectory() as place:\n"
        "    np.save(f'{place}/x.npy', np.ones(3))\n"
        "    assert np.load(f'{place}/x.npy').sum() == 3\n"
    ),
    # ---- hidden inputs
    "raises its inputs": answer("raise ValueError(f'leaked {scores!r}')", says="raised ValueError"),
    "leaks in a cell": first_cell("raise ValueError('leaked in a cell')", says="leaked in a cell"),
    "leaks by the name of a class": first_cell(
        "raise type('leaked', (Exception,), {})('x')", says="an exception of its own kind"
    ),
    "leaks by a line": first_cell(
        "exec(compile('\\n' * 31_415 + '1 / 0', '<cell 3>', 'exec'))", says='"line": null'
    ),
    "leaks by the line of a syntax error": first_cell(
        "raise SyntaxError('leaked', ('leaked', 31_415, 1, 'leaked'))", says='"line": 1,'
    ),
    "a class named by its inputs": answer(
        "raise type(f'leaked{scores[0]}', (Exception,), {})", says="an exception of its own kind"
    ),
    "returns a class named by its inputs": answer(
        "return type(f'leaked{scores[0]}', (), {})()", says="something else"
    ),
}
