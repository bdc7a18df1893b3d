"""The figures that several lessons share, in one style.

Colours follow Okabe and Ito's palette, which colour-blind readers can tell apart (M. Okabe and K. Ito, Color
Universal Design, 2008). Every function draws on `ax` where one is given and returns the axes.
"""

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW, GREY, INK = "#56B4E9", "#E69F00", "#F0E442", "#9A9A9A", "#222222"
PALETTE = [BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, GREY]
SIGNED = mpl.colors.LinearSegmentedColormap.from_list("signed", [ORANGE, "#F7F7F7", BLUE])


def use_style():
    """Set the course's look for all figures that follow: sizes, colours, few lines.

    A style that was set before, a dark one for instance, is forgotten. In a notebook, figures get two pixels in each
    direction for one on the page, so that they stay sharp on a projector; their size on the page remains the same.
    """
    plt.style.use("default")
    ipython = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if ipython is not None:
        from matplotlib_inline.config import InlineBackend

        InlineBackend.instance(parent=ipython).figure_formats = {"retina"}
    mpl.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.figsize": (6.4, 3.4),
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": GREY,
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 10.5,
            "axes.grid": True,
            "grid.color": "#E6E6E6",
            "grid.linewidth": 0.7,
            "axes.axisbelow": True,
            "xtick.color": "#555555",
            "ytick.color": "#555555",
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "image.cmap": "gray",
        }
    )


def curves(history, *, unit, ax=None, log=False):
    """Training loss, and test loss where there is one, of a `History` over the epochs. `unit` labels the y-axis."""
    ax = ax or plt.subplots()[1]
    epochs = np.arange(1, len(history.loss) + 1)
    ax.plot(epochs, history.loss, label="training", color=BLUE)
    if len(history.test_loss):
        ax.plot(epochs, history.test_loss, label="test", color=ORANGE, linestyle="--")
        ax.legend()
    ax.set(xlabel="epoch", ylabel=f"loss ({unit})", yscale="log" if log else "linear")
    return ax


def image_grid(images, *, columns=10, titles=None, scale=0.8, vmin=0, vmax=None):
    """Images [n, height, width] in rows of `columns`, on one common grey scale; titles: one text per image.

    vmax is 255 for uint8 images and 1 otherwise, unless given. Raises ValueError for another shape.
    """
    images = np.asarray(images)
    if images.ndim != 3 or len(images) == 0:
        raise ValueError(f"image_grid wants [n, height, width] with n ≥ 1, but the shape is {list(images.shape)}")
    if vmax is None:
        vmax = 255 if images.dtype == np.uint8 else 1
    rows = -(-len(images) // columns)
    size = (min(columns, len(images)) * scale, rows * (scale + (0.22 if titles is not None else 0)))
    figure, axes = plt.subplots(rows, min(columns, len(images)), figsize=size, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for number, (ax, image) in enumerate(zip(axes.flat, images)):
        ax.imshow(image, vmin=vmin, vmax=vmax, interpolation="nearest")
        if titles is not None:
            ax.set_title(titles[number], fontsize=9, pad=2)
    return axes


def reconstructions(x, *x_hats, names=None, scale=0.8):
    """Originals in the first row; below, a row for each set of reconstructions, with the squared error of each image.

    x and every x_hat: [n, height, width], uint8 (0 to 255) or float (0 to 1). names: one text per row, that of the
    originals included. Returns the array of axes. Raises ValueError if the shapes differ.
    """
    arrays = [np.asarray(images) for images in (x, *x_hats)]
    rows = [images / 255 if images.dtype == np.uint8 else images for images in arrays]
    if rows[0].ndim != 3 or len(rows) < 2 or any(row.shape != rows[0].shape for row in rows):
        shapes = ", ".join(str(list(row.shape)) for row in rows)
        raise ValueError(f"reconstructions wants at least two [n, height, width] of one shape, but got {shapes}")
    size = (len(rows[0]) * scale, len(rows) * (scale + 0.22))
    axes = plt.subplots(len(rows), len(rows[0]), figsize=size, squeeze=False)[1]
    for number, row in enumerate(rows):
        for ax, original, image in zip(axes[number], rows[0], row):
            ax.imshow(image, vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.spines[:].set_visible(False)
            if number > 0:
                ax.set_title(f"{np.sum((image - original) ** 2):.1f}", fontsize=9, pad=2)
        if names is not None:
            axes[number, 0].set_ylabel(names[number], rotation=0, ha="right", va="center")
    return axes


def network(weights, *, activations=None, labels=None, names=None, ax=None):
    """Draw a small dense network: solid blue lines are positive weights, dashed orange ones negative, thicker is larger.

    weights      a list of matrices [n_in, n_out], one per layer of connections
    activations  a list of vectors, one per layer of neurons, each value between 0 and 1: fills the neurons
    labels       a list of lists of texts beside the first and the last layer's neurons: [left, right]
    names        one text per layer of neurons, written below it
    """
    ax = ax or plt.subplots(figsize=(5.4, 3.0))[1]
    weights = [np.asarray(matrix) for matrix in weights]
    sizes = [weights[0].shape[0], *(matrix.shape[1] for matrix in weights)]
    places = [[(layer * 2.0, (size - 1) / 2 - neuron) for neuron in range(size)] for layer, size in enumerate(sizes)]
    largest = max(np.abs(matrix).max() for matrix in weights) or 1
    for layer, matrix in enumerate(weights):
        for i, start in enumerate(places[layer]):
            for j, end in enumerate(places[layer + 1]):
                size = abs(matrix[i, j]) / largest
                color, dashes = (BLUE, "-") if matrix[i, j] > 0 else (ORANGE, (0, (2, 1)))
                style = {"color": color, "linestyle": dashes, "linewidth": 0.3 + 3.2 * size}
                ax.plot(*zip(start, end), alpha=0.25 + 0.65 * size, zorder=1, **style)
    for layer, neurons in enumerate(places):
        fill = np.ones(len(neurons)) if activations is None else 1 - np.asarray(activations[layer], float)
        for place, grey in zip(neurons, fill):
            ax.add_patch(plt.Circle(place, 0.27, facecolor=str(np.clip(grey, 0, 1)), edgecolor=INK, lw=1.2, zorder=2))
        if names is not None:
            ax.text(neurons[0][0], -max(sizes) / 2 - 0.35, names[layer], ha="center", va="top", fontsize=9)
    for side, texts in zip((0, -1), labels or []):
        for (x, y), text in zip(places[side], texts):
            ax.text(x + (0.42 if side else -0.42), y, text, ha="left" if side else "right", va="center", fontsize=9)
    ax.set(xlim=(-1.1, 2 * (len(sizes) - 1) + 1.1), ylim=(-max(sizes) / 2 - 1.0, max(sizes) / 2 + 0.1), aspect="equal")
    ax.axis("off")
    return ax
