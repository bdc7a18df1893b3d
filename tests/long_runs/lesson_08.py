"""What lesson 08 tells as "not run here": a judge that looks at the place, and codes equally far from the nearest of all training codes.

    python tests/long_runs/lesson_08.py             all of it
    python tests/long_runs/lesson_08.py distance    one of: without_move, distance

The network, the judge and the way to draw codes are those of the lesson, whose cells this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

    without_move, accepted, seeds 0, 1, 2      trained on moved images    not moved
        test digits                            0.92, 0.92, 0.92           0.96, 0.96, 0.95
        moved by two pixels to the right       0.90, 0.90, 0.91           0.00, 0.00, 0.00
        halves, softened                       0.14, 0.15, 0.16           0.04, 0.04, 0.04
        the same, centred                      0.16, 0.17, 0.18           0.39, 0.35, 0.39

    distance:
                                  10,000 training codes    all 60,000
    seed 0   accepted: test codes   0.77                     0.77
                       random       0.20 (of 284)            0.20 (of 117)
    seed 1             test         0.75                     0.76
                       random       0.19 (of 277)            0.26 (of 112)
    seed 2             test         0.74                     0.75
                       random       0.14 (of 271)            0.20 (of 97)

without_move: a judge that never saw a moved digit goes by the place. distance: equally far from all training codes, too, the
judge accepts most images of test codes (600 each), and few of random ones.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import partial", "x_train, x_test = mnist", "def image_loss", "def centre_of_ink", "def draw(way"]
lesson = lesson_cells("08", NEEDED)

from course_utils import judge as recipe  # noqa: E402 — the module; the set-up cell has to run first


def without_move():
    """A judge whose training images are not moved, and the lesson's: what they accept."""
    digits, moves = np.asarray(lesson["pixels"]).reshape(-1, 28, 28), {"moved": recipe.move, "not moved": lambda images, rng: images}
    ours = recipe.move
    for seed in range(3):
        for way, move in moves.items():
            recipe.move, rng = move, np.random.default_rng(100 + seed)
            judge, (spoiled, kind) = recipe.digit_judge(seed), recipe.spoil(digits, lesson["y_test"], rng)
            halves = recipe.soften(spoiled[kind == 2], rng)
            shifts = np.rint(14 - lesson["centre_of_ink"](halves)).astype(int)
            centred = np.stack([np.roll(image, shift, axis=(0, 1)) for image, shift in zip(halves, shifts)])
            shares = (judge(images).mean() for images in (digits, np.roll(digits, 2, axis=2), halves, centred))
            print(f"seed {seed}, trained on images that are {way}: accepted", "digits {:.2f}, two pixels to the right {:.2f}; "
                  "halves {:.2f}, centred {:.2f}".format(*shares), flush=True)  # fmt: skip
    recipe.move = ours


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
    run(__doc__, without_move, distance)
