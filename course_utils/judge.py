"""An independent judge of invented digits: a classifier that has seen digits and spoiled digits (lesson 08)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from scipy.ndimage import gaussian_filter

from course_utils import data
from course_utils.losses import check_pixels
from course_utils.models import mlp
from course_utils.training import fit, to_float

SPOILED = 10  # the class beside the digits 0 to 9


def _pixels(images):
    """float [n, 28, 28] from 0 to 1, of such images, flat ones [n, 784], or bytes; ValueError for anything else."""
    if np.shape(images)[1:] not in ((28, 28), (784,)):
        raise ValueError(f"images must be [n, 28, 28] or [n, 784], but the shape is {list(np.shape(images))}")
    images = to_float(jnp.asarray(images))
    check_pixels("the pixels", images, slack=1)  # what a network makes may leave [0, 1] a little
    return images.astype(jnp.float32).reshape(-1, 28, 28)


def soften(images, rng):
    """Each image blurred by 0, 0.6, 1.0 or 1.4 pixels, and made bright again: still the same digit, or none.

    Blurred images are scaled until their brightest pixel is 1, but by no more than 1/0.3.

    images: float [n, 28, 28] in [0, 1], or bytes; rng: a NumPy Generator. Returns new images, float.
    """
    images = np.array(_pixels(images))
    blur = rng.choice([0, 0.6, 1.0, 1.4], len(images))
    for width in set(blur) - {0}:
        chosen = blur == width
        soft = gaussian_filter(images[chosen], (0, width, width))
        images[chosen] = soft / np.maximum(soft.max(axis=(1, 2), keepdims=True), 0.3)
    return images


def spoil(images, labels, rng):
    """Images that are no digits, made of digits: mixtures, overlays, halves put together, and broken strokes.

    images: float [n, 28, 28] in [0, 1], or bytes; labels: int [n]; rng: a NumPy Generator. Returns (spoiled float
    [m, 28, 28], kind [m]), kind 0 mixture, 1 overlay, 2 halves, 3 broken; m ≤ n, since two digits of the same class
    are left out. Raises ValueError for other shapes.
    """
    images, labels = np.asarray(_pixels(images)), np.asarray(labels)
    if labels.shape != (len(images),):
        raise ValueError(f"labels must be [{len(images)}], one for each image, but the shape is {list(labels.shape)}")
    n, partner = len(images), rng.permutation(len(images))
    other, weight = images[partner], rng.uniform(0.35, 0.65, (n, 1, 1)).astype(np.float32)
    left_right = rng.random((n, 1, 1)) < 0.5
    first_half = np.where(left_right, np.arange(28) < 14, (np.arange(28) < 14)[:, None])
    stain = gaussian_filter(rng.normal(size=(n, 28, 28)).astype(np.float32), (0, 2, 2))
    kept = gaussian_filter((stain > np.quantile(stain, 0.45)).astype(np.float32), (0, 0.7, 0.7))
    mixture, overlay = weight * images + (1 - weight) * other, np.maximum(images, other)
    kinds = [mixture, overlay, np.where(first_half, images, other), images * kept]
    kind = rng.integers(0, len(kinds), n)
    spoiled = np.choose(kind[:, None, None], kinds)
    sensible = (kind == 3) | (labels != labels[partner])
    return spoiled[sensible].astype(np.float32), kind[sensible]


class Judge(nnx.Module):
    """A dense network 784-500-11: the ten digits, and `SPOILED`."""

    def __init__(self, rngs):
        self.network = mlp([784, 500, SPOILED + 1], rngs)

    def probabilities(self, images):
        """[n, 11], each row sums to 1, of images [n, 28, 28] or [n, 784]: float in [0, 1], or bytes."""
        return nnx.softmax(self.network(_pixels(images).reshape(-1, 784)))

    def __call__(self, images):
        """bool [n]: True where the judge accepts the image as a digit, whichever it is."""
        return np.asarray(self.probabilities(images)[:, SPOILED] < 0.5)


def move(images, rng):
    """Each image moved by −2 to 2 whole pixels in both directions.

    What leaves on one side comes back on the other. MNIST's margins leave room: about one digit in 50 loses a little ink
    to the other side. images: [n, 28, 28]; rng: a NumPy Generator. Returns new images.
    """
    shifts = rng.integers(-2, 3, (2, len(images)))
    row, column = [(np.arange(28) - shift[:, None]) % 28 for shift in shifts]
    return images[np.arange(len(images))[:, None, None], row[:, :, None], column[:, None, :]]


def digit_judge(seed=None):
    """A `Judge` of digits: the one that ships with the course, or, with a seed, one that is trained now.

    The shipped one was trained with seed 0 (`tools/make_judge.py`) and rounded to float16. Training takes ten seconds on
    two cores: on the MNIST training images and as many spoiled ones, all of them softened and moved. Moved, because
    digits lie in the middle of their images and spoiled ones need not: a judge would use that. It accepts about 92 % of
    the test digits and 11 % of spoiled ones, but of what it has never seen it knows nothing. Lesson 08 builds it and
    says what it overlooks. Raises `DataError` if the shipped weights are missing or damaged.
    """
    return _shipped() if seed is None else _trained(seed)


def _shipped():
    judge = Judge(nnx.Rngs(0))
    leaves, form = jax.tree.flatten(nnx.state(judge))
    numbers = np.frombuffer(data.read("judge/weights-float16.gz"), "<f2").astype(np.float32)
    ends = np.cumsum([leaf.size for leaf in leaves])
    weights = [jnp.asarray(part.reshape(leaf.shape)) for part, leaf in zip(np.split(numbers, ends[:-1]), leaves)]
    nnx.update(judge, jax.tree.unflatten(form, weights))
    return judge


def _trained(seed):
    rng, digits = np.random.default_rng(seed), data.mnist()
    x, y = [], []
    for start in range(0, 60_000, 5_000):  # in pieces, which saves memory
        piece = slice(start, start + 5_000)
        images, labels = digits.x_train[piece] / np.float32(255), digits.y_train[piece]
        spoiled, _ = spoil(images, labels, rng)
        for sort, names in ((images, labels), (spoiled, np.full(len(spoiled), SPOILED))):
            x.append(np.rint(255 * move(soften(sort, rng), rng)).astype(np.uint8).reshape(-1, 784))
            y.append(names.astype(np.int32))

    def loss(judge, batch, key):
        x, y = batch
        return optax.softmax_cross_entropy_with_integer_labels(judge.network(x), y).mean()

    judge, examples = Judge(nnx.Rngs(seed)), (np.concatenate(x), np.concatenate(y))
    optimizer = optax.adam(optax.cosine_decay_schedule(2e-3, 8 * (len(examples[1]) // 256)))
    fit(judge, loss, examples, optimizer=optimizer, epochs=8, key=jax.random.key(seed), batch_size=256)
    return judge
