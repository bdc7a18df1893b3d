"""What lesson 10 tells as "not run here": how high the ELBO gets if the four codes form only two groups, and what the shape
of the noise and a mistaken KL bring in longer trainings.

    python tests/long_runs/lesson_10.py             all of it
    python tests/long_runs/lesson_10.py parts       one of: groups, parts

Results on JAX 0.10.2 (Python 3.11, two CPU cores). groups, best ELBO in nats per symbol:

    one group of four                 -2.249
    two groups of two                 -2.160
    two groups, of one and of three   -2.124
    three groups                      -1.895
    four groups                       -1.632

The decoder is the best that there is for each code: for a drawn z it says with which probability each output is 1, given
the codes of the groups. So no network can do better with codes like these. One code number separates two groups, the other
stays at N(0, 1) and costs nothing.

parts, gain in log p(x) over N(0, 1) at the rate 0.01, median of ten networks:

    steps     N(0, ⅓)           U(−√3, √3)        U(−1, 1)
     4,000    0.05 to 0.09      0.07 to 0.12      0.16 to 0.20   (three seeds each; 0.06 to 0.12 for U(−√3, √3) over 17)
    16,000    0.03 to 0.04      0.14              0.15           (three seeds each)
"""

import numpy as np
from scipy.optimize import minimize

from lesson_cells import lesson_cells, run

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(200)  # integrals over N(0, 1)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def elbo(numbers, sizes):
    """In nats per symbol; numbers: μ of each group, then log σ; sizes: symbols in each group."""
    k = len(sizes)
    mu, log_sigma, share = numbers[:k], numbers[k:], np.array(sizes) / 4
    z = mu[:, None] + np.exp(log_sigma)[:, None] * NODES  # [group, node]
    log_q = -0.5 * ((z[..., None] - mu) / np.exp(log_sigma)) ** 2 - log_sigma + np.log(share)
    q = np.exp(log_q - log_q.max(axis=-1, keepdims=True))
    p = q / q.sum(axis=-1, keepdims=True) / sizes  # of each symbol of a group, given z: [group, node, group]
    p = np.clip(p, 1e-12, 1 - 1e-12)
    nothing = (sizes * np.log(1 - p)).sum(axis=-1, keepdims=True)  # all outputs 0
    own = np.log(p) - np.log(1 - p) + nothing  # one output 1
    cost = [own[g, :, g] @ WEIGHTS for g in range(k)]
    kl = 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma)
    return share @ (np.array(cost) - kl)


def groups():
    """The best ELBO for each way to put four symbols into groups along one line."""
    generator = np.random.default_rng(0)
    for sizes in [(4,), (2, 2), (1, 3), (1, 2, 1), (1, 1, 2), (1, 1, 1, 1)]:
        starts = [np.r_[generator.normal(size=len(sizes)) * 2, np.full(len(sizes), -0.5)] for _ in range(40)]
        best = max(-minimize(lambda numbers: -elbo(numbers, sizes), start).fun for start in starts)
        print(f"groups of {sizes}: {best:.3f} nats per symbol")


def parts():
    """log p(x) with three kinds of noise and the KL of the normal, above that with N(0, 1), after 4,000 and 16,000 steps."""
    needed = ["from functools import partial", "def start(key)", "def codes(w, epsilon)", "def train(key, noise", "def train_ten",
              "def log_evidence"]  # fmt: skip
    lesson = lesson_cells("10", needed)
    lesson |= {"zero": lesson["jnp"].zeros(4), "sample": lambda epsilon, mu, log_var: mu + lesson["jnp"].exp(0.5 * log_var) * epsilon}
    jax, wide = lesson["jax"], np.sqrt(3)
    for steps in (4000, 16_000):
        for seed in range(3):
            for_starts, for_normal, for_uniform = jax.random.split(jax.random.key(seed), 3)
            normal = jax.random.normal(for_normal, (10, steps, 4, 2))
            uniform = jax.random.uniform(for_uniform, (10, steps, 4, 2), minval=-1, maxval=1)
            kinds = {"N(0, 1)": normal, "N(0, ⅓)": normal / wide, "U(−√3, √3)": wide * uniform, "U(−1, 1)": uniform}
            starts = jax.random.split(for_starts, 10)
            log_p = {name: np.median(lesson["log_evidence"](lesson["train_ten"](starts, noise)[0])) for name, noise in kinds.items()}
            gains = ", ".join(f"{name} {log_p[name] - log_p['N(0, 1)']:.3f}" for name in list(kinds)[1:])
            print(f"{steps:6,} steps, seed {seed}: {gains}", flush=True)


if __name__ == "__main__":
    run(__doc__, groups, parts)
