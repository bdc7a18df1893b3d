"""The drawn faces: every factor changes its own part of the picture, and nothing else."""

import hashlib

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


# The same for the pose. A turn moves all that lies on the front of the head, a gaze moves the irises.
POSES = {"turn": (3, 28, 6, 26), "gaze": (14, 17, 10, 22)}


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("glasses", [0.0, 1.0])
def test_pose_changes_its_own_part_and_nothing_else(pose, glasses):
    factors = np.tile(BASE, (9, 1))
    factors[:, FACTORS.index("glasses")] = glasses
    images = draw(factors, **{pose: np.linspace(-1, 1, 9)}).astype(int)
    changed = np.abs(np.diff(images, axis=0)).sum(axis=-1)
    top, bottom, left, right = POSES[pose]
    allowed = (Y >= top) & (Y < bottom) & (X >= left) & (X < right)
    assert changed[:, ~allowed].max(initial=0) == 0
    assert (changed.sum(axis=(1, 2)) > 30).all()
    np.testing.assert_array_equal(images, images[::-1, :, ::-1])  # to the left is the mirror image of to the right


def test_a_turn_moves_the_face_to_its_side():
    face = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], (3, 1))
    dark = 255 - draw(face, turn=[-1, 0, 1])[:, 14:16, 8:24].astype(float).mean(axis=(1, 3))  # the eyes' rows
    left, middle, right = (dark * np.arange(16)).sum(axis=1) / dark.sum(axis=1)
    assert left < middle < right


def test_a_face_that_looks_straight_ahead_has_the_bytes_it_had_without_poses():
    factors = np.random.default_rng(0).uniform(size=(500, 6))
    images = draw(factors)
    assert hashlib.sha256(images.tobytes()).hexdigest()[:32] == "ee84dd8a9cccc984103c9d0caec9852b"
    np.testing.assert_array_equal(images, draw(factors, turn=np.zeros(500), gaze=0))
    turned = draw(factors, turn=np.r_[1.0, np.zeros(499)], gaze=np.r_[1.0, np.zeros(499)])  # one may not disturb others
    np.testing.assert_array_equal(images[1:], turned[1:])
    assert (images[0] != turned[0]).any()


def test_one_pose_for_all_faces_is_the_same_as_one_for_each():
    factors = np.random.default_rng(1).uniform(size=(20, 6))
    np.testing.assert_array_equal(draw(factors, turn=0.5, gaze=-1), draw(factors, np.full(20, 0.5), np.full(20, -1)))


@pytest.mark.parametrize("pose, message", [
    ({"turn": 1.1}, "between -1 and 1"), ({"gaze": np.nan}, "between -1 and 1"),
    ({"turn": [0, 0, 0]}, r"number or \[2\]"),
])  # fmt: skip
def test_wrong_poses_are_refused(pose, message):
    with pytest.raises(ValueError, match=message):
        draw(np.zeros((2, 6)), **pose)


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
