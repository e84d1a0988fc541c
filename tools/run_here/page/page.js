// What a page becomes once Python runs in it: its cells can be changed and run, in the reader's browser.
import { Python, Stopped } from "./python.js";
import { addStyle, button, element } from "./elements.js";
import { plain, same, shown } from "./outputs.js";

const data = document.querySelector("script[data-run-here]").dataset;
const NOTEBOOK = new URL(data.notebook, location.href);
const FOLDER = new URL(data.folder, location.href);
const RUN = "Runs the cells above that have not run yet, and then this one";
const SECONDS_BETWEEN_IMAGES = 2; // an image of the memory takes a twentieth of a second

let python, editing, status, cells, stopButton;
let handIn; // what the page of an assignment can do besides
let current; // the cell that runs
let image, imageAt = 0, imaged = new Set(); // the last image of Python's memory, and what had run then
let work = Promise.resolve(), cancelled = false;
let prepared; // the cells that ran for the last trial, if nothing else has run since

class Cell {
  constructor(cell, index) {
    Object.assign(this, { index, id: cell.id, printed: [].concat(cell.source).join("") });
    this.box = document.querySelector(`.code-cell-${index}`);
    this.expected = plain(cell.outputs);
    this.key = `cell:${location.pathname}:${cell.id}`;
    this.source = this.printed;
    this.input = this.box?.querySelector(".cell_input");
    this.fold = this.input?.closest("details.hide");
    this.output = this.box?.querySelector(":scope > .cell_output");
    this.original = this.output ? [...this.output.childNodes] : [];
    this.ran = false;
  }

  get changed() { return this.source !== this.printed; }

  // Give the cell its buttons, and let its code be edited.
  open() {
    if (!this.input) return;
    this.code = this.input.querySelector("pre");
    this.note = element("span", { className: "cell-note" });
    this.note.setAttribute("aria-live", "polite");
    this.undo = button("Undo my changes", () => this.restore(), { hidden: true });
    this.editButton = button("Edit", () => this.edit().focus());
    this.bar = element("div", { className: "cell-bar" },
      button("Run", () => run(this), { title: RUN }), this.editButton, this.undo, this.note);
    if (this.fold) this.fold.after(this.bar);
    else this.input.append(this.bar);
    this.code.addEventListener("click", () => getSelection().isCollapsed && this.edit().focus());
    const kept = localStorage.getItem(this.key);
    if (kept !== null && kept !== this.printed) {
      this.edit(kept);
      this.change(kept);
      this.say("your changes of last time");
    }
  }

  // Turn the code into an editor.
  edit(content = this.source) {
    this.editButton.hidden = true;
    if (this.fold) this.fold.open = true;
    this.editor ??= editing.editor(this.code, content, {
      onChange: (source) => this.change(source), onRun: () => run(this), label: "Code of this cell",
    });
    return this.editor;
  }

  change(source) {
    this.source = source;
    this.ran = false;
    this.undo.hidden = !this.changed;
    if (this.changed) localStorage.setItem(this.key, source);
    else localStorage.removeItem(this.key);
  }

  restore() {
    this.edit().setContent(this.printed);
    this.change(this.printed);
    this.editor.focus();
    this.say("as printed again; run it to see its output");
  }

  say(words, kind = "") {
    if (!this.note) return;
    this.note.textContent = words;
    this.note.className = `cell-note ${kind}`;
  }

  // Show what the cell does while it runs; most cells end before a reader could read it.
  begin() {
    this.outputs = [];
    this.say("running …");
    this.live = element("pre", { className: "live-output" });
    this.live.setAttribute("aria-hidden", "true");
    this.timer = setTimeout(() => this.box?.append(this.live), 400);
  }

  receive(output) {
    if (output.type === "status") this.ended = output;
    else this.outputs.push(output);
    if (output.type === "stream") this.live.textContent += output.text;
  }

  // Show the outputs: those that the page has already if they are the same.
  async finish() {
    clearTimeout(this.timer);
    this.live.remove();
    const found = plain(this.outputs), { status: how, lines, needs } = this.ended;
    const equal = same(found, this.expected);
    this.ran = how !== "error";
    if (how === "skipped" && !this.changed && this.id !== "scratch") {
      this.put(this.original);
      this.say(`printed output kept: ${lines.length > 1 ? "lines" : "line"} ${lines.join(", ")} `
        + `would need ${needs.join(" and ")}, which Colab has, but no browser`, "skipped");
      this.verdict = "skipped";
      return;
    }
    if (equal) this.put(this.original);
    else this.put(await this.rendered(found));
    this.verdict = how === "error" ? "error" : equal ? "same" : "different";
    const unwritten = this.outputs.some(({ ename }) => ename === "NotImplementedError");
    if (unwritten) this.say("a function is not written yet: write it where it says YOUR CODE HERE", "error");
    else if (how === "error") this.say("an error", "error");
    else if (how === "skipped") this.say(`left out what needs ${needs.join(" and ")}, which browsers do not have`, "skipped");
    else if (handIn) this.say("done", "same"); // nothing is printed there
    else if (equal) this.say(found.length ? "same as printed" : "done", "same");
    else if (this.changed) this.say("your version", "different");
    else this.say("differs from the printed output", "different");
  }

  rendered(found) {
    const images = this.original.flatMap((node) => node.querySelectorAll
      ? [...node.querySelectorAll("img"), ...(node.matches("img") ? [node] : [])] : []);
    let figures = 0;
    return Promise.all(found.map((output) =>
      shown(output, output[0] === "image/svg+xml" ? images[figures++] : undefined)));
  }

  put(nodes) {
    if (!this.box) return;
    if (!this.output && nodes.length) {
      this.output = element("div", { className: "cell_output docutils container" });
      this.box.append(this.output);
    }
    this.output?.replaceChildren(...nodes);
  }

  interrupted() {
    clearTimeout(this.timer);
    this.live?.remove();
    this.say("stopped; what ran before is kept", "error");
  }
}

// Load all that is needed and open the cells. Called once, by the button.
export async function activate(bar, startButton, statusLine) {
  status = statusLine;
  const [notebook, manifest] = await Promise.all(
    [NOTEBOOK, new URL("manifest.json", FOLDER)].map(async (url) => {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
      return response.json();
    }));
  python = new Python(FOLDER, manifest, (output) => current?.receive(output));
  const packages = data.packages.split(" ").filter(Boolean);
  let said = -1;
  await python.load(packages, (share) => {
    const percent = Math.floor(100 * share);
    bar.style.setProperty("--share", `${percent}%`);
    if (percent >= said + 10) {
      said = percent;
      status.textContent = `Loading … ${percent} % of ${data.megabytes} MB`;
    }
  });
  status.textContent = "Starting Python …";
  await python.start();
  editing = await import("./editing.js");
  await addStyle("page.css");
  cells = notebook.cells.flatMap((cell, index) =>
    (cell.cell_type === "code" ? [new Cell(cell, index)] : []));
  for (const cell of cells) cell.open();
  if (data.handIn) handIn = await import("./handin.js");
  addScratchCell();
  await takeImage(true);
  document.body.classList.add("runs-here");
  startButton.replaceWith(startButton = button("Run all", () => run(cells.at(-1)), { className: "run-here-button" }));
  stopButton = button("Stop", stop, { disabled: true });
  startButton.after(stopButton, button("Reset", reset));
  handIn?.addHandIn(data.handIn, bar, notebook, cells);
  status.textContent = "Python is ready. Change a cell and press Shift+Enter.";
}

// A cell of the reader's own, below the text.
function addScratchCell() {
  const box = element("div", { className: `cell code-cell-${Infinity}` },
    element("div", { className: "cell_input" }, element("pre", { textContent: "" })));
  const article = document.querySelector("article");
  article.append(element("section", { className: "scratch" },
    element("h2", { textContent: "A cell of your own" }),
    element("p", {}, "All that this page has defined is here.",
      handIn ? " This cell is for trials, and is not handed in." : ""), box));
  const cell = new Cell({ id: "scratch", source: "", outputs: [] }, Infinity);
  cells.push(cell);
  cell.open();
  cell.edit();
}

// Run a cell, after those above it that have not run yet.
function run(cell) {
  const wanted = cells.slice(0, cells.indexOf(cell) + 1)
    .filter((other) => other === cell || (!other.ran && other.id !== "scratch"));
  cancelled = false;
  prepared = undefined;
  work = work.then(() => runEach(wanted));
  return work;
}

// Run a cell with other code, for a trial that gets its outputs; the cell keeps its own. Of the cells
// above, only those that it needs are run, since all can take minutes. What ran out of order counts as
// not run, because it may have changed what the cells in between have made.
export function tryInstead(index, trial) {
  cancelled = false;
  work = work.then(async () => {
    const at = cells.findIndex((cell) => cell.index === index), above = cells.slice(0, at);
    trial.source = trial.change(cells[at].source);
    try {
      stopButton.disabled = false;
      const first = above.every((cell) => cell.ran) ? [] : await needed([...above, trial]);
      const again = prepared === first.join();
      await runEach([...again ? [] : first.map((i) => above[i]), trial], true);
      prepared = cancelled ? undefined : first.join();
      if (first.length) for (const cell of cells) cell.ran = false;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  });
  return work;
}

// Ask Python which of some cells the last one needs.
async function needed(some) {
  let answer;
  current = { receive(output) { answer = output.data ?? answer; } };
  await python.run(`__import__("course_needs").needed(${JSON.stringify(some.map(({ source }) => source))})`);
  current = undefined;
  return JSON.parse(answer["text/plain"]);
}

async function runEach(wanted, pastErrors = false) {
  stopButton.disabled = false;
  for (const [i, cell] of wanted.entries()) {
    if (cancelled) break;
    if (wanted.length > 1) status.textContent = `Running cell ${i + 1} of ${wanted.length} …`;
    current = cell;
    cell.begin();
    try {
      for (const [name, pattern] of Object.entries(python.manifest.needed_by)) {
        if (new RegExp(pattern).test(cell.source)) await python.add(name);
      }
      await python.run(cell.source);
      await cell.finish();
    } catch (error) {
      cell.interrupted();
      if (!(error instanceof Stopped)) {
        status.textContent = `Python broke down (${error.message}) and was started again.`;
        await restart();
      }
      break;
    } finally {
      current = undefined;
    }
    if (cell.verdict === "error" && !pastErrors) {
      status.textContent = "A cell ended with an error; what is below it has not run.";
      cell.box?.scrollIntoView({ block: "nearest" });
      break;
    }
    await takeImage(i === wanted.length - 1);
    if (i === wanted.length - 1) status.textContent = summary(wanted);
  }
  stopButton.disabled = true;
}

function summary(wanted) {
  const count = (verdict) => wanted.filter((cell) => cell.verdict === verdict).length;
  if (wanted.length === 1) return "";
  if (handIn) return handIn.progress(wanted.filter(({ outputs }) => outputs));
  const parts = [`${count("same")} of ${wanted.length} cells gave what is printed`];
  if (count("different")) parts.push(`${count("different")} differ`);
  if (count("skipped")) parts.push(`${count("skipped")} need what no browser has`);
  return `${parts.join(", ")}.`;
}

// Keep what Python knows, so that Stop loses no more than the cell that runs.
async function takeImage(now) {
  if (!now && performance.now() - imageAt < 1000 * SECONDS_BETWEEN_IMAGES) return;
  image = await python.image();
  imageAt = performance.now();
  imaged = new Set(cells.filter((cell) => cell.ran));
}

async function restart() {
  prepared = undefined;
  await python.start(image);
  for (const cell of cells) cell.ran &&= imaged.has(cell);
}

export async function stop() {
  cancelled = true;
  prepared = undefined;
  stopButton.disabled = true;
  status.textContent = "Stopping …";
  const restarted = python.stop(image);
  work = work.then(() => restarted); // what is asked for meanwhile must wait
  await restarted;
  for (const cell of cells) cell.ran &&= imaged.has(cell);
  status.textContent = "Stopped. What had run before is kept.";
}

// Begin anew: Python forgets everything, and the page shows its printed outputs.
async function reset() {
  cancelled = true;
  prepared = undefined;
  await python.stop();
  await work;
  for (const cell of cells) {
    cell.ran = false;
    cell.put(cell.original);
    cell.say("");
  }
  await takeImage(true);
  status.textContent = "Python has forgotten everything; your changes of the code are kept.";
}

// For the tests: how each cell compares with what is printed.
globalThis.runHere = {
  runAll: () => run(cells.filter((cell) => cell.id !== "scratch").at(-1)),
  verdicts: () => cells.filter(({ id }) => id !== "scratch").map(({ id, verdict, ended, outputs, expected }) =>
    ({ id, verdict, needs: ended?.needs, found: outputs && plain(outputs), expected })),
};
