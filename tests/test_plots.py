"""The figures show what they are given: colours, widths, axes, images."""

import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import plots
from course_utils.training import History

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def fresh_figures():
    with matplotlib.rc_context():
        plots.use_style()
        yield
    plt.close("all")


def history(test=()):
    return History(np.array([3.0, 2.0, 1.0]), np.ones((3, 2)), np.array(test), 1.0)


def test_a_dark_style_set_before_leaves_dark_text_on_white():
    plt.style.use("dark_background")
    plots.use_style()
    ax = plots.curves(history(), unit="nats")
    white = {matplotlib.colors.to_hex(color) for color in (ax.get_facecolor(), ax.figure.get_facecolor())}
    assert white == {"#ffffff"} == {matplotlib.colors.to_hex(matplotlib.rcParams["figure.facecolor"])}
    assert matplotlib.rcParams["savefig.facecolor"] in ("auto", "white")
    texts = [ax.xaxis.label, ax.title, *ax.get_xticklabels()]
    assert all(max(matplotlib.colors.to_rgb(text.get_color())) < 0.5 for text in texts)


def test_in_a_notebook_figures_have_twice_the_pixels_and_the_same_size():
    """Run in IPython as the kernel sets it up; the output's metadata tell the size on the page."""
    code = """
import base64, matplotlib
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
matplotlib.use("module://matplotlib_inline.backend_inline")
from course_utils import plots
plots.use_style()
import matplotlib.pyplot as plt
figure = plt.subplots(figsize=(4, 2))[0]
data, metadata = shell.display_formatter.format(figure, include=["image/png"])
header = base64.b64decode(data["image/png"])[16:24]
print(int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big"), *metadata["image/png"].values())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, cwd=ROOT)
    width, height, shown_width, shown_height = map(int, run.stdout.split())
    assert (width // 2, height // 2) == (shown_width, shown_height)
    assert abs(shown_width - 400) < 40 and abs(shown_height - 200) < 40  # the box around the figure is fitted to it


def test_curves_draw_both_losses_over_epochs_and_label_their_axes():
    ax = plots.curves(history([4.0, 3.0, 2.0]), unit="nats", log=True)
    training, test = (line.get_xydata().tolist() for line in ax.lines)
    assert training == [[1, 3], [2, 2], [3, 1]] and test == [[1, 4], [2, 3], [3, 2]]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "loss (nats)", "log")
    assert [text.get_text() for text in ax.get_legend().texts] == ["training", "test"]


def test_curves_without_a_test_set_draw_one_line_on_the_given_axes():
    given = plt.subplots()[1]
    assert plots.curves(history(), unit="nats", ax=given) is given and len(given.lines) == 1


def test_image_grid_shows_every_image_on_one_scale():
    images = np.arange(5 * 4).reshape(5, 2, 2).astype(np.uint8)
    axes = plots.image_grid(images, columns=3, titles="abcde")
    shown = [ax.images[0] for ax in axes.flat if ax.images]
    assert axes.shape == (2, 3) and len(shown) == 5
    np.testing.assert_array_equal([image.get_array() for image in shown], images)
    assert {image.get_clim() for image in shown} == {(0, 255)}
    assert [ax.get_title() for ax in axes.flat][:5] == list("abcde")
    assert plots.image_grid(images / 255)[0, 0].images[0].get_clim() == (0, 1)
    for wrong in (images[0], images[:0]):
        with pytest.raises(ValueError, match="image_grid wants"):
            plots.image_grid(wrong)


def test_reconstructions_stand_below_their_originals_with_their_squared_errors():
    x = np.full((3, 2, 2), 255, np.uint8)
    half, same = np.full((3, 2, 2), 0.5), np.ones((3, 2, 2))
    axes = plots.reconstructions(x, half, same, names=["original", "half", "same"])
    assert axes.shape == (3, 3)
    assert [[ax.get_title() for ax in row] for row in axes] == [[""] * 3, ["1.0"] * 3, ["0.0"] * 3]
    assert [row[0].get_ylabel() for row in axes] == ["original", "half", "same"]
    assert {ax.images[0].get_clim() for ax in axes.flat} == {(0, 1)}
    np.testing.assert_array_equal(axes[1, 2].images[0].get_array(), half[2])
    for wrong in ((x,), (x, half[:2]), (x[0], half[0])):
        with pytest.raises(ValueError, match="reconstructions wants"):
            plots.reconstructions(*wrong)


def test_network_colours_signs_and_thickens_large_weights():
    ax = plots.network(
        [np.array([[1.0], [-2.0]]), np.array([[0.5, 0.0]])],
        activations=[[0, 1], [0.5], [1, 0]],
        labels=[["x1", "x2"], ["y1", "y2"]],
        names=["in", "code", "out"],
    )
    colors = [line.get_color() for line in ax.lines]
    widths = [line.get_linewidth() for line in ax.lines]
    assert colors[:3] == [plots.BLUE, plots.ORANGE, plots.BLUE] and widths[1] > widths[0] > widths[2] > widths[3]
    assert [float(circle.get_facecolor()[0]) for circle in ax.patches] == [1, 0, 0.5, 0, 1]
    assert {text.get_text() for text in ax.texts} == {"x1", "x2", "y1", "y2", "in", "code", "out"}
    assert len(plots.network([np.zeros((2, 2))]).patches) == 4  # no weights, no activations: still drawn


def test_the_palette_stays_apart_for_colour_blind_readers():
    """Simulated deuteranopia (Viénot et al. 1999): the first four colours keep clear distances."""
    simulate = np.array([[0.29031, 0.70969, 0], [0.29031, 0.70969, 0], [-0.02197, 0.02197, 1]])
    linear = np.array([matplotlib.colors.to_rgb(color) for color in plots.PALETTE[:4]]) ** 2.2
    seen = np.clip(linear @ simulate.T, 0, 1) ** (1 / 2.2)
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 0.15
