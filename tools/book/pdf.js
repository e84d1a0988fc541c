// Puts the pages of the site together into one document. tools/book/pdf.py runs this in a tab that
// shows the site, and prints the result.

/** Give every element that a link may lead to, and every link, an address within the book. */
function adaptLinks(article, page, at, pages, published) {
  const place = (name, hash) => `${name}--${decodeURIComponent(hash.slice(1))}`;
  // ids within explorers are hashes, so they are unique already
  for (const element of article.querySelectorAll("[id]:not(figure *)")) {
    element.id = place(page, `#${element.id}`);
  }
  article.id = place(page, "");
  for (const link of article.querySelectorAll("a[href]")) {
    const written = link.getAttribute("href");
    const target = new URL(written, at);
    const name = target.pathname.slice(1).replace(/\.html$/, "");
    if (target.origin !== at.origin) continue;
    const printed = pages.includes(name) && !link.matches(".tick"); // the checks are only on the site
    if (printed) link.href = `#${place(name, target.hash)}`;
    else link.href = new URL(written, published);
  }
}

/** Adapt an article for print: three frames of each explorer, open answers, formulas with a text. */
function adaptContent(article, at, published) {
  article.querySelectorAll(
    ".headerlink, .genindex-jumpbox, details:is(.hide, .check), .explorer-frame:not(.explorer-printed)",
  ).forEach((element) => element.remove());
  for (const details of article.querySelectorAll("details")) details.open = true;
  for (const picture of article.querySelectorAll("img")) {
    picture.src = new URL(picture.getAttribute("src"), at);
    picture.loading = "eager";
  }
  for (const table of article.querySelectorAll("table")) {
    if (table.rows[0].cells.length > 6) table.classList.add("book-wide");
  }
  for (const explorer of article.querySelectorAll(".explorer")) {
    explorer.querySelector(".explorer-frames").append(invitation(explorer, published));
    // a screen reader reads the sentence of each picture
    explorer.querySelector(".explorer-frames").removeAttribute("role");
    for (const frame of explorer.querySelectorAll(".explorer-frame")) {
      frame.hidden = false;
      frame.firstElementChild.removeAttribute("aria-hidden");
      frame.firstElementChild.setAttribute("role", "img");
      frame.firstElementChild.setAttribute("aria-label", frame.dataset.sentence);
    }
  }
  for (const formula of article.querySelectorAll(".katex")) {
    const tex = formula.querySelector("annotation").textContent.trim();
    formula.querySelector(".katex-mathml").remove();
    formula.firstElementChild.removeAttribute("aria-hidden");
    formula.setAttribute("role", "img");
    formula.setAttribute("aria-label", tex);
  }
}

/** Return a paragraph that names an explorer's sliders and links to the page where they move. */
function invitation(explorer, published) {
  const names = [...explorer.querySelectorAll("input")].map((input) => `“${input.ariaLabel}”`);
  const text = document.createElement("p");
  const link = document.createElement("a");
  const [sliders, them] = names.length > 1 ? ["sliders", "them"] : ["slider", "it"];
  text.className = "explorer-more";
  link.href = `${published}#${explorer.id}`;
  link.textContent = "the page on the web";
  text.append(`Three positions of the ${sliders} ${names.join(" and ")}. Move ${them} on `, link, ".");
  return text;
}

/** Let long names in tables break after a dot or an underscore or before a capital, not anywhere. */
function adaptNames(article) {
  for (const name of article.querySelectorAll("td code .pre")) {
    const parts = name.textContent.split(/(?<=[._(=,])|(?<=[a-z])(?=[A-Z])/);
    name.replaceChildren(...parts.flatMap((part) => [document.createElement("wbr"), part]));
  }
}

/** Mark a paragraph that announces the next block: it has no full stop, or a list follows. */
function markWhatLeads(article) {
  for (const text of article.querySelectorAll("p:not(td p, th p)")) {
    if (!text.nextElementSibling && !text.closest(".cell")) continue;
    const open = !/[.?!)”]$/.test(text.textContent.trim());
    if (open || text.matches(":has(+ :is(ul, ol))")) text.classList.add("book-leads");
  }
}

/** Mark blocks that no page break may divide, since they are so short that little of a page stays
    empty: up to a third of a page, or four lines of text, where Chromium may leave one line alone.
    An article's last section is among them, so that no page has only two lines. */
function markWhatIsShort() {
  const heights = { "pre, table, article > section > section:last-child": 350, "p, li": 93 };
  for (const [names, height] of Object.entries(heights)) {
    for (const block of document.querySelectorAll(names)) {
      if (block.offsetHeight < height) block.classList.add("book-short");
    }
  }
}

/** Return a link to a place in the book, with space for its page number, which fillIn() writes. */
function entry(id, html) {
  const link = document.createElement("a");
  link.href = `#${id}`;
  link.innerHTML = `<span>${html}</span><span data-page-of="000"></span>`;
  link.lastElementChild.dataset.pageOf = id;
  return link;
}

/** Return the entry of an article in the contents, with its sections. */
function contentsOf(article) {
  const item = document.createElement("li");
  item.className = "chapter";
  item.append(entry(article.id, article.querySelector("h1").innerHTML), document.createElement("ol"));
  for (const heading of article.querySelectorAll("section > section > h2")) {
    const section = document.createElement("li");
    section.append(entry(heading.parentElement.id, heading.innerHTML));
    item.lastElementChild.append(section);
  }
  return item;
}

/** Replace the document by the book; `parts` are lists of pages with a caption or none. */
async function bind({ parts, cover }) {
  const pages = parts.flatMap((part) => part.pages);
  const book = document.createElement("main");
  book.className = "bd-content";
  book.style.display = "block";
  book.innerHTML = `${cover}<nav class="book-contents"><h1>Contents</h1></nav>`;
  const contents = book.querySelector("nav");
  const heads = [];
  for (const { caption, pages: names } of parts) {
    const list = document.createElement("ol");
    if (caption) {
      const title = document.createElement("p");
      title.className = "part";
      title.textContent = caption;
      contents.append(title);
    }
    contents.append(list);
    for (const page of names) {
      const at = new URL(`/${page}.html`, location);
      const parsed = new DOMParser().parseFromString(await (await fetch(at)).text(), "text/html");
      const article = document.adoptNode(parsed.querySelector("article.bd-article"));
      const published = parsed.querySelector("link[rel=canonical]").href;
      adaptContent(article, at, published);
      adaptLinks(article, page, at, pages, published);
      adaptNames(article);
      markWhatLeads(article);
      list.append(contentsOf(article));
      if (page === "genindex") {
        article.classList.add("book-index");
        for (const link of article.querySelectorAll("li a[href^='#']")) {
          const number = document.createElement("span");
          number.dataset.pageOf = link.getAttribute("href").slice(1);
          link.append(number);
        }
      }
      article.style.page = `page${heads.length}`;
      const title = JSON.stringify(article.querySelector("h1").textContent);
      heads.push(`@page page${heads.length} { @top-right { content: ${title}; } }`);
      book.append(article);
    }
  }
  document.body.replaceChildren(book);
  const style = document.createElement("style");
  style.textContent = heads.join("\n");
  document.head.append(style);
  fillIn({});
  await Promise.all([...document.images].map((picture) => picture.decode()));
  await document.fonts.ready;
  markWhatIsShort();
}

/** Write the page numbers into all links, by the ids that they lead to. */
function fillIn(numbers) {
  for (const element of document.querySelectorAll("[data-page-of]")) {
    element.textContent = numbers[element.dataset.pageOf] ?? "000";
  }
}

/** Return the innermost elements that are wider than a page of this width, as "page: text". */
function widerThan(width) {
  return [...document.querySelectorAll(".bd-article *:not(svg *)")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .filter((element) => !element.childElementCount && element.textContent.trim())
    .map((element) => `${element.closest("article").id}: ${element.textContent}`)
    .slice(0, 9).join("; ");
}

/** Return the text of every heading, in order. */
function headings() {
  return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) => h.textContent.trim());
}
