// The page of the blobs: means and widths to drag, forces, rate and distortion over β.
"use strict";

(() => {
  const { $, fixed, write, set, svg, element } = Kit;
  const DATA = EXPLORER_DATA,
    quadrature = Blobs.nodes(DATA);
  const SIZE = 420,
    REACH = 2.6,
    scale = SIZE / (2 * REACH);
  const X = (z) => SIZE / 2 + scale * z,
    Y = (z) => SIZE / 2 - scale * z;
  const STEPS = 4000,
    FRAME = 3; // steps of one run, as in the lesson; milliseconds of work a frame

  let model = Blobs.copy(DATA.start),
    memory = {},
    steps = 0,
    beta = 1,
    chosen = 0,
    seed = 0,
    found = [],
    shaken = true,
    frame = 0;

  // --- The drawing -------------------------------------------------------------------------------------------------

  const stage = $("stage");
  svg("line", { x1: 0, x2: SIZE, y1: Y(0), y2: Y(0), class: "grid" }, stage);
  svg("line", { y1: 0, y2: SIZE, x1: X(0), x2: X(0), class: "grid" }, stage);
  for (const value of [-2, -1, 1, 2]) {
    svg("text", { x: X(value), y: Y(0) + 16, "text-anchor": "middle" }, stage).textContent = fixed(value, 0);
    svg("text", { x: X(0) - 6, y: Y(value) + 4, "text-anchor": "end" }, stage).textContent = fixed(value, 0);
  }
  svg("text", { x: SIZE - 4, y: Y(0) - 6, "text-anchor": "end", "font-style": "italic" }, stage).textContent = "z₁";
  svg("text", { x: X(0) + 8, y: 14, "font-style": "italic" }, stage).textContent = "z₂";
  svg(
    "circle",
    { cx: X(0), cy: Y(0), r: scale, fill: "none", stroke: "var(--edge)", "stroke-width": 2, "stroke-dasharray": "2 4" },
    stage,
  );

  const at = (event) => {
    const [x, y] = Kit.inside(stage, event);
    return [(x - SIZE / 2) / scale, (SIZE / 2 - y) / scale];
  };
  const bodies = svg("g", {}, stage),
    arrows = svg("g", { "aria-hidden": "true", "pointer-events": "none" }, stage);
  const names = svg("g", { "aria-hidden": "true", "pointer-events": "none", class: "blob" }, stage),
    rims = svg("g", { "aria-hidden": "true" }, stage);

  const blobs = [0, 1, 2, 3].map((i) => {
    const grip = svg(
      "g",
      {
        class: "grip blob",
        tabindex: 0,
        role: "slider",
        "aria-roledescription": "blob",
        "aria-valuemin": -3,
        "aria-valuemax": 3,
      },
      bodies,
    );
    const parts = {
      grip,
      hit: svg("ellipse", { fill: "transparent" }, grip),
      body: svg("ellipse", { class: "body" }, grip),
      ring: svg("ellipse", { class: "ring" }, grip),
      name: svg("g", {}, names),
    };
    svg("circle", { r: 10, fill: "var(--paper)", stroke: "var(--ink)" }, parts.name);
    svg("text", {}, parts.name).textContent = i + 1;
    grip.addEventListener("focus", () => choose(i));
    grip.addEventListener("keydown", (event) => key(event, i));
    Kit.drag(grip, at, {
      start: (point) => {
        stop();
        return [model.mu[2 * i] - point[0], model.mu[2 * i + 1] - point[1]];
      },
      move: (point) => place(i, point),
    });
    const arrow = (kind) => ({
      shaft: svg("path", { class: `arrow-${kind}` }, arrows),
      head: svg("path", { class: `arrow-${kind} head`, style: kind === "cost" ? "stroke:none" : "" }, arrows),
    });
    return { ...parts, cost: arrow("cost"), kl: arrow("kl") };
  });
  const handles = [0, 1].map((j) => {
    const handle = svg("circle", { r: 8, class: j ? "rim up" : "rim" }, rims);
    let held = false;
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
      held = true;
      stop();
    });
    handle.addEventListener("pointermove", (event) => {
      if (held) widen(chosen, j, Math.abs(at(event)[j] - model.mu[2 * chosen + j]));
    });
    for (const end of ["pointerup", "pointercancel"])
      handle.addEventListener(end, () => {
        held = false;
      });
    return handle;
  });
  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".grip, .rim")) return;
    stop();
    place(chosen, at(event));
  });

  const rows = [0, 1, 2, 3].map((i) => {
    const row = element("tr", {}, $("forces").tBodies[0]);
    element("th", { scope: "row" }, row, i + 1);
    return [0, 1, 2, 3].map(() => element("td", {}, row));
  });

  function arrow({ shaft, head }, from, force, wide) {
    const length = Math.hypot(...force),
      size = (scale * length) / 1.8; // as in the lesson: 1.8 nats per unit for length 1
    const hide = size < 3;
    shaft.style.display = head.style.display = hide ? "none" : "";
    if (hide) return;
    const [dx, dy] = [force[0] / length, -force[1] / length],
      [x, y] = [X(from[0]), Y(from[1])];
    const back = Math.min(size, wide ? 13 : 9),
      half = wide ? 8 : 6;
    const tip = [x + size * dx, y + size * dy],
      neck = [tip[0] - back * dx, tip[1] - back * dy];
    const f = (value) => value.toFixed(1);
    set(shaft, { d: `M${f(x)} ${f(y)}L${f(wide ? neck[0] : tip[0])} ${f(wide ? neck[1] : tip[1])}` });
    const [l, r] = [
      [neck[0] - half * dy, neck[1] + half * dx],
      [neck[0] + half * dy, neck[1] - half * dx],
    ];
    set(head, { d: `M${f(l[0])} ${f(l[1])}L${f(tip[0])} ${f(tip[1])}L${f(r[0])} ${f(r[1])}${wide ? "Z" : ""}` });
  }

  function draw(now = Blobs.evaluate(model, quadrature)) {
    const force = Blobs.forces(model, now),
      resting = !motion.running; // in motion the numbers change every sixth frame
    frame += 1;
    blobs.forEach((blob, i) => {
      const [x, y] = [model.mu[2 * i], model.mu[2 * i + 1]],
        [s, t] = [Math.exp(model.log_sigma[2 * i]), Math.exp(model.log_sigma[2 * i + 1])];
      const transform = `translate(${X(x).toFixed(1)} ${Y(y).toFixed(1)})`;
      set(blob.grip, { transform });
      set(blob.name, { transform });
      if (resting)
        set(blob.grip, {
          "aria-label": `Blob ${i + 1}`,
          "aria-valuenow": x.toFixed(2),
          "aria-valuetext": `mu ${x.toFixed(2)}, ${y.toFixed(2)}; sigma ${s.toFixed(2)}, ${t.toFixed(2)}`,
        });
      const radii = [scale * s, scale * t].map((radius) => Number(radius.toFixed(1)));
      set(blob.body, { rx: radii[0], ry: radii[1] });
      set(blob.hit, { rx: Math.max(20, radii[0]), ry: Math.max(20, radii[1]) });
      set(blob.ring, { rx: Math.max(14, radii[0]) + 3, ry: Math.max(14, radii[1]) + 3 });
      blob.grip.classList.toggle("selected", chosen === i);
      const cost = [0, 1].map((j) => force.cost.mu[2 * i + j]),
        kl = [0, 1].map((j) => beta * force.kl.mu[2 * i + j]);
      arrow(blob.cost, [x, y], cost, true);
      arrow(blob.kl, [x, y], kl, false);
      const pair = (a) => `${fixed(a[0])}, ${fixed(a[1])}`;
      if (resting || frame % 6 === i)
        [pair([x, y]), pair([s, t]), pair(cost), pair(kl)].forEach((text, column) => write(rows[i][column], text));
    });
    handles.forEach((handle, j) => {
      const reach = Math.max(0.3, Math.exp(model.log_sigma[2 * chosen + j])); // a small blob's handles stay beside it
      set(handle, {
        cx: (X(model.mu[2 * chosen]) + (j ? 0 : scale * reach)).toFixed(1),
        cy: (Y(model.mu[2 * chosen + 1]) - (j ? scale * reach : 0)).toFixed(1),
      });
    });
    const cost = Blobs.mean(now.cost),
      kl = Blobs.mean(now.kl);
    if (!resting && frame % 6 !== 5) return { cost, kl };
    write($("cost"), fixed(cost, 3));
    write($("kl"), fixed(kl, 3));
    write($("loss"), fixed(cost + beta * kl, 3));
    const spread = Blobs.mean(model.mu.map((value, place) => value ** 2 + Math.exp(2 * model.log_sigma[place])));
    write($("spread"), fixed(spread, 3));
    write($("steps"), String(steps));
    write($("slope"), Blobs.steepest(now, beta).toFixed(4));
    return { cost, kl };
  }

  // --- The chart ---------------------------------------------------------------------------------------------------

  const chart = $("chart");
  const CX = (value) => 40 + (370 * value) / 2.2,
    CY = (value) => 215 - (200 * value) / 3;
  for (const value of [0, 1, 2, 3]) {
    svg("line", { x1: 40, x2: 410, y1: CY(value), y2: CY(value), class: value ? "grid" : "axis" }, chart);
    svg("text", { x: 32, y: CY(value) + 4, "text-anchor": "end" }, chart).textContent = value;
  }
  for (const value of [0, 0.5, 1, 1.5, 2])
    svg("text", { x: CX(value), y: 233, "text-anchor": "middle" }, chart).textContent = value;
  svg("text", { x: 410, y: 248, "text-anchor": "end" }, chart).textContent = "β";
  svg("text", { x: 44, y: 12 }, chart).textContent = "nats per symbol";
  const lesson = svg("g", { style: "display:none" }, chart);
  const points = (values) =>
    DATA.betas.map((place, number) => `${CX(place).toFixed(1)},${CY(values[number]).toFixed(1)}`).join(" ");
  svg(
    "polyline",
    { points: points(DATA.cost), fill: "none", stroke: "var(--c0)", "stroke-width": 2, "stroke-dasharray": "7 4" },
    lesson,
  );
  svg("polyline", { points: points(DATA.kl), fill: "none", stroke: "var(--c1)", "stroke-width": 2 }, lesson);
  svg("text", { x: CX(0.12), y: CY(0.42) }, lesson).textContent = "cost";
  svg("text", { x: CX(0.45), y: CY(2.3) }, lesson).textContent = "KL";
  const answer = svg("g", { style: "display:none" }, chart);
  svg(
    "line",
    {
      x1: CX(4 / 3),
      x2: CX(4 / 3),
      y1: CY(0),
      y2: CY(3),
      stroke: "var(--edge)",
      "stroke-width": 2,
      "stroke-dasharray": "2 3",
    },
    answer,
  );
  svg("text", { x: CX(4 / 3) + 5, y: CY(2.75) }, answer).textContent = "4/3";
  const mine = svg("g", {}, chart);

  function keepPoint({ cost, kl }) {
    found = found.filter((point) => point.beta !== beta);
    found.push({ beta, cost, kl });
    drawFound();
  }

  function drawFound() {
    mine.replaceChildren();
    for (const point of found) {
      svg(
        "rect",
        {
          x: CX(point.beta) - 4,
          y: CY(Math.min(3, point.cost)) - 4,
          width: 8,
          height: 8,
          fill: "var(--c0)",
          stroke: "var(--panel)",
        },
        mine,
      );
      svg(
        "circle",
        { cx: CX(point.beta), cy: CY(Math.min(3, point.kl)), r: 4.5, fill: "var(--c1)", stroke: "var(--panel)" },
        mine,
      );
    }
    const text = [...found]
      .sort((a, b) => a.beta - b.beta)
      .map((p) => `beta ${p.beta}: cost ${p.cost.toFixed(2)}, KL ${p.kl.toFixed(2)}`);
    set(chart, {
      "aria-label": `Cost and KL over beta. ${text.length ? `Your points: ${text.join("; ")}` : "No points yet."}`,
    });
  }

  // --- Changes by hand ---------------------------------------------------------------------------------------------

  function stop() {
    motion.stop();
    memory = {};
    steps = 0;
  }

  function changed(what) {
    if ($("keep").checked) Blobs.fitDecoder(model, quadrature);
    const { cost, kl } = draw();
    Kit.say(`${what}Cost ${cost.toFixed(2)}, KL ${kl.toFixed(2)}, loss ${(cost + beta * kl).toFixed(2)} nats`);
  }
  const redraw = Kit.oncePerFrame(() =>
    changed(
      `Blob ${chosen + 1} at ${model.mu[2 * chosen].toFixed(2)}, ${model.mu[2 * chosen + 1].toFixed(2)}, ` +
        `sigma ${Math.exp(model.log_sigma[2 * chosen]).toFixed(2)}, ${Math.exp(model.log_sigma[2 * chosen + 1]).toFixed(2)}. `,
    ),
  );

  function place(i, point) {
    point.forEach((value, j) => {
      model.mu[2 * i + j] = Kit.clamp(value, -2.5, 2.5);
    });
    redraw();
  }

  function widen(i, j, sigma) {
    model.log_sigma[2 * i + j] = Math.log(Kit.clamp(sigma, 0.05, 2));
    redraw();
  }

  function nudge(i, way, size = 0.05) {
    stop();
    place(i, [model.mu[2 * i] + size * way[0], model.mu[2 * i + 1] + size * way[1]]);
  }

  function grow(i, way) {
    stop();
    way.forEach((part, j) => {
      if (part) widen(i, j, Math.exp(model.log_sigma[2 * i + j]) * 1.1 ** part);
    });
  }

  function key(event, i) {
    const way = Kit.arrow(event);
    if (!way) return;
    event.preventDefault();
    if (event.shiftKey) grow(i, way);
    else nudge(i, way);
  }

  function choose(i) {
    if (chosen === i && $("tools").childElementCount) return;
    chosen = i;
    const tools = $("tools");
    tools.replaceChildren();
    element("span", {}, tools, `Blob ${i + 1}:`);
    const BUTTONS = [
      ["←", "left", [-1, 0]],
      ["→", "right", [1, 0]],
      ["↑", "up", [0, 1]],
      ["↓", "down", [0, -1]],
    ];
    for (const [text, name, way] of BUTTONS) {
      element("button", { class: "small", type: "button", "aria-label": name }, tools, text).addEventListener(
        "click",
        () => nudge(i, way, 0.1),
      );
    }
    for (const [text, way] of [
      ["larger", [1, 1]],
      ["smaller", [-1, -1]],
    ]) {
      element("button", { class: "small", type: "button" }, tools, text).addEventListener("click", () => grow(i, way));
    }
    draw();
  }

  // --- Motion ------------------------------------------------------------------------------------------------------

  const motion = Kit.loop(
    () => {
      const begin = performance.now();
      let now;
      for (let count = 0; count < 40 && performance.now() - begin < FRAME; count += 1) {
        now = Blobs.step(model, beta, quadrature, memory);
        steps += 1;
        if (steps >= STEPS) break;
      }
      const numbers = draw(now);
      if (steps >= STEPS) keepPoint(numbers);
      return steps < STEPS;
    },
    () => {
      write($("go"), "Let go");
      const { cost, kl } = draw();
      Kit.say(`${steps >= STEPS ? "At rest" : "Stopped"}: cost ${cost.toFixed(2)}, KL ${kl.toFixed(2)} nats`);
    },
  );

  $("go").addEventListener("click", () => {
    if (motion.running) return motion.stop();
    if (shaken || steps >= STEPS) {
      memory = {};
      steps = 0;
    }
    if (shaken) shake();
    shaken = false;
    write($("go"), "Stop");
    motion.start();
  });

  // A heap is a place without forces. A little noise lets the blobs leave it, if the forces there push outwards.
  function shake() {
    const random = Kit.random(seed + 1000);
    if (Math.max(...model.mu.map(Math.abs)) > 0.05) return;
    for (const part of ["mu", "W"])
      model[part].forEach((_, place) => {
        model[part][place] += 0.05 * random.normal();
      });
  }

  const drawBeta = Kit.oncePerFrame(() => {
    const { cost, kl } = draw();
    Kit.say(`Loss ${(cost + beta * kl).toFixed(2)} nats`);
  });
  $("beta").addEventListener("input", () => {
    beta = Number($("beta").value);
    write($("beta-value"), beta.toFixed(2));
    shaken = true;
    memory = {};
    steps = 0;
    if (motion.running) shake();
    drawBeta();
  });
  $("again").addEventListener("click", () => {
    stop();
    model = Blobs.copy(DATA.start);
    draw();
    Kit.say("At the start");
  });
  $("dice").addEventListener("click", () => {
    stop();
    seed += 1;
    const random = Kit.random(seed);
    for (const part of ["mu", "W"]) model[part] = model[part].map(() => random.normal());
    model.log_sigma.fill(Math.log(0.5));
    model.b.fill(0);
    draw();
    Kit.say(`Random start ${seed}`);
  });
  $("keep").addEventListener("change", () => changed(""));
  $("curves").addEventListener("change", () => {
    lesson.style.display = $("curves").checked ? "" : "none";
  });
  $("wipe").addEventListener("click", () => {
    found = [];
    drawFound();
  });
  $("guess-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const guess = Number($("guess").value),
      near = Math.abs(guess - 4 / 3) <= 0.03;
    write(
      $("verdict"),
      near
        ? "✓ Yes: 4/3. The symbols have the variance ¼ in each of three directions, an output that says ¼ has the noise ¼ · ¾ = 3/16, and ¼ / (3/16) = 4/3. Now the line is in the chart."
        : guess < 4 / 3
          ? `✗ Just above ${guess} the blobs still find a balance apart. Try it: a β a little larger, then “Let go”.`
          : `✗ Already below ${guess} they fall together. Try it: a β a little smaller, then “Let go”.`,
    );
    if (near) answer.style.display = "";
  });
  write($("constant"), DATA.constant.toFixed(3));
  choose(0);
  drawFound();
})();
