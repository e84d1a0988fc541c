// Divides slides that are too tall, then starts Reveal.js. This runs in the browser, since only the
// browser knows how tall text and formulas are.
(async () => {
  const tooTall = (slide) => slide.scrollHeight > slide.clientHeight;
  const movable = (slide) => [...slide.querySelectorAll(":scope > .block:not(.figure)")];
  // A heading, or a sentence that announces the next block, must not end a slide.
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

  // A single block that is too tall becomes smaller, down to half its size; then the slide scrolls.
  function shrink(slide) {
    for (let size = 0.95; tooTall(slide) && size >= 0.5; size -= 0.05) {
      movable(slide).forEach((block) => { block.style.zoom = size; });
    }
  }

  document.body.offsetHeight; // reading it lays the page out, which makes the browser load the fonts
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

  // After a slider is released by mouse or touch, the arrow keys change slides again.
  document.addEventListener("pointerup", ({ target }) => {
    if (target.matches("input[type=range]")) target.blur();
  });
})();
