// A hint beside what the mouse or the keyboard is on: the equation that a link names, or what a
// check found. A click on a check's tick opens its code.
(() => {
  const NAMED = '.bd-article a[href*="#eq-"]:not(.headerlink)';
  const DELAY = 150; // milliseconds: a mouse that only passes shows nothing, and may move to the hint

  const hint = Object.assign(document.createElement("div"), { id: "hint", popover: "manual" });
  hint.setAttribute("role", "tooltip");
  let owner = null; // the link that the hint belongs to
  let timer = 0;

  // ---- what a hint shows
  const pages = new Map();

  function pageOf(link) {
    const here = link.pathname === location.pathname;
    // a page opened from a file may not read others
    if (here || location.protocol === "file:") return Promise.resolve(here ? document : null);
    if (!pages.has(link.pathname)) {
      const parse = (text) => new DOMParser().parseFromString(text, "text/html");
      const page = fetch(link.pathname).then((answer) => (answer.ok ? answer.text().then(parse) : null));
      pages.set(link.pathname, page.catch(() => null));
    }
    return pages.get(link.pathname);
  }

  async function contentOf(link) {
    if (link.matches(".tick")) return document.createTextNode(link.getAttribute("aria-label"));
    const page = await pageOf(link);
    const formula = page?.getElementById(decodeURIComponent(link.hash.slice(1)));
    const copy = formula?.querySelector(".katex-display")?.cloneNode(true);
    return copy && document.adoptNode(copy);
  }

  // ---- where and when
  function place(link) {
    const gap = 6;
    const line = link.getClientRects()[0]; // of a link that breaks, its first line
    const { width, height } = hint.getBoundingClientRect();
    const left = Math.min(line.left, innerWidth - width - gap);
    const above = line.top - height - gap;
    hint.style.left = `${Math.max(gap, left)}px`;
    hint.style.top = `${above > gap ? above : line.bottom + gap}px`;
  }

  async function show(link) {
    owner = link;
    const content = await contentOf(link);
    if (!content || owner !== link) return;
    hint.replaceChildren(content);
    hint.showPopover();
    place(link);
    if (!link.matches(".tick")) link.setAttribute("aria-describedby", hint.id); // a tick's name says it
  }

  function hide() {
    clearTimeout(timer);
    owner?.removeAttribute("aria-describedby");
    owner = null;
    if (hint.matches(":popover-open")) hint.hidePopover();
  }

  function later(action) {
    clearTimeout(timer);
    timer = setTimeout(action, DELAY);
  }

  function serve(link) {
    link.removeAttribute("title"); // the hint says it
    link.addEventListener("pointerenter", ({ pointerType }) => {
      if (pointerType === "mouse" && owner !== link) later(() => { hide(); show(link); });
      else clearTimeout(timer);
    });
    link.addEventListener("pointerleave", () => later(hide));
    link.addEventListener("focus", () => link.matches(":focus-visible") && (hide(), show(link)));
    link.addEventListener("blur", hide);
  }

  // ---- ticks
  function openCheck(id) {
    const check = document.getElementById(id);
    if (!check?.matches("details.check")) return null;
    check.open = true;
    return check;
  }

  function serveTick(tick) {
    const check = document.getElementById(tick.hash.slice(1));
    if (!check.matches("details.check")) return; // it is on the page, and the link leads to it
    tick.setAttribute("role", "button");
    tick.setAttribute("aria-controls", check.id);
    const told = () => tick.setAttribute("aria-expanded", check.open);
    told();
    check.addEventListener("toggle", told);
    const toggle = (event) => {
      event.preventDefault();
      check.open = !check.open;
      if (check.open) check.scrollIntoView({ block: "nearest" });
    };
    tick.addEventListener("click", toggle);
    tick.addEventListener("keydown", (event) => event.key === " " && toggle(event));
  }

  document.body.append(hint);
  document.querySelectorAll(`${NAMED}, a.tick`).forEach(serve);
  document.querySelectorAll("a.tick").forEach(serveTick);
  hint.addEventListener("pointerenter", () => clearTimeout(timer));
  hint.addEventListener("pointerleave", () => later(hide));
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", () => owner && place(owner), { passive: true });
  const follow = () => openCheck(location.hash.slice(1))?.scrollIntoView();
  addEventListener("hashchange", follow);
  follow();
})();
