// Divides what is taller than a slide, then hands over to Reveal.js. It runs here and not when the
// file is made, since only the browser knows how tall text and formulas are.
(async () => {
  const tooTall = (slide) => slide.scrollHeight > slide.clientHeight;
  const movable = (slide) => [...slide.querySelectorAll(":scope > .block:not(.figure)")];
  // what must not end a slide: a heading, and a sentence that announces what follows
  const announces = (block) => block.matches(".heading")
    || (block.matches(".text") && !/[.!?)”"]$/.test(block.textContent.trim()));

  function divide(slide) {
    const rest = document.createElement("section");
    while (tooTall(slide) && movable(slide).length > 1) rest.prepend(movable(slide).at(-1));
    while (movable(slide).length > 1 && announces(movable(slide).at(-1))) {
      rest.prepend(movable(slide).at(-1));
    }
    if (tooTall(slide)) shrink(slide);
    if (!rest.children.length) return;
    rest.prepend(topicOf(slide));
    slide.after(rest);
  }

  function topicOf(slide) {
    const topic = document.createElement("div");
    topic.className = "topic";
    const shown = slide.querySelector(".topic, h1, h2, h3");
    topic.innerHTML = shown ? shown.innerHTML : "";
    return topic;
  }

  // A single block that is too tall becomes smaller; at half its size it scrolls instead.
  function shrink(slide) {
    for (let size = 0.95; tooTall(slide) && size >= 0.5; size -= 0.05) {
      movable(slide).forEach((block) => { block.style.zoom = size; });
    }
  }

  document.body.offsetHeight; // lays the page out, and so asks for its fonts
  await document.fonts.ready;
  for (const group of document.querySelectorAll(".slides > section")) {
    for (let slide = group.firstElementChild; slide; slide = slide.nextElementSibling) {
      if (tooTall(slide)) divide(slide);
    }
  }
  document.body.classList.remove("measuring");

  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0.02,
    center: false,
    hash: true,
    navigationMode: "linear", // the right arrow leads through all slides
    slideNumber: "c/t",
    transition: "none",
    backgroundTransition: "none",
  });

  // once a slider has been let go by mouse or touch, the arrows turn the slides again
  document.addEventListener("pointerup", ({ target }) => {
    if (target.matches("input[type=range]")) target.blur();
  });
})();
