// The button that lets Python run a page in the reader's browser. Until it is pressed, nothing else is
// loaded.

const { megabytes, colab, exercises, handIn } = document.querySelector("script[data-run-here]").dataset;

// A module with the newest thing that Python needs: a block that catches exceptions.
const NEWEST = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, //   "\0asm", version 1
  1, 4, 1, 96, 0, 0, //             one type: a function of nothing that returns nothing
  3, 2, 1, 0, //                    one function of this type
  10, 8, 1, 6, 0, 31, 64, 0, 11, 11, // its code: an empty try_table
]);

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const cost = location.protocol === "file:" ? "" : ` · ${megabytes} MB once`; // an offline copy has it

const supported = globalThis.DecompressionStream && globalThis.WebAssembly?.validate(NEWEST);
const bar = element("div", { className: "run-here" });
if (supported) {
  const button = element("button", { type: "button", className: "run-here-button" },
    `Run this page here${cost}`);
  const status = element("span", { className: "run-here-status", role: "status" });
  const work = `cell:${location.pathname}:`;
  if (Object.keys(localStorage).some((key) => key.startsWith(work))) {
    status.textContent = "This browser keeps your changes of last time. Press the button to see them.";
  } else if (handIn) {
    status.textContent = "Write your functions on this page, check them, and download the notebook.";
  }
  bar.append(button, status);
  let loading;
  // Load Python, once, and return what the page can do then.
  const load = () => {
    loading ??= start().catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const start = async () => {
    button.disabled = true;
    status.textContent = "Loading …";
    try {
      const page = await import("./page.js");
      await page.activate(bar, button, status);
      load.done = true;
      return page;
    } catch (error) {
      console.info(error);
      button.disabled = false;
      status.textContent = `Python could not be loaded (${error.message}). Press again to go on from `
        + "what has come; the page stays as it is.";
      throw error;
    }
  };
  load.status = status;
  button.addEventListener("click", () => {
    load().then(() => bar.querySelector("button").focus(), () => button.focus());
  }, { passive: true });
  if (exercises) {
    const addAll = async () => {
      const { addBoxes } = await import("./answers.js");
      await addBoxes(exercises.split(" ").map((each) => each.split(":")), load);
    };
    if (document.readyState === "complete") addAll(); // an offline copy loads this late
    else addEventListener("load", addAll);
  }
} else {
  bar.append(element("p", {},
    "This page can run here in Chrome or Edge 137, Firefox 131, Safari 18.4, or newer. In other "
    + "browsers ", element("a", { href: colab }, "open it in Colab"), "."));
}
document.querySelector("article h1")?.after(bar);
