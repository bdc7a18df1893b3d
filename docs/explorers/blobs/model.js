// Four blobs and a linear decoder, as in lesson 09, section 8.
// A model is {mu [4 × 2], log_sigma [4 × 2], W [2 × 4], b [4]}, flat.
"use strict";

const Blobs = (() => {
  const N = 4,
    PARTS = ["mu", "log_sigma", "W", "b"];

  // Points and weights for the mean over a normal distribution in the plane, from those on a line.
  function nodes({ points, weights }) {
    const places = [],
      shares = [];
    points.forEach((x, i) =>
      points.forEach((y, j) => {
        places.push([x, y]);
        shares.push(weights[i] * weights[j]);
      }),
    );
    return { places, shares };
  }

  const copy = (model) => Object.fromEntries(PARTS.map((part) => [part, Float64Array.from([...model[part]].flat())]));

  // Costs and gradients. cost, kl: [4], in nats. The gradients are those of the mean over the symbols, one set for
  // each of the two terms: costSlopes {mu, log_sigma, W, b}, klSlopes {mu, log_sigma}.
  function evaluate(model, { places, shares }) {
    const { mu, log_sigma: logSigma, W, b } = model;
    const cost = new Float64Array(N),
      kl = new Float64Array(N);
    const costSlopes = Object.fromEntries(PARTS.map((part) => [part, new Float64Array(model[part].length)]));
    const klSlopes = { mu: new Float64Array(2 * N), log_sigma: new Float64Array(2 * N) };
    for (let i = 0; i < N; i += 1) {
      const s0 = Math.exp(logSigma[2 * i]),
        s1 = Math.exp(logSigma[2 * i + 1]);
      for (let node = 0; node < shares.length; node += 1) {
        const [e0, e1] = places[node],
          share = shares[node] / N;
        const z0 = mu[2 * i] + s0 * e0,
          z1 = mu[2 * i + 1] + s1 * e1;
        let back0 = 0,
          back1 = 0;
        for (let k = 0; k < N; k += 1) {
          const v = z0 * W[k] + z1 * W[N + k] + b[k];
          const small = Math.exp(-Math.abs(v)); // softplus and sigmoid without overflow
          cost[i] += shares[node] * (Math.log1p(small) + Math.max(v, 0) - (i === k ? v : 0));
          const delta = share * ((v > 0 ? 1 : small) / (1 + small) - (i === k ? 1 : 0));
          costSlopes.b[k] += delta;
          costSlopes.W[k] += z0 * delta;
          costSlopes.W[N + k] += z1 * delta;
          back0 += W[k] * delta;
          back1 += W[N + k] * delta;
        }
        costSlopes.mu[2 * i] += back0;
        costSlopes.mu[2 * i + 1] += back1;
        costSlopes.log_sigma[2 * i] += back0 * s0 * e0;
        costSlopes.log_sigma[2 * i + 1] += back1 * s1 * e1;
      }
      for (let j = 0; j < 2; j += 1) {
        const at = 2 * i + j,
          variance = Math.exp(2 * logSigma[at]);
        kl[i] += 0.5 * (mu[at] ** 2 + variance - 1 - 2 * logSigma[at]);
        klSlopes.mu[at] = mu[at] / N;
        klSlopes.log_sigma[at] = (variance - 1) / N;
      }
    }
    return { cost, kl, costSlopes, klSlopes };
  }

  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  // The forces on each blob's own μ and σ, as the lesson draws them: minus the gradients of its own cost and KL.
  function forces(model, { costSlopes, klSlopes }) {
    const of = (slopes) => ({
      mu: slopes.mu.map((slope) => -N * slope),
      sigma: slopes.log_sigma.map((slope, at) => (-N * slope) / Math.exp(model.log_sigma[at])),
    });
    return { cost: of(costSlopes), kl: of(klSlopes) };
  }

  // One step of Adam on all parts, in place; memory: {} at the start. Returns what held before the step.
  function step(model, beta, quadrature, memory, rate = 0.01) {
    const now = evaluate(model, quadrature);
    memory.step = (memory.step || 0) + 1;
    const first = 1 - 0.9 ** memory.step,
      second = 1 - 0.999 ** memory.step;
    for (const part of PARTS) {
      const m = (memory[`m ${part}`] ||= new Float64Array(model[part].length));
      const s = (memory[`s ${part}`] ||= new Float64Array(model[part].length));
      for (let at = 0; at < m.length; at += 1) {
        const slope = now.costSlopes[part][at] + beta * (now.klSlopes[part]?.[at] ?? 0);
        m[at] = 0.9 * m[at] + 0.1 * slope;
        s[at] = 0.999 * s[at] + 0.001 * slope * slope;
        model[part][at] -= (rate * (m[at] / first)) / (Math.sqrt(s[at] / second) + 1e-8);
      }
    }
    return now;
  }

  // The largest slope of the loss.
  function steepest({ costSlopes, klSlopes }, beta) {
    let most = 0;
    for (const part of PARTS) {
      costSlopes[part].forEach((slope, at) => {
        most = Math.max(most, Math.abs(slope + beta * (klSlopes[part]?.[at] ?? 0)));
      });
    }
    return most;
  }

  // The decoder's best weights for the blobs as they are, by Newton's method: for each output three numbers, with a
  // small penalty that keeps them finite when the blobs are points. A step that raises the cost is halved.
  function fitDecoder(model, { places, shares }, rounds = 6) {
    const { mu, log_sigma: logSigma, W, b } = model;
    const PENALTY = 1e-6;
    const each = shares.length;
    const x = new Float64Array(N * each); // the codes of all blobs, one blob after the other
    const y = new Float64Array(N * each);
    for (let i = 0; i < N; i += 1) {
      const s0 = Math.exp(logSigma[2 * i]);
      const s1 = Math.exp(logSigma[2 * i + 1]);
      for (let node = 0; node < each; node += 1) {
        x[i * each + node] = mu[2 * i] + s0 * places[node][0];
        y[i * each + node] = mu[2 * i + 1] + s1 * places[node][1];
      }
    }
    const cost = (k, p, q, r) => {
      let sum = (PENALTY / 2) * (p * p + q * q + r * r);
      for (let at = 0; at < x.length; at += 1) {
        const v = p * x[at] + q * y[at] + r;
        const own = at >= k * each && at < (k + 1) * each;
        sum += shares[at % each] * (Math.log1p(Math.exp(-Math.abs(v))) + Math.max(v, 0) - (own ? v : 0));
      }
      return sum;
    };
    for (let k = 0; k < N; k += 1) {
      let [p, q, r] = [W[k], W[N + k], b[k]];
      let now = cost(k, p, q, r);
      for (let round = 0; round < rounds; round += 1) {
        let gx = PENALTY * p, gy = PENALTY * q, g1 = PENALTY * r; // prettier-ignore
        let xx = PENALTY, xy = 0, x1 = 0, yy = PENALTY, y1 = 0, one = PENALTY; // prettier-ignore
        for (let at = 0; at < x.length; at += 1) {
          const output = 1 / (1 + Math.exp(-(p * x[at] + q * y[at] + r)));
          const own = at >= k * each && at < (k + 1) * each;
          const delta = shares[at % each] * (output - (own ? 1 : 0));
          const bend = shares[at % each] * output * (1 - output);
          gx += delta * x[at];
          gy += delta * y[at];
          g1 += delta;
          xx += bend * x[at] * x[at];
          xy += bend * x[at] * y[at];
          x1 += bend * x[at];
          yy += bend * y[at] * y[at];
          y1 += bend * y[at];
          one += bend;
        }
        const way = solve([xx, xy, x1, yy, y1, one], [gx, gy, g1]);
        const before = now;
        for (let size = 1; size > 1e-6; size /= 2) {
          const next = [p - size * way[0], q - size * way[1], r - size * way[2]];
          const then = cost(k, ...next);
          if (then >= now) continue;
          [p, q, r] = next;
          now = then;
          break;
        }
        if (before - now < 1e-10) break; // it is there
      }
      W[k] = p;
      W[N + k] = q;
      b[k] = r;
    }
  }

  // The solution of the symmetric 3 × 3 system h · x = g.
  function solve([a, b, c, d, e, f], [p, q, r]) {
    const A = d * f - e * e,
      B = c * e - b * f,
      C = b * e - c * d;
    const D = a * f - c * c,
      E = b * c - a * e,
      F = a * d - b * b;
    const determinant = a * A + b * B + c * C;
    return [
      (A * p + B * q + C * r) / determinant,
      (B * p + D * q + E * r) / determinant,
      (C * p + E * q + F * r) / determinant,
    ];
  }

  return { nodes, copy, evaluate, forces, step, steepest, fitDecoder, mean };
})();

if (typeof module !== "undefined") module.exports = Blobs;
