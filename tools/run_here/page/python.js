// Python in a worker. This is all that the page knows of it: `load`, `start`, `run`, `stop`. Another
// implementation of Python would replace this file and worker.js.

const CACHE = "course-python";

// Fetch a file, once for all visits, and tell how many bytes have come.
async function fetchOnce(url, onBytes) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  const kept = await cache?.match(url);
  const response = kept ?? await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const chunks = [];
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    onBytes(value.length);
  }
  const body = new Blob(chunks);
  // kept only when it is whole; a full disk must not stop the page
  if (!kept) await cache?.put(url, new Response(body)).catch(() => {});
  return body;
}

// Forget parts of other versions of the course.
async function forgetOthers(urls) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  for (const { url } of await cache?.keys() ?? []) {
    if (!urls.includes(url)) await cache.delete(url);
  }
}

// The content of a part; `rest` is not compressed as a whole.
const contents = (url, blob) => (url.endsWith(".gz") ? inflated(blob) : blob).arrayBuffer();

const inflated = (blob) => new Response(blob.stream().pipeThrough(new DecompressionStream("gzip")));

// A file of files: the length of a list, the list of names and sizes, and their contents.
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const list = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  return Object.fromEntries(list.map(([name, size]) => [name, buffer.slice(at, at += size)]));
}

export class Python {
  // `folder` is where the parts are; `onOutput` is called with each output of a cell.
  constructor(folder, manifest, onOutput) {
    Object.assign(this, { folder, manifest, onOutput, packages: {} });
  }

  url(name) { return new URL(this.manifest.parts[name].file, this.folder).href; }

  // How many bytes must be downloaded for some parts.
  bytes(names) { return names.reduce((sum, name) => sum + this.manifest.parts[name].bytes, 0); }

  // Load Python and some packages; `onProgress` gets the share of all bytes that has come.
  async load(packages, onProgress) {
    const names = ["python", "base", "fonts", "course", ...packages];
    const total = this.bytes(names);
    let come = 0;
    const part = (name) => fetchOnce(this.url(name), (n) => { come += n; onProgress(come / total); });
    const [module, base, fonts, course] = await Promise.all([
      part("python").then((blob) => WebAssembly.compileStreaming(new Response(
        inflated(blob).body, { headers: { "Content-Type": "application/wasm" } }))),
      part("base").then((blob) => inflated(blob).arrayBuffer()),
      part("fonts").then((blob) => inflated(blob).arrayBuffer()).then(unpack),
      part("course").then((blob) => inflated(blob).arrayBuffer()),
      ...packages.map((name) => part(name).then(async (blob) => {
        this.packages[name] = await contents(this.url(name), blob);
      })),
    ]);
    this.parts = { module, base, fonts, course };
    forgetOthers(Object.keys(this.manifest.parts).map((name) => this.url(name)));
  }

  // Load a package later, and let Python import it.
  async add(name) {
    if (this.packages[name]) return;
    const blob = await fetchOnce(this.url(name), () => {});
    this.packages[name] = await inflated(blob).arrayBuffer();
    await this.ask({ type: "package", name, content: this.packages[name] });
  }

  // Start Python, as new or as it was when an image of its memory was taken.
  start(image) {
    this.worker?.terminate();
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.type === "answer") this.settle?.resolve(data);
      else if (data.type === "rest") this.packages.rest = data.content; // for when it starts again
      else if (data.type === "fatal") this.settle?.reject(new Error(data.message));
      else this.onOutput(data);
    };
    this.worker.onerror = (event) => this.settle?.reject(new Error(event.message));
    return this.ask({
      type: "start", ...this.parts, packages: this.packages, rest: this.url("rest"), image,
    });
  }

  // Run a cell; the answer says how it ended.
  run(source) { return this.ask({ type: "run", source }); }

  // Return an image of the memory: all that Python knows, between two cells.
  async image() { return (await this.ask({ type: "image" })).image; }

  // End what runs, and go on from an image.
  async stop(image) {
    this.settle?.reject(new Stopped());
    await this.start(image);
  }

  // Send the worker a message; it answers each before it takes the next.
  ask(message) {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.worker.postMessage(message);
    });
  }
}

export class Stopped extends Error {}
