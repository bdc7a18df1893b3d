"""Lesson 15 with more steps: at which frames are the networks for films ahead of the law of motion?

Results, five networks each, seed 0, JAX 0.10.2 (Python 3.11), 500 test films, two CPU cores, five minutes of processor time.
Mean squared error of a frame, and the frames at which all five networks are ahead.

                      seen    1     2     5     6    10    20   ahead   all five ahead of the law   of the careful law
      300 steps        6.0   6.0   6.2   6.9   7.3   8.3  10.4          never                       never
    1,200 steps        4.4   4.4   4.5   4.9   5.1   5.8   8.6          never                       never
    4,800 steps        3.0   3.0   3.1   3.5   3.7   4.2   7.3          never                       frames 13 to 15 only
      made sharp             5.3   5.4   5.9   6.1   7.2  11.6
    law                      0.7   0.9   2.1   2.6   3.6   6.1
    careful law              0.7   1.0   2.3   2.8   4.2   6.7
    mean picture            10.8  10.8  10.5  10.7  10.6  10.8

Run it from the checkout, on any machine that has the course's packages:

    python tests/long_runs/film_steps.py                    five networks each with 300, 1,200 and 4,800 steps
    python tests/long_runs/film_steps.py 1200 --seed 1      other films, other networks, one number of steps

Films, network, batch, optimiser and rivals are those of lesson 15, whose cells this script runs: only the number of
steps differs, and the cosine ends with them. "Careful law": the mean of what the law draws for 16 speeds around the one
that fits best, with a standard deviation of 0.1 pixels a frame. Not collected by pytest, which looks for test_*.py.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import matplotlib
import nbformat

matplotlib.use("Agg")

import jax
import numpy as np
import optax
from flax import nnx

LESSON = Path(__file__).resolve().parents[2] / "notebooks/15_sequences.ipynb"
NEEDED = ["# Set-up.", "from functools import partial", "mnist = data", "SIZE, ROOM", "def shifts", "def put", "def films(",
          "LENGTH =", "GRID =", "class FilmNet", "def film_loss", "def centres", "seen =", "places = c", "def sharp_answer"]  # fmt: skip
AT = np.array([1, 2, 5, 6, 10, 20]) - 1


def lesson(shift):
    """The names that the needed cells of lesson 15 define; without the training itself."""
    os.chdir(LESSON.parent)
    names = {"__name__": "__main__"}
    for cell in nbformat.read(LESSON, as_version=4).cells:
        if cell.cell_type == "code" and any(begin in cell.source for begin in NEEDED):
            source = cell.source.split("\nenergy =")[0].replace("key(100)", f"key({100 + 1000 * shift})")
            exec(source, names)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", type=int, nargs="*", default=[300, 1200, 4800])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = lesson(given.seed)
    print(f"seed {given.seed}, Python {platform.python_version()}, JAX {jax.__version__}")
    test_films, SEEN, LENGTH, fold = (names[name] for name in ("test_films", "SEEN", "LENGTH", "fold"))
    truth = np.asarray(test_films[:, SEEN:])
    error = lambda frames: ((np.asarray(frames) - truth) ** 2).sum(axis=2).mean(axis=0)
    place, speed, k, moved, last = names["places"][:, 4, None], names["speed"], names["k"], names["moved"], names["last"]
    draws = 0.1 * np.random.default_rng(given.seed).normal(size=(16, *speed.shape))
    ways = (fold(place + (speed + draw)[:, None] * k) - place for draw in draws)
    rivals = {"law": error(names["law"]), "careful law": error(sum(moved(last, way) for way in ways) / 16),
              "mean picture": error(names["mean_picture"])}  # fmt: skip
    for name, errors in rivals.items():
        print(f"{name:14s}", errors[AT].round(1))
    watch = nnx.jit(lambda model, seen: model.parts(seen, LENGTH))
    sharp_answer = jax.jit(names["sharp_answer"])
    for steps in given.steps:
        begin, found = time.process_time(), []
        optimizer = optax.chain(optax.clip_by_global_norm(10.0), optax.adam(optax.cosine_decay_schedule(1e-2, steps)))
        for seed in range(5):
            model = names["FilmNet"](96, nnx.Rngs(seed + 1000 * given.seed))
            names["fit"](model, names["film_loss"], names["digits_train"][:9600], optimizer=optimizer, epochs=steps // 300,
                         batch_size=32, key=jax.random.key(seed + 1000 * given.seed))  # fmt: skip
            digit, places = watch(model, test_films[:, :SEEN])
            frames = np.asarray(names["put"](digit, names["mean_shift"](places)))
            rebuilt = ((frames[:, :SEEN] - test_films[:, :SEEN]) ** 2).sum(axis=2).mean()
            found.append([rebuilt, *error(frames[:, SEEN:]), *error(sharp_answer(digit, places)[:, SEEN:])])
        found = np.array(found)
        errors, sharp = found[:, 1:21], found[:, 21:]
        ahead = [name + ": " + " ".join(map(str, 1 + np.flatnonzero((errors < rivals[name]).all(axis=0)))) for name in rivals]
        print(f"{steps} steps, {time.process_time() - begin:.0f} s of processor time for five networks")
        print("    error         ", errors.mean(axis=0)[AT].round(1), "rebuilt", found[:, 0].mean().round(1))
        print("    worst network ", errors.max(axis=0)[AT].round(1))
        print("    made sharp    ", sharp.mean(axis=0)[AT].round(1))
        print("    all five ahead of", "; of ".join(ahead), flush=True)


if __name__ == "__main__":
    main()
