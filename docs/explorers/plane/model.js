// The two networks of the plane: images to codes and back. Images are 784 grey values from 0 to 1, by rows.
"use strict";

const Plane = (() => {
  const Net = typeof Network === "undefined" ? require("../shared/network.js") : Network;
  const SIDE = 28;

  function open(data) {
    const arrays = Net.arrays(data);
    const networks = {};
    for (const name of ["vae", "plain"]) {
      networks[name] = {
        encoder: Net.layers(arrays, `${name} encoder`),
        decoder: Net.layers(arrays, `${name} decoder`),
        codes: arrays[`${name} codes`],
        kept: arrays.kept,
      };
    }
    const digits = Array.from({ length: 10 }, (_, digit) => {
      const image = new Float64Array(784); // two grey values from 0 to 15 in a byte
      arrays.digits.subarray(392 * digit, 392 * (digit + 1)).forEach((pair, at) => {
        image[2 * at] = (pair >> 4) / 15;
        image[2 * at + 1] = (pair & 15) / 15;
      });
      return image;
    });
    return { networks, labels: arrays.labels, digits };
  }

  // The image that a code [2] is decoded to. Pixels without ink in the training images are 0.
  function decode(network, z) {
    const logits = Net.run(network.decoder, z);
    const image = new Float64Array(784);
    network.kept.forEach((pixel, at) => {
      image[pixel] = Net.sigmoid(logits[at]);
    });
    return image;
  }

  // The code of an image: mu [2], and sigma [2] for the VAE (null for the plain autoencoder).
  function encode(network, image) {
    const out = Net.run(
      network.encoder,
      Float64Array.from(network.kept, (pixel) => image[pixel]),
    );
    const sigma = out.length === 4 ? [Math.exp(out[2] / 2), Math.exp(out[3] / 2)] : null;
    return { mu: [out[0], out[1]], sigma };
  }

  // The labels of the test digits whose codes are nearest to z, the nearest first.
  function nearest({ codes }, labels, z, count = 5) {
    const far = Array.from(labels, (label, at) => [Math.hypot(codes[2 * at] - z[0], codes[2 * at + 1] - z[1]), label]);
    return far
      .sort((a, b) => a[0] - b[0])
      .slice(0, count)
      .map(([, label]) => label);
  }

  // A drawing (grey values, size × size) as the MNIST images were made: scaled into 20 × 20, then put into 28 × 28 with
  // its centre of mass in the middle. Null if there is no ink.
  function centre(ink, size) {
    let left = size,
      right = -1,
      top = size,
      bottom = -1;
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        if (ink[y * size + x] < 0.1) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    if (right < 0) return null;
    const scale = 20 / Math.max(right - left + 1, bottom - top + 1, size / 4); // a dot is not blown up
    // Share the ink of every point of the drawing among the pixels that it falls on.
    const place = (offsetX, offsetY) => {
      const image = new Float64Array(784);
      for (let y = top; y <= bottom; y += 1) {
        for (let x = left; x <= right; x += 1) {
          const value = ink[y * size + x];
          if (value === 0) continue;
          const [x0, y0] = [offsetX + (x - left) * scale, offsetY + (y - top) * scale];
          for (let row = Math.floor(y0); row < y0 + scale; row += 1) {
            for (let column = Math.floor(x0); column < x0 + scale; column += 1) {
              if (row < 0 || column < 0 || row >= SIDE || column >= SIDE) continue;
              const wide = Math.min(column + 1, x0 + scale) - Math.max(column, x0);
              const high = Math.min(row + 1, y0 + scale) - Math.max(row, y0);
              image[row * SIDE + column] += value * wide * high;
            }
          }
        }
      }
      return image;
    };
    const mass = (image) => {
      let total = 0,
        across = 0,
        down = 0;
      image.forEach((value, at) => {
        total += value;
        across += value * ((at % SIDE) + 0.5);
        down += value * (Math.floor(at / SIDE) + 0.5);
      });
      return [across / total, down / total];
    };
    const middle = mass(place(4, 4));
    const image = place(4 + SIDE / 2 - middle[0], 4 + SIDE / 2 - middle[1]);
    return image.map((value) => Math.min(1, value));
  }

  return { open, decode, encode, nearest, centre };
})();

if (typeof module !== "undefined") module.exports = Plane;
