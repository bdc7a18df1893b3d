// The drawing program of course_utils/faces.py, with its float32 roundings, and the networks of lesson 12.
"use strict";

const Faces = (() => {
  const Net = typeof Network === "undefined" ? require("../shared/network.js") : Network;
  const SIZE = 32,
    PIXELS = SIZE * SIZE;
  const FACTORS = ["smile", "skin tone", "hair length", "beard", "glasses", "hair colour"];
  const LEVELS = [9, 9, 9, 5, 2, 9];
  const SKIN = [
    [0.97, 0.86, 0.77],
    [0.91, 0.74, 0.6],
    [0.78, 0.58, 0.43],
    [0.6, 0.42, 0.29],
    [0.42, 0.29, 0.21],
  ];
  const HAIR = [
    [0.09, 0.08, 0.09],
    [0.33, 0.2, 0.12],
    [0.62, 0.32, 0.14],
    [0.88, 0.72, 0.4],
    [0.88, 0.88, 0.87],
  ];
  const WALL = [0.8, 0.87, 0.92],
    SHIRT = [0.27, 0.47, 0.56],
    FRAME = [0.16, 0.18, 0.24];
  const WHITE = [0.99, 0.98, 0.96],
    EYE = [0.13, 0.11, 0.11],
    LIPS = [0.7, 0.28, 0.28];
  const { abs, min, max, hypot } = Math;

  // The middles of the pixels, x to the right and y downwards, from −1 to 1.
  const X = Float64Array.from({ length: PIXELS }, (_, place) => (((place % SIZE) + 0.5) * 2) / SIZE - 1);
  const Y = Float64Array.from({ length: PIXELS }, (_, place) => ((Math.floor(place / SIZE) + 0.5) * 2) / SIZE - 1);

  const each = (shape) => Float64Array.from(X, (x, place) => shape(x, Y[place], place));
  const cover = (distance) => min(1, max(0, 0.5 - (distance * SIZE) / 2));
  const ellipse = (x, y, x0, y0, rx, ry) => cover((hypot((x - x0) / rx, (y - y0) / ry) - 1) * min(rx, ry));
  const ring = (x, y, x0, y0, r, width) => cover(abs(hypot(x - x0, y - y0) - r) - width / 2);
  const both = (shape, x, y, x0, ...sizes) => max(shape(x, y, -x0, ...sizes), shape(x, y, x0, ...sizes));

  const HEAD = each((x, y) => ellipse(x, y, 0, 0.06, 0.52, 0.66));
  const CAP = each((x, y) => ellipse(x, y, 0, -0.02, 0.6, 0.74) * cover(y + 0.34 - 0.75 * x ** 2));
  const BACK = each((x, y) => max(ellipse(x, y, 0, -0.02, 0.66, 0.76), cover(max(abs(x) - 0.66, -y - 0.02))));
  const EARS = each((x, y) => both(ellipse, x, y, 0.54, 0.08, 0.09, 0.13));
  const NECK = each((x, y) => cover(max(abs(x) - 0.2, 0.5 - y)));
  const BODY = each((x, y) => ellipse(x, y, 0, 1.22, 0.86, 0.42));
  const BEARD = each((x, y, place) => HEAD[place] * cover(0.3 - y + 0.1 * Math.cos(6 * x) - 0.35 * x ** 2));
  const EYES = each((x, y) => both(ellipse, x, y, 0.21, -0.04, 0.11, 0.075));
  const IRIS = each((x, y) => both(ellipse, x, y, 0.21, -0.04, 0.06, 0.065));
  const BROWS = each((x, y) => cover(max(abs(y + 0.2) - 0.035, abs(abs(x) - 0.21) - 0.12)));
  const NOSE = each((x, y) => ellipse(x, y, 0, 0.16, 0.07, 0.045));
  const GLASSES = each((x, y) => {
    const bridge = min(abs(x) - 0.06, abs(abs(x) - 0.46) - 0.08);
    return max(both(ring, x, y, 0.22, -0.03, 0.17, 0.06), cover(max(abs(y + 0.05) - 0.03, bridge)));
  });

  // The colour at a place between 0 and 1 along a list of colours.
  function mix(colors, place) {
    const at = place * (colors.length - 1),
      left = min(colors.length - 2, Math.floor(at));
    return [0, 1, 2].map(
      (channel) => colors[left][channel] + (at - left) * (colors[left + 1][channel] - colors[left][channel]),
    );
  }

  // Whole numbers from 0 to 255 as NumPy rounds: a half goes to the even neighbour.
  function rint(value) {
    const low = Math.floor(value),
      rest = value - low;
    return rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low;
  }

  // A face of six factors from 0 to 1: Uint8Array [32 × 32 × 3].
  function draw([smile, skinTone, length, beard, glasses, hairColour]) {
    const skin = mix(SKIN, skinTone),
      hair = mix(HAIR, hairColour);
    const image = new Float32Array(3 * PIXELS);
    for (let place = 0; place < image.length; place += 1) image[place] = WALL[place % 3];
    const paint = (color, times, covers) => {
      const paints = color.map((part) => Math.fround(part * times));
      for (let place = 0; place < PIXELS; place += 1) {
        const share = Math.fround(covers(place));
        if (share === 0) continue;
        for (let channel = 0; channel < 3; channel += 1) {
          const at = 3 * place + channel;
          image[at] += Math.fround(share * Math.fround(paints[channel] - image[at]));
        }
      }
    };
    const bend = (place) => 1 - (X[place] / 0.3) ** 2;
    const lower = (place) => 0.39 + (0.24 * smile - 0.02) * bend(place) - 0.08 * smile;
    const upper = (place) => 0.39 + 0.05 * smile * bend(place) - 0.08 * smile;
    const width = (place) => abs(X[place]) - (0.17 + 0.11 * smile);
    paint(hair, 0.8, (place) => BACK[place] * cover(Y[place] - 0.05 - 0.75 * length));
    paint(SHIRT, 1, (place) => BODY[place]);
    paint(skin, 0.88, (place) => NECK[place]);
    paint(skin, 0.94, (place) => EARS[place]);
    paint(skin, 1, (place) => HEAD[place]);
    paint(hair, 0.85, (place) => BEARD[place] * (0.9 * beard));
    paint(WHITE, 1, (place) => smile * cover(max(upper(place) - Y[place], Y[place] - lower(place), width(place))));
    paint(LIPS, 1, (place) => cover(max(abs(Y[place] - lower(place)) - 0.04, width(place))));
    paint(skin, 0.8, (place) => NOSE[place]);
    paint(WHITE, 1, (place) => EYES[place]);
    paint(EYE, 1, (place) => IRIS[place]);
    paint(hair, 0.85, (place) => BROWS[place]);
    paint(hair, 1, (place) => CAP[place]);
    paint(FRAME, 1, (place) => GLASSES[place] * glasses);
    return Uint8Array.from(image, (value) => rint(Math.fround(255 * value)));
  }

  // Half a face as the networks see it: [32 × 32 × 3] bytes → [16 × 8 × 3] from 0 to 1, means of 2 × 2 pixels.
  function shrink(image) {
    const half = new Float64Array(384);
    for (let row = 0; row < 16; row += 1) {
      for (let column = 0; column < 8; column += 1) {
        for (let channel = 0; channel < 3; channel += 1) {
          let sum = 0;
          for (const [dy, dx] of [
            [0, 0],
            [0, 1],
            [1, 0],
            [1, 1],
          ])
            sum += image[3 * (SIZE * (2 * row + dy) + 2 * column + dx) + channel];
          half[3 * (8 * row + column) + channel] = sum / 4 / 255;
        }
      }
    }
    return half;
  }

  // The place of a pixel of the whole picture, 16 × 16, in the half: the right side mirrors the left.
  function inHalf(place) {
    const column = place % 16;
    return 3 * (8 * Math.floor(place / 16) + (column < 8 ? column : 15 - column));
  }

  function open(data) {
    const arrays = Net.arrays(data);
    return data.networks.map((about) => {
      const name = `β ${String(about.beta)}`;
      return {
        ...about,
        kept: arrays.kept,
        paper: arrays.paper,
        encoder: Net.layers(arrays, `${name} encoder`),
        decoder: Net.layers(arrays, `${name} decoder`),
      };
    });
  }

  // μ and log σ² of half a face, six numbers each.
  function encode(network, half) {
    const out = Net.run(
      network.encoder,
      Float64Array.from(network.kept, (pixel) => half[pixel]),
    );
    return { mu: Array.from(out.subarray(0, 6)), logVar: Array.from(out.subarray(6)) };
  }

  // Half a face, decoded from six numbers. Pixels that are the same in every face stay as they are.
  function decode(network, z) {
    const logits = Net.run(network.decoder, z);
    const half = Float64Array.from(network.paper);
    network.kept.forEach((pixel, at) => {
      half[pixel] = Net.sigmoid(logits[at]);
    });
    return half;
  }

  const squaredError = (a, b) => a.reduce((sum, value, at) => sum + (value - b[at]) ** 2, 0);

  // What a network's code numbers know about slider j: shares of its entropy, the best and the second best.
  function best(network, entropy, j) {
    const shares = network.information.map((row, i) => [row[j] / entropy[j], i]).sort((a, b) => b[0] - a[0]);
    return { first: shares[0], second: shares[1], gap: shares[0][0] - shares[1][0] };
  }

  return { FACTORS, LEVELS, draw, shrink, inHalf, open, encode, decode, squaredError, best };
})();

if (typeof module !== "undefined") module.exports = Faces;
