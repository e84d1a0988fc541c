// Outputs of cells: are they those that the page was printed with, and how are they shown?

const FORMS = ["text/html", "image/svg+xml", "text/markdown", "text/latex", "text/plain"];
const text = (value) => (Array.isArray(value) ? value.join("") : value ?? "");

// Return outputs, of a notebook or of a run, as [form, text], with what was printed in one piece.
export function plain(outputs) {
  const found = [];
  for (const output of outputs) {
    const kind = output.output_type ?? output.type;
    if (kind === "stream") {
      const last = found.at(-1);
      if (last?.[0] === output.name) last[1] += text(output.text);
      else found.push([output.name, text(output.text)]);
    } else if (kind === "error") {
      found.push(["error", text(output.traceback)]);
    } else if (output.data) {
      const form = FORMS.find((name) => name in output.data);
      found.push([form, text(output.data[form])]);
    }
  }
  return found;
}

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function preformatted(kind, content) {
  const box = document.createElement("div"), inner = document.createElement("div");
  box.className = `output ${kind} notranslate`;
  inner.className = "highlight";
  inner.append(Object.assign(document.createElement("pre"), { textContent: content, tabIndex: 0 }));
  box.append(inner);
  return box;
}

// A figure is shown as the page shows its own, so that it suits the dark theme, too.
function figure(svg, printed) {
  const image = printed?.cloneNode() ?? document.createElement("img");
  image.removeAttribute("width");
  image.removeAttribute("height");
  image.alt ||= "A figure that this page has drawn here";
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  return image;
}

function piece(html) {
  const box = document.createElement("div");
  box.className = "output text_html";
  box.innerHTML = html;
  for (const controls of box.querySelectorAll(".explorer-controls")) controls.hidden = false;
  return box;
}

let katex; // loaded when the first formula comes
async function typeset(tex, displayMode) {
  katex ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("vendor/katex.min.js", import.meta.url);
    script.onload = () => resolve(globalThis.katex);
    script.onerror = () => reject(new Error("formulas cannot be typeset"));
    document.head.append(script);
  });
  return (await katex).renderToString(tex, { displayMode, throwOnError: false, strict: false });
}

const FORMULA = /\$\$([^$]+)\$\$|\$([^$\n]+)\$/g;

// Markdown with formulas. They are put back after Markdown has done its work, which could change them.
async function markdown(source) {
  const { marked } = await import("./vendor/markdown.js");
  const formulas = [...source.matchAll(FORMULA)];
  const typesetOnes = await Promise.all(
    formulas.map(([, display, inline]) => typeset(display ?? inline, display !== undefined)));
  let number = 0;
  const marks = source.replace(FORMULA, () => `\uE000${number++}\uE001`);
  const box = document.createElement("div");
  box.innerHTML = marked.parse(marks).replace(/\uE000(\d+)\uE001/g, (_, i) => typesetOnes[i]);
  return box;
}

// Return an output as an element. `printed` is the image in its place on the page.
export async function shown([form, content], printed) {
  if (form === "image/svg+xml") return figure(content, printed);
  if (form === "text/html") return piece(content);
  if (form === "text/markdown") return markdown(content);
  if (form === "text/latex") return markdown(content);
  return preformatted({ stdout: "stream", stderr: "stderr", error: "traceback" }[form] ?? "text_plain",
    content);
}
