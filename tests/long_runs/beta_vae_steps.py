"""Lesson 12 with ten times as many steps: does β = 30 still raise D and C, and are the trained axes still no better than
random ones?

Results, five networks for each β, seed 7, JAX 0.10.2 (Python 3.11), two CPU cores, four minutes. On 0.7.2 (Python 3.13) no
score differs by more than 0.01, no rate or loss by more than 0.1. The rise of D and C stays, and most of it is still there
when the codes are turned; but the trained axes are now better than random ones at both β, and the networks are ahead of the
linear VAE at β = 30.

                     loss    rate   error   MIG    D      C      I      turned: MIG    D      C
    β =  1,  2,000   30.4    17.0   0.27    0.09   0.19   0.15   0.65           0.09   0.18   0.13
            20,000   15.2    11.7   0.07    0.17   0.31   0.30   0.77           0.11   0.16   0.15
            linear                          0.14   0.39   0.42   0.56
    β = 30,  2,000  164.1     2.8   1.60    0.11   0.34   0.46   0.38           0.07   0.29   0.41
            20,000  153.0     2.9   1.31    0.18   0.49   0.61   0.37           0.08   0.30   0.40
            linear                          0.13   0.37   0.50   0.37

Run it from the checkout, on any machine that has the course's packages:

    python tests/long_runs/beta_vae_steps.py                five networks for each β, 2,000 and 20,000 steps
    python tests/long_runs/beta_vae_steps.py --seed 8       five others

Network, faces, noise, recipe and scores are those of lesson 12, whose cells this script runs: only the number of steps
differs, and the cosine ends with them. "Turned" is the mean over three random turns of the numbers in use, "linear" the
linear VAE with the same β and one draw of its noise. Not collected by pytest, which looks for test_*.py.
"""

import argparse
import platform

import matplotlib

matplotlib.use("Agg")

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lesson_cells import lesson_cells

NEEDED = ["from functools import partial", "train, test =", "def shrink", "x_train, x_test =", "s = 0.1", "model = models.VAE(SIZES",
          "mean_face =", "BETAS =", "def train_one", "def orders", "def evaluate(weights)", "def linear_codes", "def turned"]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    seed = parser.parse_args().seed
    names = lesson_cells("12", NEEDED)
    metrics, factors = names["metrics"], names["test"].factors
    score = lambda z: np.array([metrics.mig(z, factors), *metrics.dci(z, factors)])
    print(f"seed {seed}, Python {platform.python_version()}, JAX {jax.__version__}")
    for steps in (2000, 20_000):
        names |= {"STEPS": steps, "optimizer": optax.adam(optax.cosine_decay_schedule(0.003, steps))}
        for_betas = jax.vmap(names["train_one"], in_axes=(None, 0, None))
        train_all = jax.jit(jax.vmap(for_betas, in_axes=(0, None, None)))
        weights = train_all(jax.random.split(jax.random.key(seed), 5), jnp.array([1.0, 30.0]), names["orders"](3))
        for_all = jax.jit(lambda weights: jax.lax.map(lambda row: jax.lax.map(names["evaluate"], row), weights))
        distortion, kl, _, drawn = map(np.asarray, for_all(weights))  # axes [5, 2] in front
        for b, beta in enumerate((1, 30)):
            in_use = kl[:, b] > 0.05
            codes = list(zip(drawn[:, b], in_use))
            turned = [score(names["turned"](z, used, 10 * n + turn)) for n, (z, used) in enumerate(codes) for turn in range(3)]
            loss = distortion[:, b].mean() / (2 * names["s"] ** 2) + beta * kl[:, b].sum(axis=1).mean()
            print(f"{steps:6} steps, β = {beta:2}: squared error {distortion[:, b].mean():.2f}, KL {kl[:, b].sum(axis=1).mean():.1f}, "
                  f"loss {loss:.1f}; in use {in_use.sum(axis=1)}, variance of z {drawn[:, b].var(axis=1).mean():.2f}")  # fmt: skip
            for what, rows in ("trained", [score(z) for z, _ in codes]), ("turned", turned):
                print(f"    {what:8} MIG {{:.2f}}  D {{:.2f}}  C {{:.2f}}  I {{:.2f}}".format(*np.mean(rows, axis=0)))
    for beta in (1, 30):
        print(f"linear, β = {beta:2}: MIG {{:.2f}}  D {{:.2f}}  C {{:.2f}}  I {{:.2f}}".format(
            *score(np.asarray(names["linear_codes"](names["x_test"], beta, 1)))))  # fmt: skip


if __name__ == "__main__":
    main()
