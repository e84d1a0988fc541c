// Explorers: show the frame that the sliders select, and its sentence. All figures and sentences are
// in the page (see lossutils/explore.py); nothing is loaded.
(() => {
  const inputsOf = (explorer) => [...explorer.querySelectorAll("input[type=range]")];

  function show(explorer) {
    // frames are stored with the last parameter running fastest
    const index = inputsOf(explorer).reduce(
      (sum, input) => sum * (Number(input.max) + 1) + Number(input.value), 0);
    const frames = explorer.querySelectorAll(".explorer-frame");
    frames.forEach((frame, i) => { frame.hidden = i !== index; });
    explorer.querySelector("figcaption").textContent = frames[index].dataset.sentence;
    for (const input of inputsOf(explorer)) {
      const tick = JSON.parse(input.dataset.ticks)[input.value];
      input.previousElementSibling.textContent = tick;
      input.setAttribute("aria-valuetext", tick);
    }
  }

  document.addEventListener("input", (event) => {
    const explorer = event.target.closest(".explorer");
    if (explorer) show(explorer);
  });

  document.querySelectorAll(".explorer-controls").forEach((controls) => {
    controls.hidden = false; // the script is deferred, so the whole page is there
  });
})();
