// Answer boxes: each takes the place of a cell that waits for the answer to an exercise. The cell is
// still there, folded away, and paper shows it alone.
import { addStyle, button, element } from "./elements.js";
import { plain } from "./outputs.js";

const LINE = /^answer = .*$/m;
const KIND = /^answer = None +# (.*)$/m; // some cells say what they wait for
const KEYS = "Enter checks. In an answer of several lines Enter begins a new one, and Shift+Enter checks.";
const { megabytes, colab } = document.querySelector("script[data-run-here]").dataset;

// What the reader's lines give: the value of the last one, bound to `answer`.
async function bound(text) {
  const { pythonLanguage } = await import("./vendor/editor.js");
  let last = pythonLanguage.parser.parse(text).topNode.lastChild;
  while (last?.name === "Comment") last = last.prevSibling;
  const name = last?.name === "AssignStatement" && last.firstChild.name === "VariableName"
    ? text.slice(last.firstChild.from, last.firstChild.to) : undefined;
  if (name) return `${text}\nanswer = ${name}`;
  if (/Statement|Definition/.test(last?.name) && last.name !== "ExpressionStatement") return undefined;
  const from = last?.from ?? 0;
  return `${text.slice(0, from)}answer = (\n${text.slice(from)}\n)`;
}

// Does Enter go on with a text, as in a line that opens a block or a bracket, or ends with neither?
function goesOn(text) {
  const count = (marks) => text.match(marks)?.length ?? 0;
  return /\n|[:,\\]\s*$|^\s*\w+\s*=[^=]|^\s*(import|from|def|for|while|if|with)\b/.test(text)
    || count(/[([{]/g) > count(/[)\]}]/g);
}

// What became of an answer, in words, from the outputs of its cell.
function verdict(name, outputs, ended) {
  const error = outputs.find(({ type }) => type === "error");
  const printed = plain(outputs).filter(([form]) => form === "stdout").map(([, text]) => text).join("");
  const said = printed.split("\n").findLast((line) => line.startsWith(`${name}: `));
  if (error) return ["error", inWords(error)];
  if (said) {
    const words = said.slice(name.length + 2);
    return [words === "right." ? "right" : "wrong", words[0].toUpperCase() + words.slice(1)];
  }
  if (ended.status === "skipped") return ["elsewhere", "This check needs PyTorch, which browsers do not have. "];
  return ["error", "The cell behind this box no longer checks an answer."];
}

function inWords({ ename, evalue }) {
  const reason = evalue.replace(/ \(<cell \d+>, line \d+\)$/, "");
  if (/^(Syntax|Indentation)Error/.test(ename)) return `Python cannot read this: ${reason}.`;
  return `Python stopped with an error: ${reason || ename} (${ename}).`;
}

class Box {
  constructor(place, id, load) {
    Object.assign(this, { place, load, cell: document.querySelector(`.code-cell-${place}`) });
    const code = this.cell.querySelector(".cell_input pre").textContent;
    this.name = /check_answer\(\s*"([^"]*)"/.exec(code)[1];
    this.key = `answer:${location.pathname}:${id}`;
    const kind = KIND.exec(code)?.[1];
    this.field = element("textarea", {
      id: `answer-${id}`, rows: 1, spellcheck: false, autocapitalize: "off", autocomplete: "off",
      value: localStorage.getItem(this.key) ?? "", title: KEYS, oninput: () => this.changed(),
      placeholder: kind ? "" : "a number, or a list such as [0.5, 2]",
    });
    this.field.addEventListener("keydown", (event) => this.pressed(event));
    this.checkButton = button("Check", () => this.check());
    this.undo = button("Undo", () => this.empty(), { title: "Empties this box" });
    this.result = element("span", { role: "status" });
    this.progress = element("span", { className: "answer-progress" });
    this.progress.setAttribute("aria-hidden", "true"); // the line below the title says the same
    this.offer = button(`Load it, ${megabytes} MB once`, () => this.start(), { hidden: true });
    const fold = element("details", {}, element("summary", { textContent: "The cell behind this box" }));
    const box = element("div", { className: "answer-box" },
      element("label", { htmlFor: this.field.id },
        element("strong", { textContent: this.name }), `: ${kind || "your answer"}`),
      element("div", { className: "answer-row" }, this.field, this.checkButton, this.undo),
      element("p", { className: "answer-result" }, this.result, " ", this.progress, " ", this.offer), fold);
    this.cell.replaceWith(box);
    fold.append(this.cell);
    this.fold = fold;
    this.changed();
  }

  get text() { return this.field.value.trim(); }

  changed() {
    this.field.rows = this.field.value.split("\n").length;
    this.undo.hidden = !this.field.value;
    if (this.field.value) localStorage.setItem(this.key, this.field.value);
    else localStorage.removeItem(this.key);
    this.say("");
  }

  pressed(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (goesOn(this.field.value.trimEnd()) && !event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (!this.running) this.check();
  }

  empty() {
    this.field.value = "";
    this.changed();
    this.field.focus();
  }

  say(words, kind = "", ...more) {
    this.offer.hidden = true;
    this.progress.textContent = "";
    this.result.className = kind;
    this.result.replaceChildren(words, ...more);
  }

  // Check the answer if Python is there, or offer to load it.
  async check() {
    if (this.running) return this.page.stop();
    if (!this.text) {
      this.say("Write your answer into the box first.");
      this.field.focus();
    } else if (this.load.done) {
      await this.start();
    } else {
      this.say("Check needs Python.");
      this.offer.hidden = false;
      this.offer.focus();
    }
    return undefined;
  }

  async start() {
    const wasOffered = document.activeElement === this.offer;
    const follow = new MutationObserver(() => { this.progress.textContent = this.load.status.textContent; });
    follow.observe(this.load.status, { childList: true, characterData: true, subtree: true });
    this.say(this.load.done ? "Checking …" : "Loading Python …");
    if (wasOffered) this.checkButton.focus();
    try {
      this.page = await this.load();
      await this.run();
    } catch (error) {
      this.say(`Python could not be loaded (${error.message}).`, "error");
      this.offer.hidden = false;
    }
    follow.disconnect();
    this.progress.textContent = "";
  }

  async run() {
    const answer = await bound(this.text);
    if (answer === undefined) {
      this.say("The last line must be the answer itself, such as 0.5 or [1, 2].", "error");
      return;
    }
    this.running = true;
    this.checkButton.textContent = "Stop";
    this.say("Checking …");
    const outputs = [];
    let ended;
    await this.page.tryInstead(this.place, {
      change: (source) => source.replace(LINE, () => answer),
      begin() {},
      receive(output) {
        if (output.type === "status") ended = output;
        else outputs.push(output);
      },
      finish() {},
      interrupted() {},
    });
    this.running = false;
    this.checkButton.textContent = "Check";
    if (!ended) this.say("Stopped.");
    else this.show(...verdict(this.name, outputs, ended));
  }

  show(kind, words) {
    const link = element("a", { href: colab, textContent: "Open the chapter in Colab" });
    this.say(words, kind, ...(kind === "elsewhere" ? [link, "."] : []));
  }
}

// The text above the exercises speaks of cells.
function speakOfBoxes() {
  const text = [...document.querySelectorAll("#exercises > p")].find((p) => p.textContent.includes("replace None"));
  text.classList.add("for-paper");
  text.after(element("p", {
    className: "for-screens", textContent: "Where a box follows, write your answer into it, and check it.",
  }));
}

// Put a box in place of each exercise's cell. `load` loads Python, once, and returns what a page can do.
export async function addBoxes(exercises, load) {
  await addStyle("answers.css");
  const boxes = exercises.map(([place, id]) => new Box(Number(place), id, load));
  speakOfBoxes();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = boxes.filter(({ fold }) => !fold.open);
    for (const { fold } of closed) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const { fold } of closed) fold.open = false; });
}
