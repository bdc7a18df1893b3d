"""Numbers that say how well a code does what it should. Each is derived in the lesson that introduces it."""

import numpy as np


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
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} holds NaN or infinite values")
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise ValueError(f"the {matrix.shape[1]} columns of {name} are linearly dependent")
    return np.linalg.qr(matrix)[0]
