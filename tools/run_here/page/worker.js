// One Python in a worker: CPython as a WebAssembly module for WASI, on a shim for browsers. It runs
// one cell at a message. tools/run_here/guest/course_kernel.py is its other half.
import {
  Directory, Fd, File, OpenFile, PreopenDirectory, WASI, WASIProcExit, wasi as defs,
} from "./vendor/wasi_shim.js";

const LIBRARY = "/usr/local/lib", ARCHIVE = "python315.zip";
const encoder = new TextEncoder(), decoder = new TextDecoder();
const lib = new Map();
let python, cell = "", restAddress;

// Python's own streams, until the kernel has its own, and fatal errors.
class Stream extends Fd {
  constructor(name) { super(); this.name = name; this.ino = 0n; }

  fd_fdstat_get() {
    const fdstat = new defs.Fdstat(defs.FILETYPE_CHARACTER_DEVICE, 0);
    fdstat.fs_rights_base = BigInt(defs.RIGHTS_FD_WRITE);
    return { ret: 0, fdstat };
  }

  fd_filestat_get() {
    return { ret: 0, filestat: new defs.Filestat(0n, defs.FILETYPE_CHARACTER_DEVICE, 0n) };
  }

  fd_write(data) {
    postMessage({ type: "stream", name: this.name, text: decoder.decode(data) });
    return { ret: 0, nwritten: data.byteLength };
  }
}

// The shim's folders have no rights, and matplotlib then takes them for read-only.
class Folder extends PreopenDirectory {
  fd_fdstat_get() {
    const fdstat = new defs.Fdstat(defs.FILETYPE_DIRECTORY, 0);
    fdstat.fs_rights_base = fdstat.fs_rights_inherited = fdstat.fs_rights_inheriting = 0x1fffffffn;
    return { ret: 0, fdstat };
  }
}

const file = (content) => new File(content, { readonly: true });

// Turn {"a/b": content} into folders within folders.
function tree(files) {
  const root = new Map();
  for (const [path, content] of Object.entries(files)) {
    const folders = path.split("/"), name = folders.pop();
    let at = root;
    for (const folder of folders) {
      if (!at.has(folder)) at.set(folder, new Directory(new Map()));
      at = at.get(folder).contents;
    }
    at.set(name, file(content));
  }
  return root;
}

// Load the modules that no chapter imports. Python waits for them, so this cannot be a promise. Return
// what went wrong.
function loadRest() {
  try {
    const request = new XMLHttpRequest();
    request.open("GET", restAddress, false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status !== 200) return `${restAddress} answered ${request.status}`;
    lib.set("rest.zip", file(request.response));
    postMessage({ type: "rest", content: request.response });
    return "";
  } catch (error) {
    return error.message;
  }
}

// Python's `_host.call(request)`: write the answer where Python finds it. 0 is success, -2 a fault.
function call(at, length, answerAt, answerLength) {
  const request = decoder.decode(new Uint8Array(python.memory.buffer, at >>> 0, length >>> 0));
  let text = "";
  if (request === "cell") text = cell;
  else if (request === "rest") text = loadRest();
  else postMessage(JSON.parse(request));
  const answer = encoder.encode(text);
  const place = python.host_alloc(answer.length) >>> 0;
  if (!place) return -2;
  new Uint8Array(python.memory.buffer).set(answer, place); // the buffer may be new
  const view = new DataView(python.memory.buffer);
  view.setUint32(answerAt >>> 0, place, true);
  view.setUint32(answerLength >>> 0, answer.length, true);
  return 0;
}

// The shim reads the flags of a clock at the wrong place, and takes a point in time for a duration. It
// waits by asking for the time again and again: to sleep, a worker needs memory that it shares, and that
// needs headers.
function poll(subscriptions, events, count, eventCount) {
  const view = new DataView(python.memory.buffer);
  const now = (clock) => (clock === 0 ? Date.now() : performance.now());
  let wait = Infinity, first;
  for (let i = 0; i < count; i++) {
    const at = subscriptions + 48 * i;
    if (view.getUint8(at + 8) !== 0) continue; // a file
    const ms = Number(view.getBigUint64(at + 24, true)) / 1e6;
    const absolute = view.getUint16(at + 40, true) & 1;
    const left = absolute ? ms - now(view.getUint32(at + 16, true)) : ms;
    if (left < wait) [wait, first] = [left, at];
  }
  if (first === undefined) return defs.ERRNO_NOTSUP;
  for (const end = performance.now() + wait; performance.now() < end;);
  view.setBigUint64(events, view.getBigUint64(first, true), true);
  new Uint8Array(python.memory.buffer, events + 8, 24).fill(0);
  view.setUint32(eventCount, 1, true);
  return 0;
}

// Execute one statement. Python prints its own traceback; what is not 0 is a failure.
function execute(statement) {
  const bytes = encoder.encode(statement);
  const at = python.host_alloc(bytes.length) >>> 0;
  new Uint8Array(python.memory.buffer).set(bytes, at);
  return python.turn(at, bytes.length);
}

function announce(name) {
  execute(`import course_kernel; course_kernel.add_package("${archiveOf(name)}")`);
}

const archiveOf = (name) => `/lib/${name}.zip`;

async function start({ module, base, fonts, course, packages, rest, image }) {
  restAddress = rest;
  lib.set("course.zip", file(course));
  for (const [name, content] of Object.entries(packages)) lib.set(`${name}.zip`, file(content));
  const folders = [
    new Folder(LIBRARY, new Map([[ARCHIVE, file(base)]])),
    new Folder(`${LIBRARY}/${ARCHIVE}/matplotlib/mpl-data`, tree(fonts)),
    new Folder("/", new Map([
      ["tmp", new Directory(new Map())],
      ["home", new Directory(new Map())],
      ["lib", new Directory(lib)],
      ["usr", new Directory(new Map([["local", new Directory(new Map([["lib", new Directory(new Map())]]))]]))],
    ])),
  ];
  const wasi = new WASI(
    ["/usr/local/bin/python.wasm", "/lib/course.zip", ...Object.keys(packages).map(archiveOf)],
    ["HOME=/home", "TMPDIR=/tmp", "PYTHONTZPATH=", "MPLCONFIGDIR=/home",
      "MPLBACKEND=module://course_inline", "OMP_NUM_THREADS=1"],
    [new OpenFile(new File(new ArrayBuffer(0))), new Stream("stdout"), new Stream("stderr"), ...folders],
    { debug: false });
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: { ...wasi.wasiImport, poll_oneoff: poll }, host: { call },
  });
  python = instance.exports;
  wasi.inst = instance;
  if (image) { // between two cells all that Python knows is in its memory
    const missing = image.byteLength - python.memory.buffer.byteLength;
    if (missing > 0) python.memory.grow(missing / 65536);
    new Uint8Array(python.memory.buffer).set(new Uint8Array(image));
    Object.keys(packages).forEach(announce); // some may have come after the image was taken
  } else {
    python._initialize?.();
    execute("1");
    if (execute("import course_kernel, course_rest")) throw new Error("Python has started, but not its kernel");
  }
}

const tasks = {
  start,
  run({ source }) {
    cell = source;
    const exit = execute("import course_kernel; course_kernel.run()");
    if (exit) throw new Error(`Python ended with ${exit}`);
  },
  package({ name, content }) {
    lib.set(`${name}.zip`, file(content));
    announce(name);
  },
  image() { return { image: python.memory.buffer.slice(0) }; },
};

onmessage = async ({ data }) => {
  try {
    const answer = await tasks[data.type](data);
    postMessage({ type: "answer", ...answer }, answer?.image ? [answer.image] : []);
  } catch (error) {
    const exit = error instanceof WASIProcExit ? ` (it ended with ${error.code})` : "";
    postMessage({ type: "fatal", message: `${error.message ?? error}${exit}` });
  }
};
