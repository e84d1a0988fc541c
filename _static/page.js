// Colours, search, side bars, and scrolling by keyboard. The theme's own scripts do this too, but
// they make the browser lay out the whole page many times.
(() => {
  const root = document.documentElement;
  const phone = matchMedia("(max-width: 991px)");
  const all = (selector) => document.querySelectorAll(selector);

  // ---- light, dark, or as the system is (layout.html sets it first)
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  function paint(mode) {
    const dark = mode === "auto" ? systemIsDark.matches : mode === "dark";
    root.dataset.mode = mode;
    root.dataset.theme = dark ? "dark" : "light";
  }

  function changeMode() {
    const modes = systemIsDark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    const mode = modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length];
    localStorage.setItem("mode", mode);
    paint(mode);
    for (const button of all(".theme-switch-button")) {
      button.setAttribute("aria-label", `Colours: ${mode === "auto" ? "as your system is" : mode}`);
    }
  }

  systemIsDark.addEventListener("change", () => paint(root.dataset.mode));
  addEventListener("beforeprint", () => { root.dataset.theme = "light"; });
  addEventListener("afterprint", () => paint(root.dataset.mode));

  // ---- dialogs: the search, and on a phone the side bars
  // Sphinx's script would use the key for itself if it reached the document
  function keepEscape(element) {
    element.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  function closeByEscapeOrClickOutside(dialog) {
    keepEscape(dialog);
    dialog.addEventListener("click", ({ clientX: x, clientY: y, target }) => {
      const { left, right, top, bottom } = dialog.getBoundingClientRect();
      if (target === dialog && (x < left || x > right || y < top || y > bottom)) dialog.close();
    });
  }

  function search() {
    const dialog = document.getElementById("pst-search-dialog");
    const field = document.querySelector(".bd-search-container input[type=search]");
    if (field) field.focus(); // on the search page itself
    else if (dialog.open) dialog.close();
    else dialog.showModal();
    if (!field) courseSearch.open(dialog);
  }

  function moveContent(from, to) {
    to.append(...from.childNodes);
    [to.className, from.className] = [from.className, to.className];
  }

  function openSideBar(side) {
    const bar = document.getElementById(`pst-${side}-sidebar`);
    const dialog = document.getElementById(`pst-${side}-sidebar-modal`);
    if (side === "primary" && !phone.matches) {
      bar.classList.toggle("pst-sidebar-hidden");
      return;
    }
    moveContent(bar, dialog);
    dialog.showModal();
    dialog.addEventListener("close", () => moveContent(dialog, bar), { once: true });
    // otherwise the dialog stays open after a link to a place on the same page
    dialog.addEventListener("click", (event) => event.target.closest("a") && dialog.close());
  }

  // The link at the beginning leads past the buttons, to the title, whatever the base address is.
  function skipToText(event) {
    const title = document.querySelector("article h1, .bd-search-container h1");
    if (!title) return;
    event.preventDefault();
    title.tabIndex = -1;
    title.focus();
  }

  // ---- boxes with wide content get the focus, so that arrow keys can scroll them
  const BOXES = ".bd-article pre, .bd-article table, .bd-article div.math, .cell_output > .output";

  function measureWhenIdle(boxes = [...all(BOXES)].reverse()) {
    const whenIdle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
    whenIdle((deadline) => {
      // on a busy page, or without requestIdleCallback, measure 20 boxes at a time
      const hurried = !deadline || deadline.didTimeout;
      let most = hurried ? 20 : Infinity;
      do {
        const box = boxes.pop();
        if (box && box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
        else box?.removeAttribute("tabindex");
        most -= 1;
      } while (boxes.length && most > 0 && (hurried || deadline.timeRemaining() > 5));
      if (boxes.length) measureWhenIdle(boxes);
    }, { timeout: 1000 });
  }

  // ---- sections are laid out when they come near (course.css), or here, from the top
  // A way to a place, or back to one, is right only once all that is above it has its height.
  const LATE = ".bd-article section > section";
  const layOut = (sections) => sections.forEach((section) => section.classList.add("laid-out"));

  function layOutWhenIdle(sections = [...all(LATE)]) {
    const whenIdle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
    whenIdle(() => {
      layOut(sections.splice(0, 2));
      if (sections.length) layOutWhenIdle(sections);
    }, { timeout: 1000 });
  }

  // The browser remembers a place in pixels, which other heights move; a heading stays.
  const PLACE = `place of ${location.pathname}`;

  function rememberPlace() {
    const heading = [...all(".bd-article :is(h1, h2, h3)")].find((h) => h.getBoundingClientRect().bottom > 0);
    const section = heading?.closest("section[id]");
    if (!section) return;
    const top = section.getBoundingClientRect().top;
    sessionStorage.setItem(PLACE, JSON.stringify({ id: section.id, top }));
  }

  function returnToPlace() {
    const { id, top } = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
    const section = document.getElementById(id ?? decodeURIComponent(location.hash.slice(1)));
    if (!section) return;
    if (id) scrollBy({ top: section.getBoundingClientRect().top - top, behavior: "instant" });
    else section.scrollIntoView();
  }

  // Figures and boxes that come late move the text, until the reader moves it.
  function keepPlace() {
    const observer = new ResizeObserver(returnToPlace);
    const stop = () => observer.disconnect();
    observer.observe(document.querySelector(".bd-article") ?? document.body);
    addEventListener("load", () => {
      requestAnimationFrame(returnToPlace); // after the browser's own way
      setTimeout(stop, 3000);
    });
    for (const type of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      addEventListener(type, stop, { once: true, passive: true });
    }
  }

  function layOutBeforeJumps() {
    const [{ type }] = performance.getEntriesByType("navigation");
    if (type === "navigate") sessionStorage.removeItem(PLACE);
    if (location.hash || type !== "navigate") {
      layOut(all(LATE));
      keepPlace();
    } else if (document.readyState === "complete") layOutWhenIdle();
    else addEventListener("load", () => layOutWhenIdle());
    addEventListener("pagehide", rememberPlace);
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("a[href*='#']")) layOut(all(LATE));
    }, { capture: true });
  }

  // ---- the contents of the page mark the section that the reader is in
  function followSections() {
    const links = new Map([...all("#pst-page-toc-nav a")].map((link) => [link.hash.slice(1), link]));
    const mark = (id) => links.forEach((link, key) => {
      link.classList.toggle("active", key === id);
      if (key === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    const observer = new IntersectionObserver((entries) => {
      const entry = entries.filter(({ isIntersecting }) => isIntersecting).pop();
      if (entry) mark(entry.target.closest("section")?.id);
    }, { rootMargin: "0px 0px -70% 0px" });
    all(".bd-article :is(h2, h3)").forEach((heading) => observer.observe(heading));
  }

  function start() {
    all(".theme-switch-button").forEach((button) => button.addEventListener("click", changeMode));
    all(".search-button__button").forEach((button) => button.addEventListener("click", search));
    all(".skip-link a").forEach((link) => link.addEventListener("click", skipToText));
    all("dialog").forEach(closeByEscapeOrClickOutside);
    all("[popover], [popovertarget]").forEach(keepEscape); // the browser does the rest
    for (const side of ["primary", "secondary"]) {
      all(`.${side}-toggle`).forEach(
        (button) => button.addEventListener("click", () => openSideBar(side)));
    }
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    if (mac) all(".kbd-shortcut__modifier").forEach((key) => { key.textContent = "⌘"; });
    addEventListener("keydown", (event) => {
      const modifier = mac ? event.metaKey : event.ctrlKey;
      if (!modifier || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      search();
    });
    layOutBeforeJumps();
    followSections();
    measureWhenIdle();
    document.fonts.addEventListener("loadingdone", () => measureWhenIdle()); // formulas may become wider
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) measureWhenIdle(); // unless only a phone's address bar moved
      width = innerWidth;
    });
  }

  start(); // the script is deferred, so the whole page is there
})();
