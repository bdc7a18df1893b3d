"""What lesson 04 tells as "not run here": other start values, learning rates, seeds, and a wide network trained for longer.
(The deep network after 10 and 100 epochs, and 784-1741-30: deep_autoencoder.py.)

    python tests/long_runs/lesson_04.py             all of it
    python tests/long_runs/lesson_04.py rates       one of: start_values, hundred, rates, losses, shapes, wide, abroad

The networks, losses and start values are those of the lesson, whose code this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

start_values, three seeds: 2/n 7.24, 7.45, 7.34; 1/n 9.19, 9.73, 9.56

hundred, mean of five seeds: 784-290-100 5.13 at the rate 0.002, 3.89 (3.80 to 3.97) at 0.004; PCA 4.40

rates, mean and range of five seeds

    rate    784-290-30              784-256-128-30          784-230-150-80-30       784-128-64-30
    0.001   11.30 (10.97 to 11.73)  12.95 (12.48 to 13.34)  15.50 (15.25 to 15.74)  19.97 (19.51 to 20.55)
    0.002    9.20 ( 9.00 to  9.52)  10.06 ( 9.74 to 10.32)  12.50 (12.33 to 12.61)  15.33 (14.96 to 15.53)
    0.004    7.86 ( 7.75 to  8.04)   8.48 ( 8.32 to  8.82)  10.90 (10.59 to 11.15)  12.62 (12.34 to 12.89)
    0.008    6.73 ( 6.61 to  6.83)   7.73 ( 7.59 to  7.88)  10.56 (10.32 to 10.71)  10.88 (10.53 to 11.14)

losses, 784-256-128-30, squared error, mean and range of five seeds

    rate    trained with the squared error    with the cross-entropy
    0.001   12.95 (12.48 to 13.34)            11.76 (11.41 to 12.28)
    0.002   10.06 ( 9.74 to 10.32)             9.28 ( 8.96 to  9.50)
    0.004    8.48 ( 8.32 to  8.82)             8.04 ( 7.82 to  8.38)

shapes, ratio to the error of the shape that shrinks, ten seeds

    keeps its width   0.95 1.04 0.98 0.97 0.97 0.93 0.97 0.98 0.96 0.99
    grows             1.05 1.10 1.01 1.03 1.02 0.95 1.04 1.05 1.06 1.06

wide, two seeds (PCA of digits with 30 numbers: clothes 54.7)

                               digits        clothes
    three epochs               2.83, 2.65    66.0, 66.5
    eight epochs               1.44, 1.32    63.3, 63.1
    three, without sigmoid     8.42, 8.33    47.1, 47.3

abroad, at 0.008: digits through the network of clothes 33.9, 33.9, 34.2, 34.6, 34.6 (PCA 34.8); clothes through the network of
digits 73.4, 75.6, 76.8 (PCA 54.7)

start_values: a faded start costs about two units of error after two epochs. hundred: shape and rate decide who wins at 100
numbers. rates: with about as many weights, fewer layers are better at all four rates, with each seed; half the width costs
less at higher rates (7.0 to 3.2). losses: the cross-entropy wins at each rate, with each seed, by less at higher rates.
shapes: keeping the width is mostly a little better than shrinking, growing mostly a little worse; each once the other way
round. wide: neither more training nor leaving the sigmoid out makes this network copy clothes. abroad: at four
times the rate PCA still wins on clothes, but no longer on digits.
"""

import ast

import nbformat
import numpy as np

from lesson_cells import lesson_cells, run

lesson = lesson_cells("04", ["from functools import partial", "mnist = data.mnist()", "def pca(x)", "SIZES = ["])
FUNCTIONS = ["image_loss", "to_float", "train", "reconstruct", "per_image", "test_error", "experiment", "entropy_loss"]
for cell in nbformat.read("04_deep_autoencoder.ipynb", as_version=4).cells:  # without the trainings beside them
    for node in ast.parse(cell.source).body if cell.cell_type == "code" else []:
        if isinstance(node, ast.FunctionDef) and node.name in FUNCTIONS:
            exec(ast.unparse(node), lesson)
jax, jnp, nnx, optax, data, models = (lesson[name] for name in ("jax", "jnp", "nnx", "optax", "data", "models"))
x_train, x_test, experiment = (lesson[name] for name in ("x_train", "x_test", "experiment"))
BASE = [784, 256, 128, 30]


def errors_of(sizes, seeds, **settings):
    """Squared errors per test image [seeds]: the lesson's `experiment`, as many at a time as there are cores."""
    jax.clear_caches()
    return np.array(lesson["side_by_side"](lambda seed: experiment(sizes, seed=seed, **settings)[1], seeds))


def show(name, errors):
    print(f"{name}: {errors.mean():5.2f} ({errors.min():.2f} to {errors.max():.2f}), seed by seed {errors.round(2)}", flush=True)


def start_values():
    """The deep network after two epochs, from random weights with variance 2/n and from the same ones with 1/n."""
    adam = optax.adam(optax.cosine_decay_schedule(1e-3, 2 * (len(x_train) // 128)))
    for seed in range(3):
        for name, factor in ("2/n", 1), ("1/n", np.sqrt(1 / 2)):
            model = models.Autoencoder(lesson["SIZES"], nnx.Rngs(seed))
            nnx.update(model, jax.tree.map(lambda w: factor * w, nnx.state(model, nnx.Param)))
            settings = dict(optimizer=adam, epochs=2, key=jax.random.key(100 + seed), x_test=x_test)
            history = lesson["fit"](model, lesson["image_loss"], x_train, **settings)
            print(f"seed {seed}, variance {name}: {history.test_loss[-1]:.2f}", flush=True)


def hundred():
    """100 numbers: 784-290-100 at the rate of the lesson and at twice that, and PCA."""
    mean, V = lesson["pca"](x_train)
    print(f"PCA: {lesson['pca_errors'](x_test, mean, V)[100]:.2f}")
    for peak in (0.002, 0.004):
        show(f"784-290-100, rate {peak}", errors_of([784, 290, 100], range(5), peak=peak))


def rates():
    """Depth and width at four learning rates."""
    for peak in (0.001, 0.002, 0.004, 0.008):
        for sizes in [784, 290, 30], BASE, [784, 230, 150, 80, 30], [784, 128, 64, 30]:
            show(f"rate {peak}, {'-'.join(map(str, sizes)):17}", errors_of(sizes, range(5), peak=peak))


def losses():
    """784-256-128-30, trained with either loss, at three learning rates: the squared error."""
    for peak in (0.001, 0.002, 0.004):
        for name in "image_loss", "entropy_loss":
            show(f"rate {peak}, {name:12}", errors_of(BASE, range(5), peak=peak, loss_fn=lesson[name]))


def shapes():
    """Shapes that keep their width and that grow, against the one that shrinks: ratio of the errors, ten starts."""
    shrinks = errors_of(BASE, range(10))
    for name, sizes in ("keeps its width", [784, 220, 220, 30]), ("grows", [784, 160, 600, 30]):
        errors = errors_of(sizes, range(10))
        show(f"{name:15} / shrinks", errors / shrinks)
        show(f"{name:15} - shrinks", errors - shrinks)


def wide():
    """784-800-800, trained on digits: three epochs, eight epochs, and three without the sigmoid at the output."""
    clothes = data.fashion_mnist().x_test.reshape(-1, 784)
    mean, V = lesson["pca"](x_train[:20_000])
    print(f"clothes through PCA of digits with 30 numbers: {lesson['pca_errors'](clothes, mean, V)[30]:.1f}")

    def without_sigmoid(model, batch, key):
        return lesson["squared_error"](batch, model.decoder(model.encode(batch)))

    for seed in range(2):
        for epochs, loss in (3, lesson["image_loss"]), (8, lesson["image_loss"]), (3, without_sigmoid):
            model = experiment([784, 800, 800], epochs=epochs, seed=seed, loss_fn=loss)[0]
            on_digits, on_clothes = (loss(model, lesson["to_float"](jnp.asarray(x)), None) for x in (x_test, clothes))
            print(f"seed {seed}, {epochs} epochs, {loss.__name__}: digits {on_digits:.2f}, clothes {on_clothes:.1f}", flush=True)


def abroad():
    """784-290-30 at the rate 0.008: the images of the other kind, through the network and through PCA with 30 numbers."""
    clothes = data.fashion_mnist()
    flat = [images.reshape(-1, 784) for images in (clothes.x_train[:20_000], clothes.x_test)]
    kinds = {"digits": (x_train[:20_000], x_test), "clothes": flat}
    for knows, other, seeds in ("clothes", "digits", 5), ("digits", "clothes", 3):
        strange = kinds[other][1]
        print(f"{other} through PCA of {knows}: {lesson['pca_errors'](strange, *lesson['pca'](kinds[knows][0]))[30]:.1f}")
        for seed in range(seeds):
            model = experiment([784, 290, 30], x=kinds[knows][0], seed=seed, peak=0.008)[0]
            here, there = (lesson["test_error"](model, x) for x in (kinds[knows][1], strange))
            print(f"    through the network of {knows}, start {seed}: {there:.1f}, at home {here:.1f}", flush=True)


if __name__ == "__main__":
    run(__doc__, start_values, hundred, rates, losses, shapes, wide, abroad)
