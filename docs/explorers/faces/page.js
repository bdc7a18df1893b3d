// The page of the faces: six true sliders, six learned numbers, and who knows what.
"use strict";

(() => {
  const { $, fixed, write, element } = Kit;
  const networks = Faces.open(EXPLORER_DATA),
    entropy = EXPLORER_DATA.entropy;
  const BASE = [0.6, 0.3, 0.5, 0.4, 0.0, 0.3]; // the face of the lesson's Figure 2
  const STOPS = [-2, -1, 0, 1, 2],
    REACH = 3,
    OFF = 0.05;
  const WORDS = [
    ["serious", "laughing"],
    ["light", "dark"],
    ["short", "to the shoulder"],
    ["none", "full"],
    ["without", "with"],
    ["black", "white"],
  ];
  const HAIRS = ["black", "brown", "red", "blond", "white"];

  let factors = [...BASE],
    network = networks.find(({ beta }) => beta === 1),
    code = [],
    byHand = new Set(),
    half;

  // --- Build -------------------------------------------------------------------------------------------------------

  const sliders = Faces.FACTORS.map((name, j) => {
    const id = `slider-${j}`;
    element("label", { for: id }, $("sliders"), name);
    const input = element("input", { type: "range", id, min: 0, max: 1, step: j === 4 ? 1 : 0.05 }, $("sliders"));
    const value = element("output", { for: id }, $("sliders"));
    input.addEventListener("input", () => {
      factors[j] = Number(input.value);
      byHand.clear();
      follow();
    });
    return { input, value };
  });

  const numbers = [0, 1, 2, 3, 4, 5].map((i) => {
    const row = element("div", { class: "number-row" }, $("numbers"));
    const head = element("div", { class: "number-head" }, row);
    const id = `number-${i}`;
    const label = element("label", { for: id }, head);
    const knows = element("span", { class: "soft" }, head);
    const lineOf = element("div", { class: "number-line" }, row);
    const input = element("input", { type: "range", id, min: -REACH, max: REACH, step: 0.05 }, lineOf);
    const value = element("output", { for: id, class: "number" }, lineOf);
    const strip = element(
      "canvas",
      { width: 16 * STOPS.length + STOPS.length - 1, height: 16, "aria-hidden": "true" },
      lineOf,
    );
    input.addEventListener("input", () => {
      const before = Faces.decode(network, code);
      code[i] = Number(input.value);
      byHand.add(i);
      drawSoon();
      const change = Faces.squaredError(before, Faces.decode(network, code));
      Kit.say(`The picture changes by a squared error of ${change.toFixed(2)}`);
    });
    return { row, label, knows, input, value, strip };
  });

  for (const { beta } of networks) element("option", { value: beta }, $("beta"), beta);
  $("beta").value = 1;

  const migRows = Faces.FACTORS.map((name) => {
    const row = element("tr", {}, $("mig").tBodies[0]);
    element("th", { scope: "row" }, row, name);
    const bars = ["first", "second"].map((kind) => {
      const box = element("div", { class: "share" }, element("td", { class: "bar" }, row));
      return { text: element("span", {}, box), bar: element("i", { class: kind }, element("span", {}, box)) };
    });
    return { bars, gap: element("td", {}, row) };
  });

  // --- Draw --------------------------------------------------------------------------------------------------------

  const whole = (image) => (place, channel) => image[Faces.inHalf(place) + channel];

  function said(j) {
    const place = factors[j];
    if (j === 5) return HAIRS[Math.round(place * 4)];
    if (j === 4) return WORDS[4][place > 0.5 ? 1 : 0];
    return place === 0 ? WORDS[j][0] : place === 1 ? WORDS[j][1] : place.toFixed(2);
  }

  // The face changes: draw it, encode it, and let the numbers follow.
  function drawFace() {
    sliders.forEach(({ input, value }, j) => {
      input.value = factors[j];
      write(value, j >= 4 ? said(j) : factors[j].toFixed(2));
      Kit.set(input, { "aria-valuetext": said(j) });
    });
    const image = Faces.draw(factors);
    Kit.paint($("drawn"), 32, 32, (place, channel) => image[3 * place + channel] / 255);
    half = Faces.shrink(image);
    Kit.paint($("seen"), 16, 16, whole(half));
    code = Faces.encode(network, half).mu;
    drawCode();
  }

  const follow = Kit.oncePerFrame(() => {
    const before = [...code];
    drawFace();
    const change = code.map((number, i) => Math.abs(number - before[i]));
    const most = change.indexOf(Math.max(...change));
    Kit.say(`Number ${most + 1} follows most, now ${code[most].toFixed(2)}`);
  });

  const drawSoon = Kit.oncePerFrame(() => drawCode());

  function drawCode() {
    const made = Faces.decode(network, code);
    Kit.paint($("made"), 16, 16, whole(made));
    write($("error"), fixed(Faces.squaredError(made, half), 3));
    write(
      $("moved"),
      byHand.size
        ? [...byHand]
            .sort()
            .map((i) => `z${"₁₂₃₄₅₆"[i]}`)
            .join(", ")
        : "none",
    );
    $("follow").disabled = !byHand.size;
    numbers.forEach(({ input, value }, i) => {
      input.value = code[i];
      write(value, fixed(code[i]));
      Kit.set(input, { "aria-valuetext": code[i].toFixed(2) });
    });
    stale = numbers.length;
    strips.start();
  }

  // What each number moves: the faces of a strip differ in this number alone. One strip a frame keeps a drag smooth.
  function drawStrip({ strip }, i) {
    const context = strip.getContext("2d");
    const picture = context.createImageData(17 * STOPS.length, 16);
    STOPS.forEach((stop, at) => {
      const face = Faces.decode(network, code.map((number, other) => (other === i ? stop : number)));
      for (let place = 0; place < 256; place += 1) {
        const from = Faces.inHalf(place);
        const to = 4 * (Math.floor(place / 16) * picture.width + 17 * at + (place % 16));
        for (let channel = 0; channel < 3; channel += 1) picture.data[to + channel] = Math.round(255 * face[from + channel]);
        picture.data[to + 3] = 255;
      }
    });
    context.putImageData(picture, 0, 0);
  }

  let stale = 0, // strips that show an older code
    next = 0;
  const strips = Kit.loop(() => {
    drawStrip(numbers[next], next);
    next = (next + 1) % numbers.length;
    stale -= 1;
    return stale > 0;
  });

  // Another network: what it knows.
  function drawNetwork() {
    const { kl, information, beta } = network,
      ofTen = network["mig of ten seeds"];
    const order = [0, 1, 2, 3, 4, 5].sort($("sorted").checked ? (a, b) => kl[b] - kl[a] : (a, b) => a - b);
    for (const i of order) $("numbers").append(numbers[i].row);
    numbers.forEach(({ label, knows }, i) => {
      const shares = information[i].map((nats, j) => nats / entropy[j]),
        most = shares.indexOf(Math.max(...shares));
      write(label, `z${"₁₂₃₄₅₆"[i]} · ${fixed(kl[i])} nats${kl[i] < OFF ? " · off" : ""}`);
      write(
        knows,
        kl[i] < OFF
          ? "knows nothing"
          : `knows most about: ${Faces.FACTORS[most]} (${Math.round(100 * shares[most])} %)`,
      );
    });
    migRows.forEach(({ bars, gap }, j) => {
      const { first, second, gap: size } = Faces.best(network, entropy, j);
      [first, second].forEach(([share, i], at) => {
        bars[at].bar.style.width = `${100 * share}%`;
        write(bars[at].text, `z${"₁₂₃₄₅₆"[i]}\u00a0${Math.round(100 * share)}\u00a0%`);
      });
      write(gap, size.toFixed(3));
    });
    write($("mig-value"), network.mig.toFixed(3));
    const rate = kl.reduce((a, b) => a + b, 0),
      used = kl.filter((nats) => nats >= OFF).length;
    write(
      $("mig-text"),
      `With β = ${beta} this network uses ${used} of its 6 numbers. It pays ${rate.toFixed(1)} nats a face and leaves a squared error of ` +
        `${network.distortion.toFixed(2)}. Its MIG is ${network.mig.toFixed(3)}; ten networks with this β that differ only in their random start have ${ofTen[0].toFixed(3)} to ${ofTen[1].toFixed(3)}.`,
    );
    return used;
  }

  // --- Controls ----------------------------------------------------------------------------------------------------

  $("beta").addEventListener("change", () => {
    network = networks.find(({ beta }) => beta === Number($("beta").value));
    byHand.clear();
    const used = drawNetwork();
    drawFace();
    Kit.say(`Beta ${network.beta}: ${used} numbers in use, MIG ${network.mig.toFixed(3)}`);
  });
  $("sorted").addEventListener("change", drawNetwork);
  $("follow").addEventListener("click", () => {
    byHand.clear();
    drawFace();
    Kit.say("The numbers follow the face again");
  });
  const random = Kit.random(7);
  $("random").addEventListener("click", () => {
    factors = Faces.LEVELS.map((levels) => Math.floor(random.uniform() * levels) / (levels - 1));
    byHand.clear();
    drawFace();
    Kit.say(`A random face: ${Faces.FACTORS.map((name, j) => `${name} ${said(j)}`).join(", ")}`);
  });
  $("base").addEventListener("click", () => {
    factors = [...BASE];
    byHand.clear();
    drawFace();
    Kit.say("The face of the lesson");
  });

  write($("recipe"), `Trained with the recipe of ${EXPLORER_DATA.recipe}.`);
  drawNetwork();
  drawFace();
})();
