"""What lesson 05 tells as "not run here": longer trainings, another width, and a temperature for the average.

    python tests/long_runs/lesson_05.py             all of it
    python tests/long_runs/lesson_05.py longer      one of: longer, temperature, small

The networks, images, losses and keys are those of the lesson, whose cells this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

longer, means of five starts on the test images

                                  p = 0          0.2            0.5            0.8
    40 epochs                     0.487 10.45 %  0.479 10.10 %  0.438  9.96 %  0.393 11.31 %
    120 epochs                    0.590 10.43 %  0.620 10.41 %  0.575  9.63 %  0.536 10.97 %
    of 120, best by validation    0.379 11.44 %  0.368 10.99 %  0.359 10.93 %  0.395 11.42 %

temperature, five networks: T = 1.10 to 1.15, the NLL of the average falls by 0.6, 0.7, 1.5, 1.0 and 1.0 %

small, twelve starts: error without dropout, and what dropout adds in percentage points (in brackets: starts with more errors)

    width 32, 5 epochs      5.73 %    p = 0.2  +0.76 (12)    p = 0.5  +3.11 (12)
    width 32, 20 epochs     4.56 %             +0.34 (11)             +2.83 (12)
    width 256, 5 epochs     3.45 %             -0.26  (1)             +0.23 (10)

longer: p = 0.8 stays half a point behind no dropout. temperature: the average is nearly as sure as it should be. small: four
times as many epochs take half of the harm of p = 0.2 away, and hardly any of that of p = 0.5; the wide network loses little.
"""

from functools import partial

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["import itertools", "def label_nll", "mnist = data.mnist()", "def dropout(h, p, key)", "class Classifier",
          "def train_many", "def scores", "def dropout_loss", "def network_number", "def means_of_first"]  # fmt: skip
lesson = lesson_cells("05", NEEDED)  # with the 20 networks of section 6, half a minute
jax, jnp, nnx, Classifier = (lesson[name] for name in ("jax", "jnp", "nnx", "Classifier"))
train_many, scores, valid, y_test = (lesson[name] for name in ("train_many", "scores", "valid", "y_test"))


def longer():
    """Section 6 with three times as many epochs: does p = 0.8 catch up?"""
    ps = lesson["ps"]
    longer, stopped, _ = train_many(ps, jax.random.key(17), lesson["few"], valid, Classifier, lesson["dropout_loss"], epochs=120)
    for name, weights in ("40 epochs", lesson["last"]), ("120 epochs", longer), ("of 120, the best by validation", stopped):
        nll, error = scores(weights, Classifier)
        for p, losses, errors in zip(ps, nll, error):
            print(f"{name}, p = {p}: NLL {losses.mean():.3f}, error {errors.mean():.2f} % {errors.round(2)}", flush=True)


def temperature():
    """The average of 50 thinned networks, p = 0.5: its test NLL without and with a temperature chosen by validation."""
    lesson["graph"], half = nnx.graphdef(Classifier(nnx.Rngs(0))), lesson["ps"].index(0.5)
    for number, key in enumerate(jax.random.split(jax.random.key(19), 5)):
        weights, masks = lesson["network_number"](lesson["last"], half, number), lesson["dropout"](jnp.ones((50, 2, 256)), 0.5, key)
        average = lambda x: lesson["means_of_first"](np.asarray(lesson["thinned_log_shares"](weights, masks, x)), 50)[0]
        on_valid, on_test = average(valid[0]), average(lesson["x_test"])
        T = min(np.linspace(0.5, 4, 71), key=lambda T: lesson["label_nll"](on_valid / T, valid[1]))
        before, after = (lesson["label_nll"](on_test / divisor, y_test) for divisor in (1, T))
        gained = 100 * (1 - after / before)
        print(f"network {number}: T = {T:.2f}, NLL {before:.4f} without, {after:.4f} with: {gained:+.1f} % gained", flush=True)


def small():
    """Section 9, 20,000 images: two layers of 32 neurons with 5 and 20 epochs, and two layers of 256 with 5; twelve starts."""
    much = lesson["pixels"][:20_000], lesson["mnist"].y_train[:20_000]
    for width, epochs in (32, 5), (32, 20), (256, 5):
        make = partial(Classifier, width=width)
        weights = train_many([0.0, 0.2, 0.5], jax.random.key(21), much, valid, make, lesson["dropout_loss"], epochs, n_seeds=12)[0]
        nll, error = scores(weights, make)
        print(f"width {width}, {epochs} epochs, p = 0: NLL {nll[0].mean():.3f}, error {error[0].mean():.2f} %")
        for i, p in (1, 0.2), (2, 0.5):
            more = error[i] - error[0]
            print(f"    p = {p}: NLL {nll[i].mean():.3f}, error {more.mean():+.2f} points, start by start {more.round(2)}", flush=True)


if __name__ == "__main__":
    run(__doc__, longer, temperature, small)
