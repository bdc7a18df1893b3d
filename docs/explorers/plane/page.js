// The page of the plane: a map of codes, the picture at a point, a place to draw.
"use strict";

(() => {
  const { $, fixed, write, set, element } = Kit;
  const { networks, labels, digits } = Plane.open(EXPLORER_DATA);
  const canvas = $("plane"),
    context = canvas.getContext("2d");
  const SIZE = canvas.width,
    TILES = 20;
  const NAMES = { vae: "variational", plain: "plain autoencoder" };

  let name = "vae",
    shown = "dots",
    z = [0, 0],
    held = false,
    landed = null,
    drawing = null;

  // What of the plane is visible: a square around nearly all codes, for the variational network around (0, 0).
  function viewOf(network) {
    const [low, high] = EXPLORER_DATA[network].range;
    const reach = Math.max(high[0] - low[0], high[1] - low[1]) * 0.55;
    const middle = network === "vae" ? [0, 0] : [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    return network === "vae"
      ? { middle, reach: Math.max(3.2, ...low.map(Math.abs), ...high.map(Math.abs)) * 1.05 }
      : { middle, reach };
  }
  const views = { vae: viewOf("vae"), plain: viewOf("plain") };
  const X = (value) => SIZE * (0.5 + (value - views[name].middle[0]) / (2 * views[name].reach));
  const Y = (value) => SIZE * (0.5 - (value - views[name].middle[1]) / (2 * views[name].reach));
  const there = (x, y) => [
    views[name].middle[0] + (2 * x - 1) * views[name].reach,
    views[name].middle[1] + (1 - 2 * y) * views[name].reach,
  ];

  // --- What lies under the cross: drawn once, then copied ------------------------------------------------------------

  const under = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  const pen = under.getContext("2d");
  let tilesToDo = [];

  function drawUnder() {
    const ink = Kit.color("--ink"),
      soft = Kit.color("--line");
    tilesToDo = [];
    pen.fillStyle = shown === "pictures" ? "#000" : Kit.color("--paper");
    pen.fillRect(0, 0, SIZE, SIZE);
    if (shown === "pictures") {
      tilesToDo = Array.from({ length: TILES }, (_, row) => row);
      requestAnimationFrame(drawTiles);
    } else {
      pen.strokeStyle = soft;
      pen.lineWidth = 1;
      pen.textAlign = "left";
      pen.fillStyle = ink;
      pen.font = "22px system-ui, sans-serif";
      const step = niceStep(views[name].reach);
      const [left, top] = there(0, 0),
        [right, bottom] = there(1, 1);
      for (let value = Math.ceil(left / step) * step; value <= right; value += step) {
        line(X(value), 0, X(value), SIZE);
        pen.fillText(fixed(value, step < 1 ? 1 : 0), X(value) + 4, SIZE - 8);
      }
      for (let value = Math.ceil(bottom / step) * step; value <= top; value += step) {
        line(0, Y(value), SIZE, Y(value));
        if (Y(value) < SIZE - 40) pen.fillText(fixed(value, step < 1 ? 1 : 0), 4, Y(value) - 4);
      }
      pen.font = "italic 24px system-ui, sans-serif";
      pen.fillText("z₁", SIZE - 32, SIZE - 8);
      pen.fillText("z₂", 4, 26);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.font = "600 21px system-ui, sans-serif";
      const colors = [...Array(8).keys()].map((number) => Kit.color(`--c${number}`));
      const codes = networks[name].codes;
      labels.forEach((label, at) => {
        pen.fillStyle = colors[label % 8];
        pen.fillText(label, X(codes[2 * at]), Y(codes[2 * at + 1]));
      });
      pen.textBaseline = "alphabetic";
    }
    if (name === "vae") circle(pen, shown === "pictures" ? "#fff" : ink);
  }

  function line(x1, y1, x2, y2) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }

  function circle(pen, color) {
    pen.save();
    pen.setLineDash([10, 8]);
    pen.lineWidth = 2.5;
    pen.strokeStyle = color;
    pen.beginPath();
    pen.arc(X(0), Y(0), X(2) - X(0), 0, 2 * Math.PI);
    pen.stroke();
    pen.restore();
  }

  const niceStep = (reach) => {
    const power = 10 ** Math.floor(Math.log10(reach / 2));
    return [1, 2, 5, 10].map((part) => part * power).find((step) => reach / step < 4.5);
  };

  // The map of pictures, one row of them a frame, so that nothing waits.
  const tile = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });

  function drawTiles() {
    const row = tilesToDo.shift();
    if (row === undefined) return;
    const side = SIZE / TILES;
    for (let column = 0; column < TILES; column += 1) {
      const image = Plane.decode(networks[name], there((column + 0.5) / TILES, (row + 0.5) / TILES));
      Kit.paint(tile, 28, 28, (place) => image[place]);
      pen.drawImage(tile, column * side, row * side, side, side);
    }
    if (!tilesToDo.length && name === "vae") circle(pen, "#fff");
    draw();
    requestAnimationFrame(drawTiles);
  }

  // --- The point and its picture -----------------------------------------------------------------------------------

  function drawNow() {
    context.drawImage(under, 0, 0);
    const onBlack = shown === "pictures";
    const color = onBlack ? "#ffb36b" : Kit.color("--focus");
    if (landed) {
      context.strokeStyle = onBlack ? "#fff" : Kit.color("--ink");
      context.lineWidth = 3;
      const { mu, sigma } = landed,
        [x, y] = [X(mu[0]), Y(mu[1])];
      if (sigma) {
        context.beginPath();
        context.ellipse(
          x,
          y,
          Math.max(2, X(2 * sigma[0]) - X(0)),
          Math.max(2, Y(0) - Y(2 * sigma[1])),
          0,
          0,
          2 * Math.PI,
        );
        context.stroke();
      }
      context.strokeRect(x - 6, y - 6, 12, 12);
    }
    context.strokeStyle = onBlack ? "#000" : Kit.color("--paper");
    for (const width of [7, 3]) {
      context.lineWidth = width;
      context.beginPath();
      context.arc(X(z[0]), Y(z[1]), 13, 0, 2 * Math.PI);
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        context.moveTo(X(z[0]) + 13 * dx, Y(z[1]) + 13 * dy);
        context.lineTo(X(z[0]) + 26 * dx, Y(z[1]) + 26 * dy);
      }
      context.stroke();
      context.strokeStyle = color;
    }
    const image = Plane.decode(networks[name], z);
    Kit.paint($("digit"), 28, 28, (place) => image[place]);
    write($("z1"), fixed(z[0]));
    write($("z2"), fixed(z[1]));
    write($("nearest"), Plane.nearest(networks[name], labels, z).join(" "));
    set($("map"), {
      "aria-valuetext": `z1 ${z[0].toFixed(2)}, z2 ${z[1].toFixed(2)}`,
      "aria-valuenow": Math.round((100 * (z[0] - views[name].middle[0])) / views[name].reach),
    });
  }
  const draw = Kit.oncePerFrame(drawNow);

  function go(point, what = "") {
    const { middle, reach } = views[name];
    z = point.map((value, j) => Kit.clamp(value, middle[j] - reach, middle[j] + reach));
    draw();
    Kit.say(
      () => `${what}z1 ${z[0].toFixed(2)}, z2 ${z[1].toFixed(2)}. Nearest test digits: ${Plane.nearest(networks[name], labels, z).join(", ")}`,
    );
  }

  const map = $("map");
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return there((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  map.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" ? !held || event.buttons : map.hasPointerCapture(event.pointerId)) go(at(event));
  });
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    held = event.pointerType === "mouse" ? !held : true;
    legend();
    go(at(event));
  });
  map.addEventListener("keydown", (event) => {
    const way = Kit.arrow(event),
      step = views[name].reach * (event.shiftKey ? 0.1 : 0.02);
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    held = true;
    legend();
    go(way ? [z[0] + step * way[0], z[1] + step * way[1]] : [0, 0]);
  });

  function legend() {
    const what =
      shown === "dots"
        ? `The codes of ${labels.length} test images, each a dot drawn as its digit.`
        : "Each tile is what the decoder draws at its middle.";
    write(
      $("legend"),
      `${what}${name === "vae" ? " Dashed: radius 2." : ""}${held && matchMedia("(hover: hover)").matches ? " The point is held; click to let it go." : ""}`,
    );
  }

  // --- Drawing -----------------------------------------------------------------------------------------------------

  const pad = $("pad"),
    PAD = pad.width;
  const brush = pad.getContext("2d", { willReadFrequently: true });
  let cursor = [14, 8],
    down = false,
    last = null;

  function clear() {
    brush.fillStyle = "#000";
    brush.fillRect(0, 0, PAD, PAD);
    drawing = landed = null;
    write($("landing"), "Nothing is drawn yet.");
    Kit.paint($("small"), 28, 28, () => 0);
  }

  function stroke(from, to) {
    Object.assign(brush, { strokeStyle: "#fff", lineWidth: 11, lineCap: "round", lineJoin: "round" });
    brush.beginPath();
    brush.moveTo(...from);
    brush.lineTo(to[0] + 0.01, to[1]);
    brush.stroke();
    look();
  }

  // What is on the drawing area, as the network gets it.
  const look = Kit.oncePerFrame(() => {
    const { data } = brush.getImageData(0, 0, PAD, PAD);
    const ink = new Float64Array(PAD * PAD);
    for (let place = 0; place < ink.length; place += 1) ink[place] = data[4 * place] / 255;
    drawing = Plane.centre(ink, PAD);
    land();
  });

  function land(what = "Your drawing") {
    if (!drawing) return;
    Kit.paint($("small"), 28, 28, (place) => drawing[place]);
    landed = Plane.encode(networks[name], drawing);
    const { mu, sigma } = landed;
    held = true;
    legend();
    go(mu, `${what} lands here. `);
    write(
      $("landing"),
      `It lands at (${fixed(mu[0])}, ${fixed(mu[1])})${sigma ? `, with σ = (${fixed(sigma[0])}, ${fixed(sigma[1])})` : ""}. ` +
        "Above you see what the decoder makes of it.",
    );
  }

  const onPad = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    last = onPad(event);
    stroke(last, last);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const next = onPad(part);
      stroke(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    pad.addEventListener(end, () => {
      last = null;
    });
  pad.addEventListener("keydown", (event) => {
    const way = Kit.arrow(event),
      scale = PAD / 28;
    if (way) {
      const next = [Kit.clamp(cursor[0] + way[0], 1, 27), Kit.clamp(cursor[1] - way[1], 1, 27)];
      if (down)
        stroke(
          cursor.map((part) => part * scale),
          next.map((part) => part * scale),
        );
      cursor = next;
    } else if (event.key === " ") {
      down = !down;
      if (down)
        stroke(
          cursor.map((part) => part * scale),
          cursor.map((part) => part * scale),
        );
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
      draw();
    } else return;
    event.preventDefault();
    Kit.say(`Pen ${down ? "down" : "up"}, column ${cursor[0]}, row ${cursor[1]} of 28`);
    showPen();
  });
  pad.addEventListener("focus", showPen);
  pad.addEventListener("blur", showPen);

  // The pen's place, for those who draw with keys.
  const nib = element("span", { "aria-hidden": "true" }, pad.parentElement);
  Object.assign(pad.parentElement.style, { position: "relative" });
  function showPen() {
    const visible = pad.matches(":focus-visible"),
      scale = pad.clientWidth / 28;
    nib.style.cssText =
      `position:absolute;pointer-events:none;width:14px;height:14px;border-radius:50%;border:2px solid #ffb36b;background:${down ? "#ffb36b" : "none"};` +
      `left:${cursor[0] * scale - 6}px;top:${cursor[1] * scale - 6}px;display:${visible ? "block" : "none"}`;
  }

  $("clear").addEventListener("click", () => {
    clear();
    draw();
    Kit.say("The drawing is cleared");
  });
  digits.forEach((image, digit) => {
    const button = element(
      "button",
      { class: "small", type: "button", "aria-label": `test digit ${digit}` },
      $("examples"),
      digit,
    );
    button.addEventListener("click", () => {
      clear();
      drawing = image;
      Kit.paint(tile, 28, 28, (place) => image[place]);
      brush.imageSmoothingEnabled = true;
      brush.drawImage(tile, 0, 0, PAD, PAD);
      land(`The first test image of a ${digit}`);
    });
  });

  // --- Controls ----------------------------------------------------------------------------------------------------

  const random = Kit.random(11);
  $("prior").addEventListener("click", () => {
    held = true;
    legend();
    go([random.normal(), random.normal()], "Drawn from the prior: ");
  });
  $("middle").addEventListener("click", () => {
    held = true;
    legend();
    go([0, 0]);
  });
  Kit.radio("network", (value) => {
    name = value;
    drawUnder();
    legend();
    if (drawing) land();
    else go(z, `The ${NAMES[name]}. `);
  });
  Kit.radio("show", (value) => {
    shown = value;
    drawUnder();
    legend();
    draw();
  });
  Kit.onTheme(() => {
    drawUnder();
    draw();
  });
  write(
    $("recipe"),
    `Trained with the recipe of ${EXPLORER_DATA.recipe}. Loss on the 10,000 test images: ` +
      `${EXPLORER_DATA.vae["test loss"].toFixed(1)} nats (−ELBO) and ${EXPLORER_DATA.plain["test loss"].toFixed(1)} nats (plain).`,
  );
  clear();
  legend();
  drawUnder();
  draw();
})();
