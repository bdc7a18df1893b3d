"""What lesson 04 tells as "not run here": other start values, learning rates, seeds, and a wide network trained for longer.
(The deep network after 10 and 100 epochs, and 784-1741-30: deep_autoencoder.py.)

    python tests/long_runs/lesson_04.py             all of it
    python tests/long_runs/lesson_04.py rates       one of: start_values, hundred, rates, losses, shapes, wide

The networks, losses and start values are those of the lesson, whose code this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

RESULTS
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
    """Squared errors per test image [seeds]: the lesson's `experiment`, two or more at a time."""
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


if __name__ == "__main__":
    run(__doc__, start_values, hundred, rates, losses, shapes, wide)
