// The weights of data.js as arrays, and a chain of dense layers. Runs in the browser and in Node, without either's help.
"use strict";

const Network = {
  // The arrays of a data.js as {name: typed array}. Whole numbers with a scale become floats: entry × scale of its column.
  arrays(data) {
    const text = atob(data.bytes);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const kinds = { "<f4": Float32Array, "<i2": Int16Array, "|i1": Int8Array, "|u1": Uint8Array };
    const flat = {};
    let start = 0;
    for (const { name, type, shape } of data.arrays) {
      const count = shape.reduce((a, b) => a * b, 1);
      flat[name] = new kinds[type](bytes.buffer, start, count);
      start += flat[name].byteLength;
    }
    for (const { name, shape, scale } of data.arrays) {
      if (!scale) continue;
      const columns = shape[shape.length - 1];
      flat[name] = Float32Array.from(flat[name], (entry, place) => Math.fround(entry * flat[scale][place % columns]));
    }
    return flat;
  },

  // The layers of one half of a network: [{kernel, bias, next}], kernel [n_in × n_out] by rows.
  layers(arrays, prefix) {
    const found = [];
    for (let number = 0; `${prefix} ${number} kernel` in arrays; number += 1) {
      const bias = arrays[`${prefix} ${number} bias`];
      found.push({ kernel: arrays[`${prefix} ${number} kernel`], bias, out: new Float64Array(bias.length) });
    }
    return found;
  },

  // Outputs of the layers for one input, ReLU between them and nothing after the last. Overwritten by the next call.
  run(layers, input) {
    let x = input;
    layers.forEach(({ kernel, bias, out }, number) => {
      const width = bias.length;
      out.set(bias);
      for (let i = 0; i < x.length; i += 1) {
        const value = x[i];
        if (value === 0) continue;
        for (let j = 0, at = i * width; j < width; j += 1, at += 1) out[j] += value * kernel[at];
      }
      if (number < layers.length - 1) for (let j = 0; j < width; j += 1) if (out[j] < 0) out[j] = 0;
      x = out;
    });
    return x;
  },

  sigmoid: (u) => 1 / (1 + Math.exp(-u)),
};

if (typeof module !== "undefined") module.exports = Network;
