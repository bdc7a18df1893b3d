"""The drawn faces: every factor changes its own part of the picture, and nothing else."""

import numpy as np
import pytest

from course_utils import data
from course_utils.faces import FACTORS, LEVELS, draw

BASE = np.array([0.6, 0.3, 0.5, 0.5, 0.0, 0.3])
Y, X = np.mgrid[:32, :32]

# Where a factor may change pixels: rows and columns, as (top, bottom, left, right).
PLACES = {
    "smile": (20, 26, 11, 21),
    "skin tone": (10, 32, 5, 27),
    "hair length": (16, 29, 5, 27),
    "beard": (17, 28, 7, 25),
    "glasses": (12, 19, 7, 25),
    "hair colour": (3, 28, 5, 27),
}


def steps(factor, n=9):
    """Faces in which only this factor moves from 0 to 1."""
    factors = np.tile(BASE, (n, 1))
    factors[:, FACTORS.index(factor)] = np.linspace(0, 1, n)
    return draw(factors).astype(int)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_factor_changes_its_own_part_and_nothing_else(factor):
    changed = np.abs(np.diff(steps(factor), axis=0)).sum(axis=-1)  # [steps, 32, 32]
    top, bottom, left, right = PLACES[factor]
    allowed = (Y >= top) & (Y < bottom) & (X >= left) & (X < right)
    assert changed[:, ~allowed].max(initial=0) == 0
    assert (changed.sum(axis=(1, 2)) > 30).all()  # each step can be seen


def test_skin_and_hair_colour_leave_what_is_neither_alone():
    wall, shirt = np.s_[:, 1, 1], np.s_[:, 31, 10]
    for factor in ("skin tone", "hair colour"):
        images = steps(factor)
        assert np.ptp(images[wall], axis=0).max() == 0 and np.ptp(images[shirt], axis=0).max() == 0
    assert np.ptp(steps("hair colour")[:, 18, 16], axis=0).max() == 0  # a cheek
    assert np.ptp(steps("skin tone")[:, 3, 16], axis=0).max() == 0  # hair


def test_faces_are_symmetric():
    images = draw(np.random.default_rng(0).uniform(size=(20, 6)))
    np.testing.assert_array_equal(images, images[:, :, ::-1])


def test_faces_have_documented_shapes_and_are_reproducible():
    faces = data.faces(1500, seed=3)
    assert faces.images.shape == (1500, 32, 32, 3) and faces.images.dtype == np.uint8
    assert faces.factors.shape == (1500, 6) and faces.factors.dtype == np.int32
    assert faces.names == FACTORS and faces.levels == LEVELS
    assert (faces.factors.min(axis=0) == 0).all() and (faces.factors.max(axis=0) == np.array(LEVELS) - 1).all()
    np.testing.assert_array_equal(faces.images, data.faces(1500, seed=3).images)
    assert (faces.factors != data.faces(1500, seed=4).factors).any()


def test_factors_are_independent_and_uniform():
    factors = data.faces(4000, seed=1).factors
    for level, column in zip(LEVELS, factors.T):
        np.testing.assert_allclose(np.bincount(column) / 4000, 1 / level, atol=0.03)
    correlation = np.corrcoef(factors.T) - np.eye(6)
    assert np.abs(correlation).max() < 0.06


def test_all_pictures_of_different_factors_differ():
    factors = np.unique(np.random.default_rng(2).integers(0, LEVELS, (3000, 6)), axis=0)
    images = draw(factors / (np.array(LEVELS) - 1)).reshape(len(factors), -1)
    assert len(np.unique(images, axis=0)) == len(factors)


@pytest.mark.parametrize("factors, message", [
    (np.zeros(6), r"must be \[n, 6\]"), (np.zeros((2, 5)), r"must be \[n, 6\]"),
    (np.full((1, 6), 1.2), "between 0 and 1"), (np.full((1, 6), np.nan), "between 0 and 1"),
])  # fmt: skip
def test_wrong_factors_are_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        draw(factors)


def test_no_faces():
    assert draw(np.zeros((0, 6))).shape == (0, 32, 32, 3)
    with pytest.raises(ValueError, match="at least 1"):
        data.faces(0)
