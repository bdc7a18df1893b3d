// The toy of lesson 01: n symbols through two sigmoid neurons, and its gradients by hand. All arrays are flat, by rows.
//   W [n × 2], b [2]: encoder.   V [2 × n], c [n]: decoder (Ŵ and b̂ in the lesson).
"use strict";

const Square = (() => {
  const sigmoid = (u) => 1 / (1 + Math.exp(-u));
  const logit = (p) => Math.log(p / (1 - p));
  const NEAREST = sigmoid(-10); // how near to 0 and 1 a code can be put by hand, as in the lesson

  const weights = (n, W, V) => ({
    n,
    W: Float64Array.from(W),
    b: new Float64Array(2),
    V: Float64Array.from(V),
    c: new Float64Array(n),
  });

  // Codes z [n × 2], logits v [n × n], outputs y [n × n]; row i belongs to symbol i.
  function forward({ n, W, b, V, c }) {
    const z = new Float64Array(2 * n);
    const v = new Float64Array(n * n);
    const y = new Float64Array(n * n);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < 2; j += 1) z[2 * i + j] = sigmoid(W[2 * i + j] + b[j]);
      for (let k = 0; k < n; k += 1) {
        v[i * n + k] = z[2 * i] * V[k] + z[2 * i + 1] * V[n + k] + c[k];
        y[i * n + k] = sigmoid(v[i * n + k]);
      }
    }
    return { n, z, v, y };
  }

  // Squared error, summed over the outputs, mean over the symbols; and its gradient, step by step as in section 5.
  function lossAndGradient(w) {
    const { n, V } = w;
    const { z, y } = forward(w);
    const W = new Float64Array(2 * n),
      b = new Float64Array(2),
      gV = new Float64Array(2 * n),
      c = new Float64Array(n);
    let loss = 0;
    for (let i = 0; i < n; i += 1) {
      const back = [0, 0];
      for (let k = 0; k < n; k += 1) {
        const output = y[i * n + k];
        const error = output - (i === k ? 1 : 0);
        const delta = (2 / n) * error * output * (1 - output);
        loss += (error * error) / n;
        c[k] += delta;
        for (let j = 0; j < 2; j += 1) {
          gV[j * n + k] += z[2 * i + j] * delta;
          back[j] += V[j * n + k] * delta;
        }
      }
      for (let j = 0; j < 2; j += 1) {
        const code = z[2 * i + j];
        W[2 * i + j] = back[j] * code * (1 - code);
        b[j] += W[2 * i + j];
      }
    }
    return { loss, gradient: { W, b, V: gV, c } };
  }

  const PARTS = ["W", "b", "V", "c"];

  // One step of gradient descent, in place; the loss before it.
  function descend(w, rate = 4) {
    const { loss, gradient } = lossAndGradient(w);
    for (const part of PARTS)
      gradient[part].forEach((slope, place) => {
        w[part][place] -= rate * slope;
      });
    return loss;
  }

  // One step of Adam, in place; memory: {} at the start. As optax.adam.
  function adam(w, memory, rate = 0.1) {
    const { loss, gradient } = lossAndGradient(w);
    memory.step = (memory.step || 0) + 1;
    const first = 1 - 0.9 ** memory.step,
      second = 1 - 0.999 ** memory.step;
    for (const part of PARTS) {
      const m = (memory[`m${part}`] ||= new Float64Array(w[part].length));
      const s = (memory[`s${part}`] ||= new Float64Array(w[part].length));
      gradient[part].forEach((slope, place) => {
        m[place] = 0.9 * m[place] + 0.1 * slope;
        s[place] = 0.999 * s[place] + 0.001 * slope * slope;
        w[part][place] -= (rate * (m[place] / first)) / (Math.sqrt(s[place] / second) + 1e-8);
      });
    }
    return loss;
  }

  // Weights that solve the task: for 4 symbols those of section 3, for 8 an octagon.
  function byHand(n) {
    const W = [],
      V = new Float64Array(2 * n),
      c = [];
    for (let k = 0; k < n; k += 1) {
      if (n === 4) {
        const code = [k >> 1, k & 1];
        W.push(20 * (code[0] - 0.5), 20 * (code[1] - 0.5));
        code.forEach((bit, j) => {
          V[j * n + k] = 20 * (2 * bit - 1);
        });
        c.push(-20 * (code[0] + code[1] - 0.5));
      } else {
        const angle = (2 * Math.PI * (k + 0.5)) / n,
          radius = 0.45,
          sharpness = 100;
        const way = [Math.cos(angle), Math.sin(angle)];
        way.forEach((part, j) => {
          W.push(logit(0.5 + radius * part));
          V[j * n + k] = sharpness * part;
        });
        const halfway = (radius * (1 + Math.cos((2 * Math.PI) / n))) / 2;
        c.push(-sharpness * (0.5 * (way[0] + way[1]) + halfway));
      }
    }
    const w = weights(n, W, V);
    w.c.set(c);
    return w;
  }

  // Put the code of symbol k at a place: row k of W changes, nothing else.
  function placeCode(w, k, place) {
    for (let j = 0; j < 2; j += 1) {
      w.W[2 * k + j] = logit(Math.min(1 - NEAREST, Math.max(NEAREST, place[j]))) - w.b[j];
    }
  }

  // The line of output k: where w·z + c = 0. normal: of length 1, towards "yes"; sharpness: the length of w.
  function line(w, k) {
    const sharpness = Math.hypot(w.V[k], w.V[w.n + k]) || 1e-9;
    const normal = [w.V[k] / sharpness, w.V[w.n + k] / sharpness];
    return { normal, sharpness, offset: w.c[k] / sharpness };
  }

  // Set the line of output k by a point on it, the normal and the sharpness.
  function placeLine(w, k, point, normal, sharpness) {
    w.V[k] = sharpness * normal[0];
    w.V[w.n + k] = sharpness * normal[1];
    w.c[k] = -sharpness * (normal[0] * point[0] + normal[1] * point[1]);
  }

  // How many outputs are on the right side of ½, and how many symbols have all of theirs there.
  function right({ n, v }) {
    let outputs = 0,
      symbols = 0;
    for (let i = 0; i < n; i += 1) {
      let good = 0;
      for (let k = 0; k < n; k += 1) good += v[i * n + k] > 0 === (i === k);
      outputs += good;
      symbols += good === n;
    }
    return { outputs, symbols };
  }

  // Is every point a corner of the rubber band around all? For each point: the widest gap between the directions to
  // the others must be larger than a half turn.
  function convex(z) {
    const n = z.length / 2;
    for (let i = 0; i < n; i += 1) {
      const angles = [];
      for (let k = 0; k < n; k += 1) {
        const across = z[2 * k] - z[2 * i],
          up = z[2 * k + 1] - z[2 * i + 1];
        if (k !== i && Math.hypot(across, up) < 1e-9) return false;
        if (k !== i) angles.push(Math.atan2(up, across));
      }
      angles.sort((a, b) => a - b);
      const gaps = angles.map((angle, at) => (at ? angle - angles[at - 1] : angle + 2 * Math.PI - angles[n - 2]));
      if (Math.max(...gaps) < Math.PI + 1e-9) return false;
    }
    return true;
  }

  // The part of the square from low to high where normal·z + offset > 0, as corners in order.
  function yesSide({ normal, offset }, low, high) {
    const corners = [
      [low, low],
      [high, low],
      [high, high],
      [low, high],
    ];
    const height = (p) => normal[0] * p[0] + normal[1] * p[1] + offset;
    const found = [];
    corners.forEach((p, at) => {
      const q = corners[(at + 1) % 4],
        hp = height(p),
        hq = height(q);
      if (hp > 0) found.push(p);
      if (hp > 0 !== hq > 0) {
        const share = hp / (hp - hq);
        found.push([p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])]);
      }
    });
    return found;
  }

  // The two ends of the line inside the square from low to high, or null.
  function ends({ normal, offset }, low, high) {
    const foot = [-offset * normal[0], -offset * normal[1]],
      along = [-normal[1], normal[0]];
    let from = -Infinity,
      to = Infinity;
    for (let j = 0; j < 2; j += 1) {
      if (Math.abs(along[j]) < 1e-12) {
        if (foot[j] < low || foot[j] > high) return null;
        continue;
      }
      const a = (low - foot[j]) / along[j],
        b = (high - foot[j]) / along[j];
      from = Math.max(from, Math.min(a, b));
      to = Math.min(to, Math.max(a, b));
    }
    if (from >= to) return null;
    return [from, to].map((t) => [foot[0] + t * along[0], foot[1] + t * along[1]]);
  }

  return {
    weights,
    forward,
    lossAndGradient,
    descend,
    adam,
    byHand,
    placeCode,
    line,
    placeLine,
    right,
    convex,
    yesSide,
    ends,
  };
})();

if (typeof module !== "undefined") module.exports = Square;
