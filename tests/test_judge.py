"""The judge of digits accepts digits and refuses spoiled ones."""

from pathlib import Path

import numpy as np
import pytest

from course_utils import data
from course_utils.judge import digit_judge, move, soften, spoil


@pytest.fixture(scope="module")
def digits():
    digits = data.mnist()
    return digits.x_test[:2000] / np.float32(255), digits.y_test[:2000]


@pytest.fixture(scope="module", params=[None, 1], ids=["shipped", "trained"])
def judge(request):
    return digit_judge(request.param)


def test_the_script_writes_the_weights_that_ship(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "tools")
    import make_judge

    shipped = digit_judge()
    assert make_judge.content(shipped) == data.read("judge/weights-float16.gz")


def test_the_judge_accepts_digits_and_refuses_spoiled_ones(judge, digits):
    images, labels = digits
    rng = np.random.default_rng(0)
    spoiled, kind = spoil(images, labels, rng)
    assert judge(images).dtype == bool and judge(images).shape == (2000,)
    assert judge(images).mean() > 0.88 and judge(soften(images, rng)).mean() > 0.85
    for number in range(4):
        assert judge(soften(spoiled[kind == number], rng)).mean() < 0.25
    np.testing.assert_array_equal(judge(images.reshape(-1, 784)), judge(images))


def test_the_judge_takes_bytes_and_refuses_floats_up_to_255(judge, digits):
    images, labels = digits
    pixels = np.rint(255 * images).astype(np.uint8)
    np.testing.assert_allclose(judge.probabilities(pixels), judge.probabilities(images), atol=1e-5)
    np.testing.assert_array_equal(judge(pixels.reshape(-1, 784)), judge(images))
    rngs = [np.random.default_rng(4) for _ in range(4)]
    np.testing.assert_allclose(soften(pixels, rngs[0]), soften(images, rngs[1]), atol=1e-5)
    np.testing.assert_allclose(spoil(pixels, labels, rngs[2])[0], spoil(images, labels, rngs[3])[0], atol=1e-5)
    for wrong in (255 * images, np.full_like(images, np.nan), -2 * images):
        for use in (judge, lambda x: soften(x, rngs[0]), lambda x: spoil(x, labels, rngs[0])):
            with pytest.raises(ValueError, match="pixels must lie between 0 and 1"):
                use(wrong)


def test_flat_images_are_images_and_other_shapes_are_refused(digits):
    images, labels = digits
    square, flat = (spoil(x, labels, np.random.default_rng(5)) for x in (images, images.reshape(-1, 784)))
    np.testing.assert_array_equal(square[0], flat[0])
    np.testing.assert_array_equal(*(soften(x, np.random.default_rng(5)) for x in (images, images.reshape(-1, 784))))
    for use in (lambda x: spoil(x, labels, np.random.default_rng(0)), lambda x: soften(x, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=r"must be \[n, 28, 28\] or \[n, 784\], but the shape is \[2000, 14, 56\]"):
            use(images.reshape(-1, 14, 56))
    with pytest.raises(ValueError, match=r"labels must be \[2000\]"):
        spoil(images, labels[:5], np.random.default_rng(0))


def test_the_judge_knows_the_digits(judge, digits):
    images, labels = digits
    probabilities = np.asarray(judge.probabilities(images))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-4)
    assert np.mean(probabilities[:, :10].argmax(axis=1) == labels) > 0.95


def test_soften_keeps_the_brightness_and_spoil_leaves_the_originals_alone(digits):
    images, labels = digits
    before = images.copy()
    soft = soften(images, np.random.default_rng(1))
    spoiled, kind = spoil(images, labels, np.random.default_rng(1))
    np.testing.assert_array_equal(images, before)
    assert soft.shape == images.shape and soft.min() >= 0 and soft.max() <= 1 + 1e-6
    assert soft.max(axis=(1, 2)).mean() > 0.95 and 0.1 < np.mean((soft == images).all(axis=(1, 2))) < 0.4
    assert spoiled.shape == (len(kind), 28, 28) and spoiled.min() >= 0 and spoiled.max() <= 1 + 1e-6
    assert set(kind) == {0, 1, 2, 3} and 0.85 * len(images) < len(spoiled) < len(images)


def test_the_judge_does_not_care_where_in_the_image_a_digit_lies(judge, digits):
    images, labels = digits
    rng = np.random.default_rng(2)
    spoiled, _ = spoil(images, labels, rng)
    assert abs(judge(move(images, rng)).mean() - judge(images).mean()) < 0.05
    assert abs(judge(move(spoiled, rng)).mean() - judge(spoiled).mean()) < 0.05


def test_move_moves_by_at_most_two_pixels_and_keeps_the_digit_whole(digits):
    images, _ = digits
    images = images[images[:, 2:-2, 2:-2].sum(axis=(1, 2)) == images.sum(axis=(1, 2))]  # two empty pixels all around
    moved = move(images, np.random.default_rng(3))
    rows, columns = np.indices((28, 28))
    centre = lambda x: np.stack([(x * place).sum(axis=(1, 2)) / x.sum(axis=(1, 2)) for place in (rows, columns)])
    shift = centre(moved) - centre(images)
    np.testing.assert_allclose(shift, np.rint(shift), atol=1e-3)
    assert set(np.rint(shift).ravel().astype(int)) == {-2, -1, 0, 1, 2}
    np.testing.assert_allclose(np.sort(moved.reshape(len(images), -1)), np.sort(images.reshape(len(images), -1)))
