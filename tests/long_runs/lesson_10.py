"""What lesson 10 tells as "not run here": how high the ELBO gets if the four codes form only two groups.

    python tests/long_runs/lesson_10.py

Result (JAX is not used; two CPU cores, seconds):

    one group of four                 -2.249
    two groups of two                 -2.160
    two groups, of one and of three   -2.124
    three groups                      -1.895
    four groups                       -1.632

The decoder is the best that there is for each code: for a drawn z it says with which probability each output is 1, given
the codes of the groups. So no network can do better with codes like these. One code number separates two groups, the other
stays at N(0, 1) and costs nothing.
"""

import numpy as np
from scipy.optimize import minimize

from lesson_cells import run

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


if __name__ == "__main__":
    run(__doc__, groups)
