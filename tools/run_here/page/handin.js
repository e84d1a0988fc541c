// On the page of an assignment: the notebook that a student hands in, and how far it is.
import { button, element } from "./elements.js";

const lines = (source) => source.split(/(?<=\n)/).filter(Boolean);

// The page's notebook with the student's code in its cells, as a file. It is written as the published
// one is, and has no outputs, since a teacher runs it again.
function file(notebook, cells, name) {
  const sources = new Map(cells.map(({ index, source }) => [index, source]));
  const filled = {
    ...notebook,
    cells: notebook.cells.map((cell, index) => (cell.cell_type === "code"
      ? { ...cell, outputs: [], execution_count: null, source: lines(sources.get(index)) } : cell)),
  };
  return new File([`${JSON.stringify(filled, null, 1)}\n`], name, { type: "application/x-ipynb+json" });
}

function save(made) {
  const link = element("a", { href: URL.createObjectURL(made), download: made.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Add the section in which a student downloads the notebook, and a button for it beside the others.
export function addHandIn(name, bar, notebook, cells) {
  const label = "Download my notebook (.ipynb)";
  const note = element("p", {});
  note.setAttribute("role", "status");
  const download = (tell) => () => {
    save(file(notebook, cells, name));
    const open = cells.filter(({ id, source }) => id !== "scratch" && source.includes("raise NotImplementedError")).length;
    tell.textContent = `${name} is among your downloads.`
      + (open ? ` ${open === 1 ? "One function is" : `${open} functions are`} not written yet.` : "");
  };
  document.querySelector("article").append(element("section", { className: "hand-in" },
    element("h2", { textContent: "Hand in" }),
    element("p", {}, "The file has your code in the cells of this assignment. Hand it in as it is. "
      + "Until then only this browser keeps your work."),
    button(label, download(note)), note));
  bar.querySelector("[role=status]").before(button(label, download(bar.querySelector("[role=status]"))));
}

// What the checks of some cells say, in words.
export function progress(cells) {
  const printed = cells.flatMap(({ outputs }) => outputs.map(({ text }) => text ?? "")).join("");
  const count = (pattern) => printed.match(pattern)?.length ?? 0;
  return `Checks: ${count(/: right\.$/gm)} right, ${count(/: not yet\./g)} not yet, `
    + `${count(/: waiting for your answer\./g)} waiting for your function.`;
}
