"""The metrics against scipy, against angles that are known, and PCA against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from course_utils import data
from course_utils.metrics import principal_angles


def at_angle(theta):
    """A direction in three dimensions that stands at `theta` to the plane of the first two axes."""
    return np.array([[np.cos(theta)], [0], [np.sin(theta)]])


PLANE = np.eye(3)[:, :2]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_principal_angles_are_those_of_scipy(extra, p, q, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(max(p, q) + extra, p)), rng.normal(size=(max(p, q) + extra, q))
    angles = principal_angles(A, B)
    assert angles.shape == (min(p, q),) and angles.dtype == np.float64
    np.testing.assert_allclose(angles, subspace_angles(A, B), atol=1e-7)
    np.testing.assert_allclose(angles, principal_angles(B, A), atol=1e-7)
    assert (np.diff(angles) <= 0).all() and (angles >= 0).all() and (angles <= np.pi / 2).all()


@pytest.mark.parametrize("theta", [0, 1e-12, 1e-6, 0.01, 0.5, np.pi / 4, 1.5, np.pi / 2])
def test_principal_angles_of_a_known_angle(theta):
    np.testing.assert_allclose(principal_angles(PLANE, at_angle(theta)), [theta], rtol=1e-9, atol=1e-15)


def test_principal_angles_of_two_planes_with_a_common_line():
    tilted = np.column_stack([np.eye(3)[1], at_angle(0.3)])
    np.testing.assert_allclose(principal_angles(PLANE, tilted), [0.3, 0], atol=1e-12)


def test_principal_angles_belong_to_the_subspace_and_not_to_its_basis():
    rng = np.random.default_rng(0)
    A, B, mix = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.normal(size=(3, 3))
    np.testing.assert_allclose(principal_angles(A, A @ mix), 0, atol=1e-12)
    np.testing.assert_allclose(principal_angles(A @ mix, 1e-3 * B), principal_angles(A, B), atol=1e-10)


def test_principal_angles_take_the_numbers_of_a_network():
    A = np.random.default_rng(0).normal(size=(784, 30)).astype(np.float32)
    assert principal_angles(A, A)[0] < 1e-7


@pytest.mark.parametrize(
    "A, B, message",
    [
        (PLANE, np.eye(4)[:, :2], "3 numbers, but B of 4"),
        (PLANE[:, 0], PLANE, r"A must be \[D, k\]"),
        (PLANE, PLANE.T, r"B must be \[D, k\] with 1 ≤ k ≤ D.*\[2, 3\]"),
        (PLANE, np.zeros((3, 0)), r"B must be \[D, k\]"),
        (PLANE, np.full((3, 1), np.nan), "B holds NaN"),
        (np.ones((3, 2)), PLANE, "2 columns of A are linearly dependent"),
    ],
)
def test_principal_angles_refuse_what_spans_no_subspace(A, B, message):
    with pytest.raises(ValueError, match=message):
        principal_angles(A, B)


def test_pca_of_lesson_03_is_that_of_scikit_learn_and_of_2006():
    """30 numbers per image leave 13.87 of squared error on the MNIST test set (Hinton & Salakhutdinov 2006)."""
    mnist = data.mnist()
    x_train, x_test = mnist.x_train.reshape(-1, 784) / 255, mnist.x_test.reshape(-1, 784) / 255
    pca = PCA(30, svd_solver="covariance_eigh").fit(x_train)
    by_sklearn = ((x_test - pca.inverse_transform(pca.transform(x_test))) ** 2).sum(axis=1).mean()

    mean = x_train.mean(axis=0)
    eigenvalues, eigenvectors = np.linalg.eigh((x_train - mean).T @ (x_train - mean) / len(x_train))
    eigenvalues, directions = eigenvalues[::-1], eigenvectors[:, ::-1][:, :30]
    ours = ((x_test - mean - (x_test - mean) @ directions @ directions.T) ** 2).sum(axis=1).mean()
    lost_in_training = ((x_train - mean - (x_train - mean) @ directions @ directions.T) ** 2).sum(axis=1).mean()

    assert by_sklearn == pytest.approx(13.87, abs=0.01)
    assert ours == pytest.approx(by_sklearn, rel=1e-9)
    assert lost_in_training == pytest.approx(eigenvalues[30:].sum(), rel=1e-9)
    assert principal_angles(directions, pca.components_.T)[0] < 1e-6
    # scikit-learn divides by n − 1, the course by n
    np.testing.assert_allclose(pca.explained_variance_ * (len(x_train) - 1) / len(x_train), eigenvalues[:30], rtol=1e-9)
