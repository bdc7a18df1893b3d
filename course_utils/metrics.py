"""Numbers that say how well a code does what it should. Each is derived in the lesson that introduces it."""

import numpy as np
from scipy.optimize import minimize


def principal_angles(A, B):
    """The angles between two subspaces, in radians, largest first: all zero where the smaller lies in the larger.

    A, B: float [D, p] and [D, q], one spanning direction a column; neither need be orthogonal nor of length 1. The
    encoder of a linear layer is such a matrix; of a decoder [k, D] take the transpose. Returns float64 [min(p, q)],
    between 0 and π/2.

    With orthonormal bases the singular values of AᵀB are the cosines of the angles: how much of a direction of the
    one survives the projection onto the other. Those of B − A AᵀB are the sines: how much is lost. Both are used,
    because arccos is inexact for small angles. Lesson 03; Björck and Golub 1973; as `scipy.linalg.subspace_angles`.

    Raises ValueError if a shape does not fit, a number is not finite, or columns are linearly dependent (then they
    span less than they seem to).
    """
    A, B = _orthonormal("A", A), _orthonormal("B", B)
    if len(A) != len(B):
        raise ValueError(f"A has directions of {len(A)} numbers, but B of {len(B)}")
    if A.shape[1] < B.shape[1]:
        A, B = B, A
    overlap = A.T @ B
    cosines = np.linalg.svd(overlap, compute_uv=False)  # largest first
    sines = np.linalg.svd(B - A @ overlap, compute_uv=False)
    return np.arctan2(sines, cosines[::-1])


def _orthonormal(name, matrix):
    """A basis of the same subspace whose columns have length 1 and stand at right angles: float64 [D, k]."""
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or not 1 <= matrix.shape[1] <= matrix.shape[0]:
        raise ValueError(f"{name} must be [D, k] with 1 ≤ k ≤ D, one direction a column; its shape is {list(matrix.shape)}")
    _check_finite(name, matrix)
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise ValueError(f"the {matrix.shape[1]} columns of {name} are linearly dependent")
    return np.linalg.qr(matrix)[0]


def _check_finite(what, *arrays):
    """NaN compares as false with everything, so that it would pass for a good score, or for a bad one."""
    if not all(np.isfinite(np.asarray(array, np.float64)).all() for array in arrays):
        raise ValueError(f"{what}: there are NaN or infinite values")


# --- Latent spaces (lesson 08) --------------------------------------------------------------------------------------


def continuity(decode, starts, ends, steps=50):
    """How evenly the image changes on straight lines between codes: float64 [n], one number per line, 0 to 1.

    Each line is walked in `steps` equal steps; a step's change is the Euclidean distance between the decoded images
    before and after it. The score is the mean change divided by the largest: 1 if all steps change the image equally
    (or none does), 1/steps if a single jump makes all the change. It says nothing about *what* is decoded on the way.

    decode: codes [m, d] → images [m, ...]; starts, ends: float [n, d]. Lesson 08.
    Raises ValueError if the shapes differ, steps < 1, or a code or an image is not finite.
    """
    starts, ends = np.asarray(starts, np.float32), np.asarray(ends, np.float32)
    if starts.shape != ends.shape or starts.ndim != 2 or steps < 1:
        shapes = f"starts {list(starts.shape)} and ends {list(ends.shape)}"
        raise ValueError(f"{shapes} must both be [n, d], and steps at least 1")
    _check_finite("starts and ends", starts, ends)
    changes, before = [], None
    for share in np.linspace(0, 1, steps + 1, dtype=np.float32):
        image = np.asarray(decode((1 - share) * starts + share * ends), np.float64).reshape(len(starts), -1)
        _check_finite("the decoded images", image)
        if before is not None:
            changes.append(np.linalg.norm(image - before, axis=1))
        before = image
    largest = np.max(changes, axis=0)
    return np.where(largest > 0, np.mean(changes, axis=0) / np.where(largest > 0, largest, 1), 1.0)


def completeness(decode, codes, judge):
    """The share of the codes whose decoding a judge accepts, 0 to 1.

    decode: codes [n, d] → images [n, ...]; codes: float [n, d], drawn where the decoder is to be tried; judge:
    images → bool [n], such as `course_utils.judge.digit_judge()`. The number is only as good as the judge, and it
    does not see whether all decoded images are the same. Lesson 08. Raises ValueError if the judge returns no bool [n],
    or a code or an image is not finite.
    """
    images = decode(codes)
    _check_finite("the codes", codes)
    _check_finite("the decoded images", images)
    verdicts = np.asarray(judge(images))
    if verdicts.dtype != bool or verdicts.shape != (len(codes),):
        returned = f"{verdicts.dtype} {list(verdicts.shape)}"
        raise ValueError(f"the judge must return bool [{len(codes)}], but it returned {returned}")
    return float(verdicts.mean())


# --- Codes against known factors (lesson 12) ------------------------------------------------------------------------


def mutual_information(codes, factors, bins=20):
    """I(code; factor) in nats, estimated by counting: float64 [d, k].

    codes: float [n, d], each cut into `bins` equally wide bins between its smallest and largest value; factors: int
    [n, k]. With n examples the estimate is too high by about (bins − 1)(levels − 1)/2n.
    Cover & Thomas 2006, eq. 2.28.
    """
    codes, factors = _codes_and_factors(codes, factors)
    information = np.zeros((codes.shape[1], factors.shape[1]))
    for i, code in enumerate(codes.T):
        binned = np.digitize(code, np.histogram_bin_edges(code, bins)[1:-1])
        for j, factor in enumerate(factors.T):
            joint = np.zeros((bins, factor.max() + 1))
            np.add.at(joint, (binned, factor), 1 / len(codes))
            independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
            seen = joint > 0
            information[i, j] = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))
    return information


def mig(codes, factors, bins=20):
    """Mutual information gap: does one code number know more about a factor than every other? 0 to 1.

    For each factor: (the largest mutual information with a code number − the second largest) / the factor's entropy;
    then the mean over the factors. codes: float [n, d], d ≥ 2, draws of q(z|x) rather than its means (lesson 12 shows
    why); factors: int [n, k]. Chen et al. 2018, section 4.1, with the binned estimate of Locatello et al. 2019
    (20 equal bins). Raises ValueError for bad shapes or a factor that never changes.
    """
    information = mutual_information(codes, factors, bins)
    if len(information) < 2:
        raise ValueError("a gap needs at least two code numbers")
    shares = [np.bincount(factor) / len(factor) for factor in np.asarray(factors).T]
    entropy = np.array([-np.sum(share[share > 0] * np.log(share[share > 0])) for share in shares])
    if (entropy == 0).any():
        raise ValueError(f"factor {int(np.argmin(entropy))} never changes")
    second, first = np.sort(information, axis=0)[-2:]
    return float(np.mean((first - second) / entropy))


def dci(codes, factors):
    """Disentanglement, completeness, informativeness: three numbers from 0 to 1.

    Each factor is predicted from all code numbers by linear least squares, both standardised, with a small penalty
    0.01 Σ W² beside the mean squared error (ridge regression). The importance R[i, j] of code number i for factor j
    is the absolute coefficient. D: each code number serves one factor (1 − entropy of
    its row of R). C: each factor sits in one code number (1 − entropy of its column); both are averages weighted by
    importance. I: the mean R² of the predictions on the second half of the examples, at least 0; the first half
    fits them. codes: float [n, d], d ≥ 2; factors: int or float [n, k], k ≥ 2.

    Without the penalty the coefficients of two nearly equal code numbers would be large and arbitrary: what tells
    them apart is noise, and a factor that follows this noise by chance gets a share. With it, two copies of six
    factors, each with its own noise of 1 %, have D 0.99 (without: 0.73 to 0.80), with 10 % noise 0.85 to 0.88.

    Eastwood & Williams 2018, with linear predictors in place of lasso and forests: what is not linear is not seen.
    Raises ValueError for bad shapes, NaN, or a factor that never changes.
    """
    codes, factors = _codes_and_factors(codes, factors, whole=False)
    if codes.shape[1] < 2 or factors.shape[1] < 2:
        raise ValueError("dci needs at least two code numbers and two factors")
    half = len(codes) // 2
    for part in (factors[:half], factors[half:]):
        if (part.std(axis=0) == 0).any():
            raise ValueError(f"factor {int(np.argmin(part.std(axis=0)))} never changes in one half of the examples")
    code_mean, code_scale = codes[:half].mean(axis=0), codes[:half].std(axis=0)
    z = (codes - code_mean) / np.where(code_scale > 1e-9, code_scale, np.inf)  # what never changes counts nothing
    v = (factors - factors[:half].mean(axis=0)) / factors[:half].std(axis=0)
    penalty = 0.01 * np.eye(z.shape[1])
    coefficients = np.linalg.solve(z[:half].T @ z[:half] / half + penalty, z[:half].T @ v[:half] / half)
    errors = np.mean((v[half:] - z[half:] @ coefficients) ** 2, axis=0) / v[half:].var(axis=0)
    R = np.abs(coefficients)
    return _concentration(R), _concentration(R.T), float(np.mean(np.maximum(0, 1 - errors)))


def _concentration(R):
    """1 − normalised entropy of the rows of R, averaged with weights Σ_j R[i, j]; 0 if R is all zero."""
    total = R.sum(axis=1)
    if total.sum() == 0:
        return 0.0
    p = R / np.where(total > 0, total, 1)[:, None]
    entropy = -np.sum(p * np.log(np.where(p > 0, p, 1)), axis=1) / np.log(R.shape[1])
    return float(np.sum((1 - entropy) * total) / total.sum())


def beta_vae_score(codes_a, codes_b, fixed):
    """Can a linear classifier tell from differences of codes which factor a group of pairs has in common? 0 to 1.

    codes_a, codes_b: float [groups, pairs, d], the codes of two images each; in group g the two images of every pair
    agree in factor fixed[g] and differ at random in the others. fixed: int [groups]. A group becomes one point, the
    mean of |a − b| over its pairs; the first half of the groups fits a multinomial logistic regression, the score
    is its accuracy on the second half. Guessing gives 1 / number of factors. Higgins et al. 2017, section 3.
    Raises ValueError for bad shapes or NaN.
    """
    codes_a, codes_b, fixed = np.asarray(codes_a, np.float64), np.asarray(codes_b, np.float64), np.asarray(fixed)
    if codes_a.shape != codes_b.shape or codes_a.ndim != 3 or fixed.shape != codes_a.shape[:1]:
        shapes = f"{list(codes_a.shape)}, {list(codes_b.shape)} and {list(fixed.shape)}"
        raise ValueError(f"need codes [groups, pairs, d] twice and fixed [groups], but the shapes are {shapes}")
    _check_finite("codes", codes_a, codes_b)
    if fixed.dtype.kind not in "iu" or fixed.min() < 0:
        raise ValueError(f"fixed must hold whole numbers from 0 up, not {fixed.dtype}")
    points, half = np.abs(codes_a - codes_b).mean(axis=1), len(fixed) // 2
    scale = points[:half].std(axis=0)
    points = (points - points[:half].mean(axis=0)) / np.where(scale > 1e-9, scale, np.inf)
    points = np.column_stack([points, np.ones(len(points))])
    n_factors, target = fixed.max() + 1, np.eye(fixed.max() + 1)[fixed[:half]]

    def loss_and_gradient(flat):
        W = flat.reshape(-1, n_factors)
        logits = points[:half] @ W
        log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        gradient = points[:half].T @ (np.exp(log_p) - target) / half + 1e-3 * W
        return -np.sum(target * log_p) / half + 0.5e-3 * np.sum(W**2), gradient.ravel()

    W = minimize(loss_and_gradient, np.zeros(points.shape[1] * n_factors), jac=True, method="L-BFGS-B").x
    guesses = np.argmax(points[half:] @ W.reshape(-1, n_factors), axis=1)
    return float(np.mean(guesses == fixed[half:]))


def _codes_and_factors(codes, factors, whole=True):
    codes, factors = np.asarray(codes, np.float64), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or len(codes) < 2:
        raise ValueError(f"codes {list(codes.shape)} and factors {list(factors.shape)} must be [n, d] and [n, k]")
    _check_finite("codes and factors", codes, factors)
    if whole and (factors.dtype.kind not in "iu" or factors.min() < 0):
        raise ValueError(f"factors must be whole numbers from 0 up, not {factors.dtype}")
    return codes, factors
