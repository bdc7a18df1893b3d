// What the course adds to the book theme: figures that can be enlarged, and boxes that scroll by keyboard.

// A figure opens over the page in its full size. Without this script its link opens the picture alone.
const large = document.createElement("dialog");
large.className = "course-large";

function enlarge(link) {
  const image = link.querySelector("img").cloneNode();
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => large.close());
  for (const name of ["style", "width", "height"]) image.removeAttribute(name);
  // On a desk as wide as the window, if it has so many pixels; on a phone wider than that, to be moved by finger.
  image.style.width = `${Math.min(image.naturalWidth || 1600, Math.max(window.innerWidth, 1100))}px`;
  image.style.height = "auto";
  large.replaceChildren(close, image);
  large.setAttribute("aria-label", `${link.getAttribute("aria-label").replace("Enlarge figure", "Figure")}, enlarged`);
  large.showModal();
}

// What is wider than its box scrolls there, and must be reached by the Tab key; nothing else is a stop.
// First all is read and then all is written: a page has hundreds of formulas, and would be laid out for each of them.
function reachable(part = document) {
  const formulas = [...part.querySelectorAll(".bd-article .math")];
  for (const math of formulas) math.classList.remove("course-wide");
  const wide = formulas.map((math) => {
    const inner = math.querySelector("mjx-math, mjx-table");
    const room = math.parentElement.closest("p, li, td, dd, div, figcaption, summary");
    return inner !== null && inner.getBoundingClientRect().width > room.clientWidth;
  });
  const boxes = [...part.querySelectorAll(".bd-article pre")];
  const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth);
  formulas.forEach((math, number) => math.classList.toggle("course-wide", wide[number]));
  const stops = [...wide, ...scrolls];
  [...formulas, ...boxes].forEach((box, number) => {
    if (stops[number]) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    if (box.matches(".math") && stops[number]) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Formula");
    }
  });
}

document.addEventListener("DOMContentLoaded", () => {
  document.body.append(large);
  large.addEventListener("click", (event) => event.target === large && large.close());
  for (const link of document.querySelectorAll(".course-enlarge")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      enlarge(link);
    });
  }
  // The theme shows "Copied!" as a tooltip; here it is said.
  const said = document.createElement("div");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  document.body.append(said);
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".copybtn")) return;
    said.textContent = "";
    setTimeout(() => (said.textContent = "Copied"), 100);
  });
  for (const fold of document.querySelectorAll(".bd-article details")) fold.addEventListener("toggle", () => reachable(fold));
});
window.addEventListener("load", () => {
  reachable();
  window.MathJax?.startup?.promise?.then(() => reachable());
});
window.addEventListener("resize", () => reachable());
