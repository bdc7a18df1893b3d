// Typeset the formulas, give every slide the largest of three types that fits, then start reveal.js.
// The promise window.deckReady tells when all is there.
window.deckReady = (async () => {
  await MathJax.startup.promise;
  // The speaker's window has no MathJax: it gets MathML, which browsers show by themselves.
  for (const formula of document.querySelectorAll(".notes .math")) {
    const tex = formula.textContent;
    formula.innerHTML = MathJax.tex2mml(tex.slice(2, -2), { display: tex.startsWith("\\[") });
  }
  await MathJax.typesetPromise([...document.querySelectorAll("header .math, .body .math, .beside .math")]);
  await Promise.all([...document.fonts].map((font) => font.load().catch(() => {}))); // browsers load what is seen only
  const slides = document.querySelector(".slides");
  slides.classList.add("measured");
  for (const slide of slides.children) {
    const boxes = [...slide.querySelectorAll(".body, .beside, .words")];
    const wide = (e) => e.getBoundingClientRect().right > e.closest(".words, .body").getBoundingClientRect().right + 1;
    const full = () =>
      boxes.some((e) => e.scrollHeight > e.clientHeight + 1) ||
      [...slide.querySelectorAll(":is(.body, .words) :is(mjx-math, table, pre)")].some(wide);
    for (const type of slide.querySelector("img") ? ["normal", "tight"] : ["roomy", "normal", "tight"]) {
      slide.className = type;
      if (!full()) break;
    }
  }
  slides.classList.remove("measured");
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 6, center: false, display: "flex", hash: true,
    progress: true, slideNumber: "c/t", controls: false, transition: "none", backgroundTransition: "none",
    navigationMode: "linear", pdfSeparateFragments: false, plugins: [RevealNotes],
  });
})();
