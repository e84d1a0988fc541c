"""Submissions that read or change what is not theirs: files, processes, network, hidden inputs."""

from tests.grader.hostile.case import Case, answer, cell, first_cell

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
    "reads its first process": first_cell("open('/proc/1/mem', 'rb').read(1)", says="Error"),
    "sees no other process": cell(
        "found = {int(name) for name in os.listdir('/proc') if name.isdigit()}\n"
        "assert max(found) < 50, found\n"
        "assert '{token}' not in ''.join(open(f'/proc/{p}/cmdline').read() for p in found)"
    ),
    "traces": first_cell(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.ptrace(16, 1, 0, 0) == 0, os.strerror(ctypes.get_errno())",
        says="Operation not permitted",
    ),
    "becomes root": first_cell("os.setuid(0)", says="Invalid argument"),
    "new namespace": first_cell(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.unshare(0x10000000) == 0, os.strerror(ctypes.get_errno())",
        says="Operation not permitted",
    ),
    "network": first_cell(
        "socket.create_connection(('127.0.0.1', {port}), timeout=2)", says="PermissionError"
    ),
    "network by another way": first_cell(
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}', timeout=2)",
        says="Operation not permitted",
    ),
    "sees only its own network": cell(
        "devices = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]\n"
        "assert devices == ['lo'], devices"
    ),
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
