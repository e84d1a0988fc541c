// The search, in its dialog and on its own page. `_ext/search.py` writes the index, which is loaded
// when somebody begins to search; MiniSearch finds the words. Results are pages, the best first, each with its best places.
(() => {
  const root = document.documentElement.dataset.content_root;
  const PLACES = 3; // shown of a page
  const SILENT = new Set(("a an and are as at be by can do does for from how i in is it my of on or should that "
    + "the this to too use was what when where who with you").split(" "));
  const KIND = { section: 1, term: 0.9, equation: 0.6, name: 0.9 };
  // a chapter explains, an appendix is for looking up, and some pages list
  const PLACE = [[/^chapters\//, 1.4], [/^assignments\//, 0.5], [/glossary$/, 0.5], [/questions$/, 0.7],
    [/(teaching|robustness|formulas|grading)$/, 0.2]];

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // ---- words
  const split = (text) => text.toLowerCase().normalize("NFKD").match(/[\p{L}\p{N}]+/gu) ?? [];
  function stem(word) {
    if (word.length < 4 || /(ss|us|is)$/.test(word)) return word;
    return word.replace(/ies$/, "y").replace(/(?<=x|ch|sh|ss)es$/, "").replace(/s$/, "");
  }
  const stems = (text) => split(text).map(stem);

  // ---- the index
  let ready, index, entries;
  const loaded = (src) => new Promise((resolve, reject) => {
    const script = element("script", { src: `${root}_static/${src}`, onload: resolve });
    script.onerror = () => reject(new Error("The index of the search could not be loaded. Try again."));
    document.head.append(script);
  });

  function load() {
    ready ??= Promise.all(["minisearch/minisearch.js", "search-index.js"].map(loaded)).then(build);
    ready.catch(() => { ready = undefined; });
    return ready;
  }

  function build() {
    const about = new Map();
    for (const [, ...places] of searchIndex.pages) {
      for (const [page, kind, text] of places) {
        if (kind === "about") about.set(page, `${about.get(page) ?? ""} ${text}. `);
      }
    }
    entries = searchIndex.pages.flatMap(([page, ...places]) => places.flatMap(
      ([anchor, kind, title, text], i) => (kind === "about" ? [] : [{
        id: `${page}#${anchor}`, page, anchor, kind, title, text,
        about: i ? "" : about.get(page), pageTitle: places[0][2], first: i === 0,
      }])));
    index = new MiniSearch({
      fields: ["title", "pageTitle", "about", "text"],
      storeFields: ["page", "anchor", "kind", "title", "pageTitle", "about", "text", "first"],
      tokenize: split,
      processTerm: stem,
      searchOptions: {
        boost: { title: 5, pageTitle: 2, about: 4 },
        prefix: (term) => term.length > 2,
        fuzzy: (term) => (term.length > 5 ? 0.2 : false),
        weights: { fuzzy: 0.2, prefix: 0.4 },
        boostDocument: (id, term, entry) => KIND[entry.kind]
          * (PLACE.find(([pattern]) => pattern.test(entry.page))?.[1] ?? 0.8),
      },
    });
    index.addAll(entries);
  }

  // ---- queries
  // A phrase that has others of the same meaning is a group of alternatives; so is each other word.
  function parse(query) {
    let words = split(query).filter((word) => !SILENT.has(word));
    if (!words.length) words = split(query);
    const groups = [], stemmed = words.map(stem);
    for (let i = 0; i < words.length;) {
      let length = 1, same = [];
      for (const group of searchIndex.same) {
        for (const phrase of group.map(stems)) {
          const here = stemmed.slice(i, i + phrase.length).join() === phrase.join();
          if (here && phrase.length >= length) {
            same = phrase.length > length ? group : [...same, ...group];
            length = phrase.length;
          }
        }
      }
      groups.push({ own: words.slice(i, i + length).join(" "), same });
      i += length;
    }
    return groups;
  }

  // Whether the words of a phrase stand side by side in an entry.
  function contains({ title, about, text }, phrase) {
    const wanted = stems(phrase);
    if (wanted.length === 1) return true;
    return [title, about, text].some((field) => field && ` ${stems(field).join(" ")} `.includes(` ${wanted.join(" ")} `));
  }

  function search(query) {
    const groups = parse(query);
    const pages = new Map(), hits = new Map();
    for (const { own, same } of groups) {
      const alternatives = [own, ...same.filter((phrase) => stems(phrase).join() !== stems(own).join())];
      const best = new Map();
      alternatives.forEach((phrase, i) => {
        for (const hit of index.search(phrase, { combineWith: "AND" })) {
          const score = hit.score * (i ? 0.5 : 1) * (contains(hit, phrase) ? 1 : 0.3);
          if (score > (best.get(hit.id)?.score ?? 0)) best.set(hit.id, { ...hit, score });
        }
      });
      for (const [id, hit] of best) {
        const before = hits.get(id);
        hits.set(id, {
          ...hit, score: (before?.score ?? 0) + hit.score, groups: (before?.groups ?? 0) + 1,
          terms: [...before?.terms ?? [], ...hit.terms],
        });
      }
    }
    for (const hit of hits.values()) {
      hit.score *= (hit.groups / groups.length) ** 2; // a place that has all words comes first
      if (!pages.has(hit.page)) pages.set(hit.page, { page: hit.page, title: hit.pageTitle, places: [] });
      pages.get(hit.page).places.push(hit);
    }
    for (const page of pages.values()) {
      page.places.sort((a, b) => b.score - a.score);
      page.score = page.places.reduce((sum, { score }, i) => sum + score / 2 ** i, 0);
    }
    return [...pages.values()].sort((a, b) => b.score - a.score);
  }

  // ---- what is shown
  // The sentence with the most of the words, and these marked.
  function snippet({ text, terms }) {
    const wanted = new Set(terms);
    const sentences = text.match(/.+?[.?!:](?=\s|$)|.+$/g) ?? [];
    const count = (sentence) => new Set(stems(sentence).filter((word) => wanted.has(word))).size
      - 0.1 * (sentence.match(/…/g)?.length ?? 0);
    const best = sentences.reduce((a, b) => (count(b) > count(a) ? b : a), sentences[0] ?? "").trim();
    const short = best.length > 240 ? `${best.slice(0, 240).replace(/\s\S*$/, "")} …` : best;
    return short.split(/([\p{L}\p{N}]+)/u).map(
      (part) => (wanted.has(stem(part.toLowerCase())) ? element("mark", { textContent: part }) : part));
  }

  function shown({ page, title, places }, brief) {
    const href = (place) => `${root}${page}.html${place.first ? "" : `#${place.anchor}`}`;
    const label = ({ kind, title: name }) => (kind === "equation" ? `Equation ${name}` : name);
    const [top, ...others] = places;
    const item = element("li", {}, element("a", { href: href(brief ? top : { first: true }), textContent: title }));
    if (brief) {
      if (!top.first) item.firstChild.append(element("span", { textContent: label(top) }));
      return item;
    }
    const inner = [top, ...others.filter(({ score }) => score > top.score / 4)].slice(0, PLACES);
    item.append(element("ul", {}, ...inner.map((place) => element("li", {},
      ...place.first ? [] : [element("a", { href: href(place), textContent: label(place) })],
      element("p", {}, ...snippet(place))))));
    return item;
  }

  // Show results below a field as somebody types, and say how many there are.
  function attach(field, results, { brief = 0 } = {}) {
    const list = element("ol"), status = element("p", { role: "status" });
    results.replaceChildren(status, list);
    async function update() {
      const query = field.value.trim();
      if (!query) {
        status.textContent = "";
        list.replaceChildren();
        return;
      }
      try {
        if (!index) status.textContent = "Loading the index …";
        await load();
      } catch (error) {
        status.textContent = error.message;
        return;
      }
      if (field.value.trim() !== query) return;
      const found = search(query);
      const pages = found.length === 1 ? "1 page" : `${found.length} pages`;
      status.textContent = found.length ? `Found on ${pages}.`
        : `Nothing is found for “${query}”. Try another word, or look into the glossary or the index.`;
      list.replaceChildren(...found.slice(0, brief || undefined).map((page) => shown(page, brief)));
      if (!brief) history.replaceState(null, "", `?q=${encodeURIComponent(query)}`);
    }
    let waiting;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, 80);
    });
    // the arrow keys lead from the field through the results and back
    results.parentElement.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const stops = [field, ...results.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    update();
  }

  // Give the dialog its results, and load the index while somebody types.
  function open(dialog) {
    load().catch(() => {}); // the dialog says so when somebody types
    if (dialog.querySelector(".search-results")) return;
    const results = dialog.appendChild(element("div", { className: "search-results" }));
    attach(dialog.querySelector("input"), results, { brief: 6 });
  }

  globalThis.courseSearch = { open, load, search };
  const page = document.getElementById("search-results");
  if (page) {
    const field = document.querySelector(".bd-search-container input[type=search]");
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    field.form.addEventListener("submit", (event) => event.preventDefault());
    attach(field, page);
  }
})();
