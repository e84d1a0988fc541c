// Lets a page run from a folder, without a server. From there a browser loads neither modules nor data,
// but scripts; so the modules are in this one, and each file of data is a script that hands it over.
(() => {
  const here = document.currentScript, site = new URL("..", here.src);
  const modules = MODULES; // text by address, filled in when the site is packed
  const made = new Map();

  const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);
  const beside = (path, name) => new URL(folderOf(path) + name, "file:///").pathname.slice(1);
  const addressOf = (text, path) => URL.createObjectURL(
    new Blob([text], { type: path.endsWith(".css") ? "text/css" : "text/javascript" }));

  // Return the address of a module, which names those of the modules that it imports.
  function imported(path) {
    if (!made.has(path)) { // once, since two addresses are two modules
      const text = modules[path]
        .replace(/new URL\(([^()]+), import\.meta\.url\)/g, `fileOfTheCourse.beside("${path}", $1)`)
        .replace(/(?<=\b(?:from|import)\s*\(?\s*)"(\.[^"]+)"/g,
          (all, name) => JSON.stringify(imported(beside(path, name))))
        .replace('{ type: "module" }', "{}"); // of a worker, which cannot be a module here
      made.set(path, addressOf(text, path));
    }
    return made.get(path);
  }

  // Return the text of a worker with what it imports in the place of each import.
  function alone(path) {
    return modules[path].replace(/\bimport \{([^}]*)\} from "(\.[^"]+)";/g, (all, names, name) => {
      const text = alone(beside(path, name)).replace(/export\s*\{([^}]*)\};?\s*$/, (_, exported) =>
        `return {${exported.replace(/([^\s,]+) as ([^\s,]+)/g, "$2: $1")}};`);
      return `const {${names.replace(/ as /g, ": ")}} = (() => {${text}})();`;
    });
  }

  const come = {};
  globalThis.fileOfTheCourse = (path, base64) => { come[path] = base64; };
  globalThis.fileOfTheCourse.beside = (path, name) => addressOf(alone(beside(path, name)), name);

  function load(url) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${url}.js`;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new TypeError(`${url}.js is missing`)); };
      document.head.append(script);
    });
  }

  const fetchFromServer = globalThis.fetch;
  globalThis.fetch = async (request, options) => {
    const url = new URL(request.url ?? request, location.href);
    const path = url.href.slice(site.href.length);
    if (url.protocol !== "file:" || !url.href.startsWith(site.href)) return fetchFromServer(request, options);
    await load(url.href);
    const text = atob(come[path]);
    delete come[path];
    return new Response(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  };

  import(imported("button.js"));
})();
