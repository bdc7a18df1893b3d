"""What lesson 21 tells as "not run here": lzma on all grey test images in one file, and a code of 20 numbers.

    python tests/long_runs/lesson_21.py             all of it
    python tests/long_runs/lesson_21.py one_file    one of: one_file, twenty

Images, network, stack and errors are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11,
two CPU cores):

one_file: 1.392 bits per pixel as the images stand, 1.396 in random order

twenty, error                4     6     8    10    12 bytes
    PCA                   21.0  16.5  13.5  11.4   9.8
    20 numbers, start 0   22.5  14.5  11.8  11.0  10.6
                start 1   22.2  13.9  11.3  10.4  10.1
                start 2   22.9  14.4  11.8  11.0  10.6

one_file: about as short as the published VAE. twenty: from 6 to 10 bytes the autoencoder is ahead, at 4 and at 12 PCA is.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from course_utils.ans", "def three_sets", "def falling", "NEAR = [", "learned = x_train", "def errors(images)", "def curve("]
lesson = lesson_cells("21", NEEDED)


def one_file():
    """The 10,000 grey test images as one file."""
    images = lesson["digits"].x_test
    for name, order in ("as they stand", np.arange(10_000)), ("in random order", np.random.default_rng(0).permutation(10_000)):
        print(f"{name}: {8 * len(lesson['lzma'].compress(images[order].tobytes(), preset=9)) / images.size:.3f} bits per pixel")


def twenty():
    """Autoencoders with 20 numbers, four epochs, three starts, and PCA: the error at 6 to 10 bytes."""
    jax, mean, axes = lesson["jax"], lesson["mean_image"], lesson["axes_of"]
    loss = lambda model, batch, key: lesson["losses"].squared_error(batch, model(batch))

    def tell(name, points):
        points = np.log(points[np.argsort(points[:, 0]), :2])
        errors = np.exp(np.interp(np.log([4, 6, 8, 10, 12]), *points.T))
        print(f"{name}: error at 4, 6, 8, 10, 12 bytes:", *errors.round(1), flush=True)

    pca = lesson["curve"](lambda x: (x - mean) @ axes, lambda z: z @ axes.T + mean, [6, 4, 3, 2, 1.5, 1, 0.7, 0.5])
    tell("PCA           ", pca)
    for seed in range(3):
        model = lesson["models"].Autoencoder([784, 256, 20], lesson["nnx"].Rngs(seed))
        lesson["fit"](model, loss, lesson["x_train"], optimizer=lesson["falling"](4), epochs=4, key=jax.random.key(seed), batch_size=250)
        encode, decode = (lambda x, way=way: np.asarray(way(x)) for way in (model.encode, model.decode))
        tell(f"20 numbers, {seed}", lesson["curve"](encode, decode, encode(lesson["train_float"]).std() * lesson["STEPS"]))


if __name__ == "__main__":
    run(__doc__, one_file, twenty)
