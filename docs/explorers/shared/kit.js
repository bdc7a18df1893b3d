// What the four pages share: drawing, dragging, keys, saying values, a loop. No framework, no requests.
"use strict";

const Kit = {
  $: (id) => document.getElementById(id),

  // A number with a true minus sign.
  fixed(value, places = 2) {
    const text = value.toFixed(places);
    return Number(text) < 0 ? text.replace("-", "−") : text.replace("-", "");
  },

  clamp: (value, low, high) => Math.min(high, Math.max(low, value)),

  // Write a text only if it changed: an untouched element costs no layout.
  write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  },

  svg(tag, attributes = {}, parent = null) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Kit.set(element, attributes);
    if (parent) parent.append(element);
    return element;
  },

  element(tag, attributes = {}, parent = null, text = "") {
    const element = document.createElement(tag);
    Kit.set(element, attributes);
    element.textContent = text;
    if (parent) parent.append(element);
    return element;
  },

  set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      const text = String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  },

  color: (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim(),

  // Say something to a screen reader: the last text, once the hand rests, and not more often than every 1.5 seconds.
  // `text` may be a function, for a text that takes work.
  say(text) {
    const now = performance.now();
    clearTimeout(Kit.say.timer);
    const wait = Math.max(450, (Kit.say.last || -1e9) + 1500 - now);
    Kit.say.timer = setTimeout(() => {
      Kit.say.last = performance.now();
      Kit.$("said").textContent = typeof text === "function" ? text() : text;
    }, wait);
  },

  // A function that runs at most once a frame, however often it is called.
  oncePerFrame(work) {
    let asked = false;
    return () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        work();
      });
    };
  },

  // A loop of frames: step() returns false to stop. Stands still while the page is not visible.
  loop(step, ended = () => {}) {
    const loop = { running: false };
    const frame = () => {
      if (!loop.running) return;
      if (step() === false) loop.stop();
      else requestAnimationFrame(frame);
    };
    loop.start = () => {
      if (loop.running) return;
      loop.running = true;
      requestAnimationFrame(frame);
    };
    loop.stop = () => {
      if (!loop.running) return;
      loop.running = false;
      ended();
    };
    return loop;
  },

  // Drag an element. `place(event)` turns a pointer into the units of the drawing; `move(point, from)` gets them.
  drag(element, place, { start = () => {}, move, end = () => {} }) {
    let offset = null;
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      offset = start(place(event)) || [0, 0];
    });
    element.addEventListener("pointermove", (event) => {
      if (!offset) return;
      const point = place(event);
      move([point[0] + offset[0], point[1] + offset[1]]);
    });
    const stop = () => {
      if (!offset) return;
      offset = null;
      end();
    };
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(name, stop);
  },

  // The arrow keys as a direction, x to the right and y upwards; null for another key.
  arrow: (event) =>
    ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] })[event.key] || null,

  // Where a pointer is in the coordinates of an SVG's viewBox.
  inside(svg, event) {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    return [
      view.x + ((event.clientX - box.left) / box.width) * view.width,
      view.y + ((event.clientY - box.top) / box.height) * view.height,
    ];
  },

  radio(name, changed) {
    for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
      input.addEventListener("change", () => input.checked && changed(input.value));
    }
  },

  // Random numbers that are the same for the same seed: uniform (mulberry32) and normal (Box and Muller).
  random(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  },

  // A canvas of h × w pixels from a function (place, channel) → value from 0 to 1, for the channels red, green, blue.
  paint(canvas, width, height, value) {
    const context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const image = context.createImageData(width, height);
    for (let place = 0; place < width * height; place += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        image.data[4 * place + channel] = Math.round(255 * value(place, channel));
      }
      image.data[4 * place + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  },

  // Call when light turns to dark or back.
  onTheme(work) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", work);
    new MutationObserver(work).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  },
};

// The theme that a reader chose on the course's site, if the page has none of its own.
(() => {
  const root = document.documentElement;
  try {
    const mode = localStorage.getItem("mode");
    if (!root.dataset.theme && ["light", "dark"].includes(mode)) root.dataset.theme = mode;
  } catch {
    /* no storage: the system decides */
  }
})();

// In a checkout the lesson is a notebook; on the site it is a page, as the link says.
document.addEventListener("DOMContentLoaded", () => {
  if (!/\/docs\/explorers\//.test(location.pathname)) return;
  for (const link of document.querySelectorAll("a[data-lesson]")) {
    link.href = `../../../notebooks/${link.dataset.lesson}.ipynb`;
  }
});
