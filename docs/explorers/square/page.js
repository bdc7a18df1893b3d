// The page of the square: dots and lines to drag, outputs, loss, training.
"use strict";

(() => {
  const { $, write, set, svg, element } = Kit;
  const arrays = Network.arrays(EXPLORER_DATA);
  const LOW = -0.14,
    HIGH = 1.14,
    SIZE = 420,
    MARGIN = 22; // the part of the plane that is drawn, and its pixels
  const STEPS = 5000; // training stops after so many
  const DASHES = ["none", "9 5", "9 4 2 4", "2 5"];
  const scale = (SIZE - 2 * MARGIN) / (HIGH - LOW);
  const X = (z) => MARGIN + (z - LOW) * scale;
  const Y = (z) => SIZE - MARGIN - (z - LOW) * scale;

  let n = 4,
    w,
    memory,
    steps,
    losses,
    paths,
    anchors,
    shares,
    chosen,
    speed = 8,
    method = "descent";
  let dots, lines, cells;
  const values = Object.fromEntries(["steps", "loss", "pass", "convex"].map((name) => [name, $(name)]));

  // --- The state ---------------------------------------------------------------------------------------------------

  function fresh() {
    const start = $("start").value;
    w =
      start === "hand"
        ? Square.byHand(n)
        : Square.weights(n, arrays[`${n} symbols, start ${start}, W`], arrays[`${n} symbols, start ${start}, W_hat`]);
    anchors = Array(n).fill(null);
    shares = Array(n).fill(0.5);
    forget();
  }

  // After a change by hand the training begins anew.
  function forget() {
    memory = {};
    steps = 0;
    losses = [];
    paths = Array.from({ length: n }, () => ({ first: null, text: "" }));
  }

  function train(count) {
    const every = steps < 60 ? 1 : steps < 400 ? 4 : 20; // how often a place on a path is kept
    for (let step = 0; step < count && steps < STEPS; step += 1) {
      if (steps % every === 0) {
        const { z } = Square.forward(w);
        paths.forEach((path, k) => {
          const code = [z[2 * k], z[2 * k + 1]];
          path.first ||= code;
          path.text += `${drawn(code)} `;
        });
      }
      losses.push(method === "adam" ? Square.adam(w, memory) : Square.descend(w));
      steps += 1;
    }
    anchors.fill(null);
    return steps < STEPS;
  }

  // --- The drawing -------------------------------------------------------------------------------------------------

  const stage = $("stage");
  const layers = ["tints", "frame", "lines", "paths", "turn", "grips"].map((name) =>
    svg("g", { id: `l-${name}` }, stage),
  );
  const [tintLayer, frameLayer, lineLayer, pathLayer, turnLayer, gripLayer] = layers;

  svg("rect", { x: X(0), y: Y(1), width: scale, height: scale, class: "axis" }, frameLayer);
  for (const [value, text] of [
    [0, "0"],
    [0.5, "½"],
    [1, "1"],
  ]) {
    svg("text", { x: X(value), y: SIZE - 6, "text-anchor": "middle" }, frameLayer).textContent = text;
    svg("text", { x: 8, y: Y(value) + 4, "text-anchor": "middle" }, frameLayer).textContent = text;
  }
  svg("text", { x: SIZE - 40, y: SIZE - 6, "font-style": "italic" }, frameLayer).textContent = "z₁";
  svg("text", { x: 2, y: Y(0.75) + 4, "font-style": "italic" }, frameLayer).textContent = "z₂";

  const turn = svg("g", { class: "turn", "aria-hidden": "true" }, turnLayer);
  const turnLine = svg("line", { "stroke-width": 1.5, "stroke-dasharray": "2 3" }, turn);
  const turnRing = svg("circle", { r: 9 }, turn);

  function build() {
    for (const layer of [tintLayer, lineLayer, pathLayer, gripLayer]) layer.replaceChildren();
    const at = (event) => {
      const [x, y] = Kit.inside(stage, event);
      return [(x - MARGIN) / scale + LOW, (SIZE - MARGIN - y) / scale + LOW];
    };
    lines = Array.from({ length: n }, (_, k) => {
      const color = `var(--c${k})`;
      const grip = svg(
        "g",
        { class: "grip badge", tabindex: 0, role: "slider", "aria-roledescription": "line" },
        gripLayer,
      );
      svg("rect", { x: -14, y: -14, width: 28, height: 28, fill: "transparent" }, grip);
      svg("rect", { x: -14, y: -14, width: 28, height: 28, rx: 3, class: "ring" }, grip);
      svg("rect", { x: -9, y: -9, width: 18, height: 18, rx: 2, fill: color, stroke: "var(--paper)" }, grip);
      svg("text", { "font-size": 12 }, grip).textContent = k;
      const parts = {
        grip,
        tint: svg("polygon", { fill: color, "fill-opacity": n === 4 ? 0.15 : 0.09 }, tintLayer),
        line: svg(
          "path",
          { fill: "none", stroke: color, "stroke-width": 2, "stroke-dasharray": DASHES[k % 4] },
          lineLayer,
        ),
        yes: svg("path", { fill: color }, lineLayer),
      };
      grip.addEventListener("focus", () => choose("line", k));
      grip.addEventListener("keydown", (event) => keyOnLine(event, k));
      Kit.drag(grip, at, {
        start: (point) => {
          changed();
          return [anchors[k][0] - point[0], anchors[k][1] - point[1]];
        },
        move: (point) => moveLine(k, point),
      });
      return parts;
    });
    dots = Array.from({ length: n }, (_, k) => {
      const color = `var(--c${k})`;
      const path = svg("polyline", { fill: "none", stroke: color, "stroke-width": 1.6 }, pathLayer);
      const origin = svg("circle", { r: 4, fill: "var(--paper)", stroke: color, "stroke-width": 1.6 }, pathLayer);
      const grip = svg(
        "g",
        {
          class: "grip dot",
          tabindex: 0,
          role: "slider",
          "aria-roledescription": "point",
          "aria-valuemin": 0,
          "aria-valuemax": 1,
        },
        gripLayer,
      );
      svg("circle", { r: 20, fill: "transparent" }, grip);
      svg("circle", { r: 17, class: "ring" }, grip);
      svg("circle", { r: 12, fill: color, stroke: "var(--paper)", "stroke-width": 1.5 }, grip);
      svg("text", {}, grip).textContent = k;
      grip.addEventListener("focus", () => choose("dot", k));
      grip.addEventListener("keydown", (event) => keyOnDot(event, k));
      Kit.drag(grip, at, {
        start: (point) => {
          const { z } = Square.forward(w);
          changed();
          return [z[2 * k] - point[0], z[2 * k + 1] - point[1]];
        },
        move: (point) => moveDot(k, point),
      });
      return { grip, path, origin };
    });
    // Dots come first for the keyboard, but lie on top of the lines' badges.
    for (const { grip } of lines) gripLayer.append(grip);
    for (const { grip } of dots) gripLayer.append(grip);

    stage.onpointerdown = (event) => {
      // a tap beside everything: what is chosen goes there
      if (!chosen || event.target.closest(".grip, .turn")) return;
      changed();
      if (chosen.kind === "dot") moveDot(chosen.k, at(event));
      else moveLine(chosen.k, at(event));
      anchors.fill(null);
      draw();
    };
    let pivot;
    turnRing.onpointerdown = (event) => {
      event.preventDefault();
      event.stopPropagation();
      turnRing.setPointerCapture(event.pointerId);
      changed();
      pivot = anchors[chosen.k];
    };
    turnRing.onpointermove = (event) => {
      if (!pivot) return;
      const point = at(event),
        k = chosen.k;
      const way = [point[0] - pivot[0], point[1] - pivot[1]],
        size = Math.hypot(...way);
      if (size < 0.02) return;
      const { normal, sharpness } = Square.line(w, k);
      let across = [-way[1] / size, way[0] / size];
      if (across[0] * normal[0] + across[1] * normal[1] < 0) across = across.map((part) => -part);
      Square.placeLine(w, k, pivot, across, sharpness);
      report(`Line ${k} says yes towards ${angle(Square.line(w, k))} degrees. `);
    };
    turnRing.onpointerup = turnRing.onpointercancel = () => {
      pivot = null;
      draw();
    };

    const head = $("outputs").tHead,
      body = $("outputs").tBodies[0];
    head.replaceChildren();
    body.replaceChildren();
    cells = [];
    $("outputs").className = n === 8 ? "eight" : "";
    const top = element("tr", {}, head);
    element("th", { scope: "col" }, top, "in");
    for (let k = 0; k < n; k += 1) element("th", { scope: "col" }, top, n === 4 ? `output ${k}` : `${k}`);
    for (let i = 0; i < n; i += 1) {
      const row = element("tr", {}, body);
      element("th", { scope: "row" }, row, i);
      for (let k = 0; k < n; k += 1) cells.push({ element: element("td", i === k ? { class: "own" } : {}, row) });
    }
  }

  const drawn = (p) => `${X(p[0]).toFixed(1)},${Y(p[1]).toFixed(1)}`;

  // `frame` counts the frames of a training: what changes slowly, or is only for screen readers, is not redrawn in each.
  function draw(frame = 0) {
    const moving = frame > 0;
    const now = Square.forward(w);
    const { z, y } = now;
    for (let k = 0; k < n; k += 1) {
      const line = Square.line(w, k),
        parts = lines[k];
      if (!moving || frame % 2 === 0) set(parts.tint, { points: Square.yesSide(line, LOW, HIGH).map(drawn).join(" ") });
      const ends = Square.ends(line, LOW, HIGH);
      parts.line.style.display = parts.yes.style.display = ends ? "" : "none";
      if (ends) {
        const [p, q] = ends;
        set(parts.line, { d: `M${drawn(p)}L${drawn(q)}` });
      }
      if (!anchors[k]) anchors[k] = anchor(line, ends, k, z);
      const [ax, ay] = [X(anchors[k][0]), Y(anchors[k][1])];
      set(parts.grip, { transform: `translate(${ax.toFixed(1)} ${ay.toFixed(1)})` });
      // An arrowhead beside the badge points to the side of "yes".
      const [nx, ny] = [line.normal[0], -line.normal[1]];
      const corners = [
        [21, 0],
        [12, -6],
        [12, 6],
      ].map(([out, side]) => `${(ax + out * nx + side * ny).toFixed(1)} ${(ay + out * ny - side * nx).toFixed(1)}`);
      set(parts.yes, { d: `M${corners.join("L")}Z` });
      if (!moving)
        set(parts.grip, {
          "aria-label": `Line of output ${k}`,
          "aria-valuenow": angle(line),
          "aria-valuemin": -180,
          "aria-valuemax": 180,
          "aria-valuetext": `${ends ? "" : "outside the square, "}says yes towards ${angle(line)} degrees, sharpness ${line.sharpness.toFixed(1)}`,
        });

      const dot = dots[k],
        code = [z[2 * k], z[2 * k + 1]];
      set(dot.grip, { transform: `translate(${X(code[0]).toFixed(1)} ${Y(code[1]).toFixed(1)})` });
      if (!moving)
        set(dot.grip, {
          "aria-label": `Code of symbol ${k}`,
          "aria-valuenow": code[0].toFixed(2),
          "aria-valuetext": `z1 ${code[0].toFixed(2)}, z2 ${code[1].toFixed(2)}`,
        });
      const { first, text } = paths[k];
      if (dot.text !== text) set(dot.path, { points: (dot.text = text) });
      dot.origin.style.display = first ? "" : "none";
      if (first) set(dot.origin, { cx: X(first[0]), cy: Y(first[1]) });
      dot.grip.classList.toggle("selected", chosen?.kind === "dot" && chosen.k === k);
      parts.grip.classList.toggle("selected", chosen?.kind === "line" && chosen.k === k);
    }
    drawTurn();

    if (!moving || frame % 4 === 1) drawOutputs(now);
    let loss = 0;
    y.forEach((value, place) => {
      loss += (value - (place % (n + 1) === 0 ? 1 : 0)) ** 2 / n;
    });
    const { symbols, outputs } = Square.right(now);
    if (!moving || frame % 4 === 3) {
      write(values.steps, String(steps));
      write(values.loss, loss.toFixed(4));
      write(values.pass, `${symbols} of ${n}`);
      write(values.convex, Square.convex(z) ? "yes" : "no");
    }
    if (!moving || frame % 8 === 0) drawCurve();
    return { loss, symbols, outputs };
  }

  function drawOutputs({ v, y }) {
    cells.forEach((cell, place) => {
      const value = y[place],
        good = v[place] > 0 === (place % (n + 1) === 0);
      const text = n === 8 ? value.toFixed(2).replace(/^0/, "") : value.toFixed(3);
      if (cell.text !== text) cell.element.textContent = cell.text = text;
      if (cell.good !== good) cell.element.classList.toggle("wrong", !(cell.good = good));
      const tint = 5 * Math.round(9 * value);
      if (cell.tint !== tint)
        cell.element.style.background = `color-mix(in srgb, var(--c0) ${(cell.tint = tint)}%, transparent)`;
    });
  }

  // A badge sits on the visible part of its line, in the middle if it covers no other badge there and no dot.
  function anchor(line, ends, k, z = Square.forward(w).z) {
    if (!ends) {
      const height = line.normal[0] / 2 + line.normal[1] / 2 + line.offset; // from the middle of the square
      return [0, 1].map((j) => Kit.clamp(0.5 - height * line.normal[j], LOW + 0.03, HIGH - 0.03));
    }
    const others = anchors.filter((point, other) => point && other !== k);
    for (let i = 0; i < n; i += 1) others.push([z[2 * i], z[2 * i + 1]]);
    const at = (share) => [0, 1].map((j) => ends[0][j] + share * (ends[1][j] - ends[0][j]));
    const room = (point) => Math.min(1, ...others.map((other) => Math.hypot(point[0] - other[0], point[1] - other[1])));
    if (room(at(shares[k])) < 0.055) {
      // it stays where it is until it touches something
      const choices = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9];
      shares[k] =
        choices.find((share) => room(at(share)) > 0.085) ??
        choices.reduce((a, b) => (room(at(b)) > room(at(a)) ? b : a));
    }
    return at(shares[k]);
  }

  const angle = (line) => Math.round((Math.atan2(line.normal[1], line.normal[0]) * 180) / Math.PI);

  function drawTurn() {
    const k = chosen?.k;
    const visible = chosen?.kind === "line" && Square.ends(Square.line(w, k), LOW, HIGH);
    turn.style.display = visible ? "" : "none";
    if (!visible) return;
    const { normal } = Square.line(w, k),
      from = anchors[k];
    let along = [-normal[1], normal[0]];
    const reach = (way) => Math.max(...[0, 1].map((j) => Math.abs(from[j] + 0.26 * way[j] - 0.5)));
    if (reach(along) > reach(along.map((part) => -part))) along = along.map((part) => -part);
    const to = [from[0] + 0.26 * along[0], from[1] + 0.26 * along[1]];
    set(turnLine, { x1: X(from[0]), y1: Y(from[1]), x2: X(to[0]), y2: Y(to[1]), stroke: `var(--c${k})` });
    set(turnRing, { cx: X(to[0]), cy: Y(to[1]), stroke: `var(--c${k})` });
  }

  // The loss, one point for each step at first and about 300 in all.
  const curve = $("curve");
  const TOP = 1,
    DECADES = 5;
  const height = (loss) => 10 + (110 * (TOP - Math.log10(Math.max(loss, 1e-4)))) / DECADES;
  for (let power = TOP; power >= TOP - DECADES; power -= 1) {
    const y = height(10 ** power);
    svg("line", { x1: 62, x2: 412, y1: y, y2: y, class: "grid" }, curve);
    if (power % 2 === 0 || power === TOP) {
      svg("text", { x: 56, y: y + 4, "text-anchor": "end" }, curve).textContent =
        power < 0 ? (10 ** power).toFixed(-power) : 10 ** power;
    }
  }
  const curveLine = svg("polyline", { fill: "none", stroke: "var(--c0)", "stroke-width": 2 }, curve);
  const curveEnd = svg("text", { x: 412, y: 142, "text-anchor": "end" }, curve);
  svg("text", { x: 62, y: 142 }, curve).textContent = "0 steps";

  function drawCurve() {
    const most = Math.max(100, losses.length),
      every = Math.max(1, Math.ceil(losses.length / 300)),
      points = [];
    for (let at = 0; at < losses.length; at += every) {
      points.push(`${(62 + (350 * at) / most).toFixed(1)},${height(losses[at]).toFixed(1)}`);
    }
    set(curveLine, { points: points.join(" ") });
    write(curveEnd, most.toLocaleString("en"));
  }

  // --- Changes -----------------------------------------------------------------------------------------------------

  // Something is changed by hand: stop training, and begin the record anew.
  function changed() {
    training.stop();
    forget();
  }

  function report(what = "") {
    const { loss, symbols } = draw();
    Kit.say(`${what}${symbols} of ${n} symbols pass, loss ${loss.toFixed(3)}`);
  }

  const inSquare = (point) => point.map((part) => Kit.clamp(part, 0, 1));

  function moveDot(k, point) {
    const [a, b] = inSquare(point);
    Square.placeCode(w, k, [a, b]);
    report(`Symbol ${k} at ${a.toFixed(2)}, ${b.toFixed(2)}. `);
  }

  function moveLine(k, point) {
    const { normal, sharpness } = Square.line(w, k);
    const place = point.map((part) => Kit.clamp(part, LOW + 0.02, HIGH - 0.02));
    Square.placeLine(w, k, place, normal, sharpness);
    anchors[k] = place;
    report(`Line ${k} moved. `);
  }

  function changeLine(k, { shift = 0, turnBy = 0, times = 1, flip = false }) {
    changed();
    const line = Square.line(w, k);
    const from = anchors[k] || anchor(line, Square.ends(line, LOW, HIGH), k);
    const point = [0, 1].map((j) => from[j] + shift * line.normal[j]);
    const [c, s] = [Math.cos(turnBy), Math.sin(turnBy)],
      sign = flip ? -1 : 1;
    const normal = [sign * (c * line.normal[0] - s * line.normal[1]), sign * (s * line.normal[0] + c * line.normal[1])];
    Square.placeLine(w, k, point, normal, Kit.clamp(line.sharpness * times, 0.2, 200));
    anchors[k] = null;
    const next = Square.line(w, k);
    report(`Line ${k} says yes towards ${angle(next)} degrees, sharpness ${next.sharpness.toFixed(1)}. `);
  }

  function stepDot(k, way, size) {
    const { z } = Square.forward(w);
    changed();
    moveDot(k, [z[2 * k] + size * way[0], z[2 * k + 1] + size * way[1]]);
  }

  function keyOnDot(event, k) {
    const way = Kit.arrow(event);
    if (!way) return;
    event.preventDefault();
    stepDot(k, way, event.shiftKey ? 0.1 : 0.02);
  }

  const LINE_KEYS = {
    ArrowUp: { shift: 0.02 },
    ArrowDown: { shift: -0.02 },
    ArrowLeft: { turnBy: Math.PI / 36 },
    ArrowRight: { turnBy: -Math.PI / 36 },
    "+": { times: 1.25 },
    "=": { times: 1.25 },
    "-": { times: 0.8 },
    "−": { times: 0.8 },
    f: { flip: true },
    F: { flip: true },
  };

  function keyOnLine(event, k) {
    const change = LINE_KEYS[event.key];
    if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    changeLine(k, event.shiftKey && change.shift ? { shift: 5 * change.shift } : change);
  }

  const TOOLS = {
    dot: [
      ["←", "left", [-1, 0]],
      ["→", "right", [1, 0]],
      ["↑", "up", [0, 1]],
      ["↓", "down", [0, -1]],
    ],
    line: [
      ["↺", "turn left", LINE_KEYS.ArrowLeft],
      ["↻", "turn right", LINE_KEYS.ArrowRight],
      ["⇡", "move towards yes", LINE_KEYS.ArrowUp],
      ["⇣", "move towards no", LINE_KEYS.ArrowDown],
      ["sharper", "", LINE_KEYS["+"]],
      ["softer", "", LINE_KEYS["-"]],
      ["swap sides", "", LINE_KEYS.f],
    ],
  };

  function choose(kind, k) {
    if (chosen?.kind === kind && chosen.k === k) return;
    chosen = { kind, k };
    const tools = $("tools");
    tools.replaceChildren();
    element("span", {}, tools, kind === "dot" ? `Code of symbol ${k}:` : `Line of output ${k}:`);
    for (const [text, name, change] of TOOLS[kind]) {
      const button = element("button", { class: "small", type: "button" }, tools, text);
      if (name) button.setAttribute("aria-label", name);
      button.addEventListener("click", () => (kind === "dot" ? stepDot(k, change, 0.05) : changeLine(k, change)));
    }
    draw();
  }

  // --- Training ----------------------------------------------------------------------------------------------------

  let frame = 0;
  const training = Kit.loop(
    () => {
      const going = train(speed);
      const { loss, symbols } = draw((frame += 1));
      if (steps % 400 < speed) Kit.say(`Step ${steps}: loss ${loss.toFixed(3)}, ${symbols} of ${n} symbols pass`);
      return going;
    },
    () => {
      write($("train"), "Train");
      $("one").disabled = false;
      report(`Stopped after ${steps} steps. `);
    },
  );

  $("train").addEventListener("click", () => {
    if (training.running) return training.stop();
    if (steps >= STEPS) forget();
    frame = 0;
    write($("train"), "Pause");
    $("one").disabled = true;
    training.start();
  });
  $("one").addEventListener("click", () => {
    train(1);
    report(`Step ${steps}. `);
  });
  $("again").addEventListener("click", () => {
    training.stop();
    fresh();
    report("At the start. ");
  });
  $("start").addEventListener("change", () => $("again").click());
  Kit.radio("symbols", (value) => {
    training.stop();
    n = Number(value);
    chosen = null;
    fresh();
    build();
    choose("dot", 0);
    report(`${n} symbols. `);
  });
  Kit.radio("method", (value) => {
    method = value;
    memory = {};
  });
  Kit.radio("speed", (value) => {
    speed = Number(value);
  });

  for (let start = 0; start < EXPLORER_DATA.starts; start += 1)
    element("option", { value: start }, $("start"), `random ${start}`);
  element("option", { value: "hand" }, $("start"), "set by hand");
  fresh();
  build();
  choose("dot", 0);
  draw();
})();
