"""The metrics against scipy, against angles that are known, and PCA against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from scipy.stats import entropy
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mutual_info_score

from course_utils import data
from course_utils.metrics import beta_vae_score, completeness, continuity, dci, mig, mutual_information, principal_angles


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
        (PLANE, np.full((3, 1), np.nan), "B: there are NaN"),
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


# --- Continuity and completeness --------------------------------------------------------------------------------------

STARTS, ENDS = np.array([[-1.0, 0.0], [-1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, -1.0]])


def test_continuity_of_decoders_whose_value_is_known():
    matrix = np.random.default_rng(0).normal(size=(2, 9))
    np.testing.assert_allclose(continuity(lambda z: z @ matrix + 3, STARTS, ENDS), 1, rtol=1e-4)
    jump = lambda z: np.where(z[:, :1] > 0.37, 5.0, 1.0) * np.ones(9)
    np.testing.assert_allclose(continuity(jump, STARTS, ENDS, steps=40), 1 / 40)
    np.testing.assert_allclose(continuity(lambda z: np.ones((len(z), 9)), STARTS, ENDS), 1)
    flat_then_ramp = lambda z: np.maximum(0, z[:, :1]).reshape(-1, 1, 1)  # nothing on the first half of each line
    np.testing.assert_allclose(continuity(flat_then_ramp, STARTS, ENDS, steps=50), 0.5, rtol=1e-4)


def test_continuity_does_not_depend_on_the_scale_of_codes_or_images():
    decode = lambda z: np.tanh(3 * z @ np.array([[1.0, 2.0], [0.5, -1.0]]))
    value = continuity(decode, STARTS, ENDS)
    np.testing.assert_allclose(continuity(lambda z: 7 * decode(z / 100), 100 * STARTS, 100 * ENDS), value, rtol=1e-4)
    assert ((value > 1 / 50) & (value < 1)).all()


def test_continuity_refuses_what_does_not_belong_together():
    with pytest.raises(ValueError, match=r"\[2, 2\] and ends \[1, 2\]"):
        continuity(lambda z: z, STARTS, ENDS[:1])
    with pytest.raises(ValueError, match="steps at least 1"):
        continuity(lambda z: z, STARTS, ENDS, steps=0)


def test_a_decoder_that_makes_nan_gets_no_score():
    """A step from NaN to NaN is not larger than 0, so all steps would count as equal: continuity 1."""
    sometimes = lambda z: np.where(z[:, :1] > 0.9, np.nan, z)
    for decode in (lambda z: np.nan * z, sometimes, lambda z: z / 0.0 if z.any() else z):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="decoded images: there are NaN"):
            continuity(decode, STARTS, ENDS)
    with pytest.raises(ValueError, match="starts and ends: there are NaN"):
        continuity(lambda z: np.ones((2, 3)), STARTS * np.nan, ENDS)
    codes, anything = np.ones((5, 2)), lambda images: np.ones(5, bool)
    with pytest.raises(ValueError, match="decoded images: there are NaN"):
        completeness(lambda z: np.nan * z, codes, anything)
    with pytest.raises(ValueError, match="codes: there are NaN"):
        completeness(lambda z: np.ones_like(z), codes * np.nan, anything)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_score_of_codes_and_factors_takes_nan(value):
    codes, factors = AS_CODES.copy(), FACTORS.astype(float)
    codes[7, 1] = factors[7, 1] = value
    for score in (mutual_information, mig, dci):
        with pytest.raises(ValueError, match="NaN"):
            score(codes, FACTORS)
    with pytest.raises(ValueError, match="NaN"):
        dci(AS_CODES, factors)
    a, b, fixed = pairs(lambda v: v, groups=20)
    a[3, 2, 1] = value
    with pytest.raises(ValueError, match="NaN"):
        beta_vae_score(a, b, fixed)
    with pytest.raises(ValueError, match="whole numbers"):
        beta_vae_score(b, b, fixed + value)


def test_completeness_is_the_share_that_the_judge_accepts():
    codes = np.random.default_rng(0).uniform(-1, 1, (4000, 2))
    inside = lambda images: np.hypot(*images.T) < 1  # a disc in a square: π/4
    assert abs(completeness(lambda z: z, codes, inside) - np.pi / 4) < 0.02
    assert completeness(lambda z: 0 * z, codes, inside) == 1 and completeness(lambda z: z + 5, codes, inside) == 0
    with pytest.raises(ValueError, match=r"bool \[4000\], but it returned float64"):
        completeness(lambda z: z, codes, lambda images: images[:, 0])


# --- Codes against known factors --------------------------------------------------------------------------------------

LEVELS = np.array([5, 4, 3])
FACTORS = np.random.default_rng(1).integers(0, LEVELS, (6000, 3))
AS_CODES = FACTORS / (LEVELS - 1.0)
STANDARD = (AS_CODES - AS_CODES.mean(0)) / AS_CODES.std(0)
ROTATION = np.linalg.qr(np.array([[1.0, 1, 1], [1, -1, 0.2], [0.3, 1, -1]]))[0]


def test_the_factors_themselves_are_perfect_codes():
    shuffled_and_turned = AS_CODES[:, [2, 0, 1]] * [3.0, -1.0, 0.2]
    for codes in (AS_CODES, shuffled_and_turned):
        assert mig(codes, FACTORS) > 0.99
        np.testing.assert_allclose(dci(codes, FACTORS), 1, atol=0.03)
    np.testing.assert_allclose(mutual_information(AS_CODES, FACTORS).diagonal(), np.log(LEVELS), atol=0.01)


def test_zeros_are_worth_nothing():
    assert mig(np.zeros((6000, 3)), FACTORS) == 0
    assert dci(np.zeros((6000, 3)), FACTORS)[:2] == (0, 0) and dci(np.zeros((6000, 3)), FACTORS)[2] < 0.001


def test_a_rotation_mixes_the_factors_but_loses_nothing():
    codes = STANDARD @ ROTATION
    d, c, i = dci(codes, FACTORS)
    assert mig(codes, FACTORS) < 0.4 and d < 0.5 and c < 0.5 and i > 0.999
    equal = STANDARD[:, :2] @ np.array([[1, 1], [1, -1]]) / np.sqrt(2)  # by 45 degrees: each number serves both alike
    np.testing.assert_allclose(dci(equal, FACTORS[:, :2]), [0, 0, 1], atol=0.01)


def test_a_duplicated_code_has_no_gap_but_stays_disentangled():
    codes = np.repeat(AS_CODES, 2, axis=1)
    assert mig(codes, FACTORS) == 0
    d, c, i = dci(codes, FACTORS)
    np.testing.assert_allclose([d, c, i], [1, 1 - np.log(2) / np.log(6), 1], atol=0.03)


@pytest.mark.parametrize("noise, least", [(1e-3, 0.98), (1e-2, 0.98), (0.1, 0.83)])
def test_dci_does_not_mind_copies_that_are_not_exact(noise, least):
    """Least squares without a penalty gives D 0.76 to 0.80 for such codes of six factors, however small the noise."""
    rng = np.random.default_rng(6)
    factors = rng.integers(0, (9, 9, 9, 5, 2, 9), (4000, 6))
    v = (factors - factors.mean(0)) / factors.std(0)
    d, c, i = dci(np.hstack([v + noise * rng.normal(size=v.shape) for _ in range(2)]), factors)
    assert d > least and i > 0.99
    assert abs(c - d * (1 - np.log(2) / np.log(12))) < 0.02


def test_mutual_information_and_mig_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    codes = STANDARD @ rng.normal(size=(3, 4)) + rng.normal(size=(6000, 4))
    cut = [np.digitize(code, np.histogram(code, 20)[1][1:-1]) for code in codes.T]
    table = np.array([[mutual_info_score(factor, code) for factor in FACTORS.T] for code in cut])
    np.testing.assert_allclose(mutual_information(codes, FACTORS), table, atol=1e-9)
    entropies = [entropy(np.bincount(factor)) for factor in FACTORS.T]
    ordered = np.sort(table, axis=0)[::-1]
    np.testing.assert_allclose(mig(codes, FACTORS), np.mean((ordered[0] - ordered[1]) / entropies), atol=1e-9)


def test_dci_is_that_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(3)
    codes = STANDARD @ rng.normal(size=(3, 4)) + rng.normal(size=(6000, 4))
    train, test = slice(0, 3000), slice(3000, None)
    z = (codes - codes[train].mean(0)) / codes[train].std(0)
    v = (FACTORS - FACTORS[train].mean(0)) / FACTORS[train].std(0)
    model = Ridge(alpha=0.01 * 3000).fit(z[train], v[train])
    R = np.abs(model.coef_).T
    d = np.average(1 - entropy(R, base=3, axis=1), weights=R.sum(axis=1))
    c = np.average(1 - entropy(R, base=4, axis=0), weights=R.sum(axis=0))
    i = np.mean([Ridge(alpha=0.01 * 3000).fit(z[train], v[train, j]).score(z[test], v[test, j]) for j in range(3)])
    np.testing.assert_allclose(dci(codes, FACTORS), [d, c, i], atol=1e-3)


def pairs(codes_of, groups=400, size=20, seed=0):
    """Codes of pairs that agree in one factor, as `beta_vae_score` wants them."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, LEVELS, (2, groups, size, 3))
    fixed = rng.integers(0, 3, groups)
    for group, factor in enumerate(fixed):
        b[group, :, factor] = a[group, :, factor]
    return codes_of(a / (LEVELS - 1)), codes_of(b / (LEVELS - 1)), fixed


def test_beta_vae_score_of_codes_whose_score_is_known():
    assert beta_vae_score(*pairs(lambda v: v)) > 0.99
    assert beta_vae_score(*pairs(lambda v: np.repeat(v, 2, axis=-1))) > 0.99
    assert abs(beta_vae_score(*pairs(lambda v: 0 * v)) - 1 / 3) < 0.1
    noise = np.random.default_rng(5)
    assert abs(beta_vae_score(*pairs(lambda v: noise.normal(size=v.shape))) - 1 / 3) < 0.1


def test_beta_vae_score_is_that_of_a_logistic_regression():
    mixed = lambda v: v @ ROTATION + 0.3 * np.sin(9 * v)
    a, b, fixed = pairs(mixed, size=4)
    points = np.abs(a - b).mean(axis=1)
    points = (points - points[:200].mean(0)) / points[:200].std(0)
    reference = LogisticRegression(C=5.0, max_iter=1000).fit(points[:200], fixed[:200]).score(points[200:], fixed[200:])
    assert 0.5 < reference < 1 and abs(beta_vae_score(a, b, fixed) - reference) < 0.02


def test_metrics_refuse_what_does_not_belong_together():
    with pytest.raises(ValueError, match=r"must be \[n, d\] and \[n, k\]"):
        mig(AS_CODES[:5], FACTORS)
    with pytest.raises(ValueError, match="whole numbers"):
        mig(AS_CODES, AS_CODES)
    with pytest.raises(ValueError, match="at least two code numbers"):
        mig(AS_CODES[:, :1], FACTORS)
    with pytest.raises(ValueError, match="factor 1 never changes"):
        mig(AS_CODES, FACTORS * [1, 0, 1])
    with pytest.raises(ValueError, match="two factors"):
        dci(AS_CODES, FACTORS[:, :1])
    with pytest.raises(ValueError, match="factor 2 never changes"):
        dci(AS_CODES, FACTORS * [1, 1, 0])
    with pytest.raises(ValueError, match=r"\[groups, pairs, d\]"):
        beta_vae_score(AS_CODES, AS_CODES, FACTORS[:, 0])
