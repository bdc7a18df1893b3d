"""What lesson 08 tells as "not run here": test codes and random codes equally far from all 60,000 training codes.

    python tests/long_runs/lesson_08.py

The network, the judge and the way to draw codes are those of the lesson, whose cells this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

                                  10,000 training codes    all 60,000
    seed 0   accepted: test codes   0.77                     0.77
                       random       0.20 (of 284)            0.20 (of 117)
    seed 1             test         0.75                     0.76
                       random       0.19 (of 277)            0.26 (of 112)
    seed 2             test         0.74                     0.75
                       random       0.14 (of 271)            0.20 (of 97)

So equally far from all training codes, too, the judge accepts most images of test codes (600 each), and few of random ones.
"""

import numpy as np

from lesson_cells import lesson_cells, run

lesson = lesson_cells("08", ["from functools import partial", "x_train, x_test = mnist", "def image_loss", "def draw(way"])


def nearest(z, codes):
    """The distance from each code of z to the nearest of the codes."""
    return np.concatenate([lesson["cdist"](part, codes).min(axis=1) for part in np.split(z, 20)])


def distance():
    """20 numbers: the share that the judge accepts of test and random codes that are equally far from a training code."""
    for seed in range(3):
        judge, (network, _) = lesson["digit_judge"](seed), lesson["train"]([784, 400, 20], seed)
        codes, test = (np.asarray(network.encode(lesson[name] / np.float32(255))) for name in ("x_train", "x_test"))
        lesson["random"] = np.random.default_rng(seed)  # from which `draw` draws
        test, fitted = test[:4000], lesson["draw"]("fitted", codes, 4000)
        for n in (10_000, 60_000):
            far_test, far_fitted = nearest(test, codes[:n]), nearest(fitted, codes[:n])
            least, most = np.quantile(far_test, [0.75, 0.9])
            pairs = [(z[(least < far) & (far < most)], name) for z, far, name in ((test, far_test, "test"), (fitted, far_fitted, "random"))]
            accepted = (f"{len(z)} {name} codes, accepted {judge(network.decode(z)).mean():.2f}" for z, name in pairs)
            print(f"seed {seed}, {n:,} training codes: {'; '.join(accepted)}", flush=True)


if __name__ == "__main__":
    run(__doc__, distance)
