"""What lesson 19 tells as "not run here": two separate autoencoders that are trained longer, or on whole photos.

    python tests/long_runs/lesson_19.py             all of it
    python tests/long_runs/lesson_19.py longer      one of: whole, longer

Photos, networks and judge are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11, two CPU
cores), errors of the expression in units of the sliders, five starts:

    whole, 600 steps                    smile          turn           gaze           mean
    mean face                           0.247          0.243          0.244          0.245
    rebuilt, whole photos               0.246, 0.247   0.243, 0.244   0.244          0.245

    longer, 1,500 steps
    nearest photo                       0.137          0.034          0.099          0.090
    rebuilt                             0.073-0.084    0.031-0.039    0.085-0.099    0.064-0.073
    exchanged decoders                  0.302-0.400    0.253-0.420    0.351-0.420    0.332-0.381

whole: with the mean face left in, what these networks draw has the expression of the mean face, with pixels from 0 to 1 and
with the same divided by 0.2. longer: rebuilding passes the nearest photo, and the exchange is worse than the mean face.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from course_utils.faces", "ADA = np.array", "def photos(", "N, N_TEST, N_PAIRS", "def regression(", "read_expression =",
          "def expression_error", "class Swapper", "def error(model", "def machine(", "separate, shared =", "mean_a = x_ada",
          "def nearest(d_b"]  # fmt: skip
lesson = lesson_cells("19", NEEDED)
jax, jnp, A, B = (lesson[name] for name in ("jax", "jnp", "A", "B"))


def judged(name, pictures):
    """Print the errors of smile, turn and gaze of pictures of Ada, and their mean; return the mean."""
    errors = lesson["expression_error"](np.asarray(pictures))
    print(f"{name:26} {'  '.join(f'{error:.3f}' for error in errors)}    {errors.mean():.3f}", flush=True)
    return errors.mean()


def train(seed, steps, albums):
    """The lesson's two separate autoencoders, with another number of steps."""
    lesson["STEPS"] = steps
    return lesson["machine"](False)(jax.random.key(seed), albums)


def whole():
    """Twice the time, without the mean face taken off: Ada through her own autoencoder."""
    judged("mean face", lesson["mean_face"])
    for name, unit in ("pixels from 0 to 1", 1), ("the same / 0.2", 0.2):
        scaled = lambda x: jnp.asarray(x / 255 / unit, jnp.float32)
        albums, test = jnp.stack([scaled(lesson["x_ada"]), scaled(lesson["x_ben"])]), scaled(lesson["ada_test"])
        for seed in range(5):
            model = train(seed, 600, albums)
            judged(f"{name}, seed {seed}", unit * model.decode(model.encode(test, A), A))


def longer():
    """1,500 steps instead of 300: Ada rebuilt, and exchanged decoders."""
    judged("nearest photo", lesson["nearest_photo"])
    rebuilt, exchanged = [], []
    for seed in range(5):
        model = train(seed, 1500, lesson["albums"])
        codes = [model.encode(lesson["d_test"][who], who) for who in (A, B)]
        rebuilt.append(judged(f"rebuilt, seed {seed}", lesson["picture"](model, codes[A])))
        exchanged.append(judged(f"exchanged, seed {seed}", lesson["picture"](model, codes[B])))
    print(f"means: rebuilt {np.mean(rebuilt):.3f}, exchanged {np.mean(exchanged):.3f}")


if __name__ == "__main__":
    run(__doc__, whole, longer)
