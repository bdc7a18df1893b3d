"""What lesson 12 tells as "not run here": copies with noise, a bent reader, more sets of ten networks. (Ten times as many steps:
beta_vae_steps.py.)

    python tests/long_runs/lesson_12.py             all of it
    python tests/long_runs/lesson_12.py sets        one of: copies, bent, sets

Networks, faces, recipe and scores are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11,
two CPU cores):

copies, five draws of the noise: D with the penalty 0.99, without 0.73 to 0.79

bent, R² of a slider read by products of up to so many code numbers (fitted on one half of the test faces, tested on the other)

    β    numbers   smile   skin   length   beard   glasses   colour
     1         1    0.18   0.95     0.84    0.26      0.64     0.98
               2    0.26   0.97     0.95    0.41      0.74     0.99
               3    0.29   0.97     0.96    0.54      0.77     0.99
    30         1    0.00   0.75     0.63    0.01      0.03     0.87
               3   -0.05   0.76     0.64    0.01      0.01     0.89

sets, ten networks for each β; set 0 is that of the lesson

    set                                     0      1      2      3      4      5      6      7      8
    MIG, β = 1                          0.099  0.074  0.098  0.089  0.081  0.072  0.081  0.075  0.096
    MIG, β = 30                         0.090  0.099  0.114  0.104  0.102  0.089  0.112  0.131  0.118
    of 100 pairs, β = 30 ahead in          49     70     67     58     58     62     73     87     74
    rank correlation of low loss and
    MIG at β = 30                        0.72   0.79   0.68   0.85   0.55   0.85   0.68   0.54  -0.07
"""

from itertools import combinations_with_replacement

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import partial", "train, test =", "def shrink", "x_train, x_test =", "s = 0.1", "model = models.VAE(SIZES",
          "mean_face =", "BETAS =", "def train_one", "def orders", "def stacked", "def evaluate(weights)", "def concentration",
          "def standardised"]  # fmt: skip
lesson = lesson_cells("12", NEEDED)
jax, jnp, metrics, sliders = lesson["jax"], lesson["jnp"], lesson["metrics"], lesson["test"].factors


def copies():
    """D of the sliders beside copies of them, both with 1 % of noise, with the penalty and without."""
    half, factors = len(sliders) // 2, lesson["standardised"](sliders, len(sliders) // 2)
    for seed in range(5):
        noise = 0.01 * np.random.default_rng(seed).normal(size=(len(sliders), 12))
        codes = lesson["standardised"](np.tile(factors, 2) + noise, half)
        for penalty in (0.01, 0.0):
            W = np.linalg.solve(codes[:half].T @ codes[:half] / half + penalty * np.eye(12), codes[:half].T @ factors[:half] / half)
            D, C = (lesson["concentration"](R) for R in (np.abs(W), np.abs(W).T))
            print(f"seed {seed}, penalty {penalty:4}: D {D:.3f}, C {C:.3f}")


def ten_networks(number):
    """Ten networks each with β = 1 and 30; number 0: those of the lesson."""
    order = jnp.asarray(lesson["orders"](number))
    return lesson["for_seeds"](lambda seed, beta: lesson["train_one"](seed, beta, order),
                               jax.random.split(jax.random.key(number), 10), np.array([1.0, 30.0]))  # fmt: skip


def bent():
    """R² of each slider, read from draws of the code by sums of products of up to one, two or three numbers; ten networks."""
    evaluate, half, trained = jax.jit(lesson["evaluate"]), len(sliders) // 2, ten_networks(0)
    for b, beta in enumerate((1, 30)):
        for degree in (1, 2, 3):
            found = []
            for row in trained:
                z = np.c_[np.ones(len(sliders)), np.asarray(evaluate(row[b])[3], np.float64)]
                products = np.stack([z[:, list(which)].prod(axis=1) for which in combinations_with_replacement(range(7), degree)], axis=1)
                products /= products[:half].std(axis=0) + 1e-9
                ridge = products[:half].T @ products[:half] / half + 0.001 * np.eye(products.shape[1])
                W = np.linalg.solve(ridge, products[:half].T @ sliders[:half] / half)
                missed = ((products[half:] @ W - sliders[half:]) ** 2).mean(axis=0)
                found.append(1 - missed / sliders[half:].var(axis=0))
            shares = "  ".join(f"{name} {share:.2f}" for name, share in zip(lesson["FACTORS"], np.mean(found, axis=0)))
            print(f"β = {beta:2}, degree {degree}: {shares}", flush=True)


def sets():
    """Ten networks each with β = 1 and 30, set 0 as in the lesson: MIG, and its rank correlation with the loss at β = 30."""
    evaluate = jax.jit(lesson["evaluate"])
    for number in range(9):
        trained = ten_networks(number)
        mig, loss = np.empty((10, 2)), np.empty((10, 2))
        for n, row in enumerate(trained):
            for b, beta in enumerate((1, 30)):
                distortion, kl, _, z = evaluate(row[b])
                mig[n, b] = metrics.mig(np.asarray(z), sliders)
                loss[n, b] = distortion / (2 * lesson["s"] ** 2) + beta * kl.sum()
        ahead, means = np.mean(mig[:, :1] < mig[:, 1]), mig.mean(axis=0)
        correlation = lesson["spearmanr"](-loss[:, 1], mig[:, 1])[0]
        print(f"set {number}: MIG {means[0]:.3f} with β = 1, {means[1]:.3f} with β = 30, difference {means[1] - means[0]:+.3f}; "
              f"β = 30 ahead in {100 * ahead:.0f} of 100 pairs; low loss and MIG at β = 30 {correlation:+.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    run(__doc__, copies, bent, sets)
