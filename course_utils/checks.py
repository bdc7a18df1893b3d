"""Instant feedback: `check` for the reader's answers, `within` for the numbers that a lesson promises."""

import inspect
import math

import jax.numpy as jnp
import numpy as np


def check(what, answer, expected, mistakes={}, tolerance=1e-4):
    """Say at once whether an answer is right; print one line, return nothing, never raise for a wrong answer.

    what       a few words that name the task
    answer     the reader's value: a number, an array, a text or a bool. Or a function of no arguments that computes
               it, such as `lambda: my_mse(x, x_hat)`; an error inside becomes a hint.
    expected   the truth: a value, compared with relative and absolute `tolerance` (numbers; with that of the
               answer's type where it is coarser, such as bfloat16) or exactly (texts).
               Or a function: `expected(answer)` returns True, or a text that says what is wrong.
    mistakes   {hint: wrong value}: the hint is shown when the answer equals that well-known mistake

    `...` in the answer's place means that the task was not tried yet.
    """
    if inspect.isfunction(answer):
        try:
            answer = answer()
        except Exception as error:
            if isinstance(error, (TypeError, AttributeError)) and "'ellipsis'" in str(error).lower():
                return print(f"◯ {what}: not tried yet")  # something was computed with a `...` that is still there
            return print(f"✗ {what}: {type(error).__name__}: {error}")
    if _is_open(answer):
        return print(f"◯ {what}: not tried yet")
    try:
        hint = _hint(answer, expected, mistakes, tolerance)
    except Exception as error:
        hint = f"this answer cannot be compared ({type(error).__name__}: {error})"
    print(f"✓ {what}" if hint is None else f"✗ {what}: {hint}")


def _is_open(answer):
    """True if the answer is `...`, or a list, tuple, dict or array that holds one."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, np.ndarray) and answer.dtype == object:
        answer = list(answer.flat)
    return answer is ... or isinstance(answer, (tuple, list)) and any(map(_is_open, answer))


def _hint(answer, expected, mistakes, tolerance):
    """None if the answer is right, else a sentence about the most likely mistake."""
    if callable(expected):
        verdict = expected(answer)
        if not isinstance(verdict, str):
            verdict = "" if verdict is None or bool(verdict) else "not yet"  # True may be NumPy's or JAX's
        return verdict or None
    if isinstance(expected, str):
        if not isinstance(answer, str):
            return f"the answer is a text, yours is {type(answer).__name__}"
        same = lambda a, b: a.strip().lower() == b.strip().lower()
    else:
        answer, expected = np.asarray(answer), np.asarray(expected)
        if jnp.issubdtype(answer.dtype, jnp.floating):
            tolerance = max(tolerance, float(jnp.finfo(answer.dtype).eps))
            answer = answer if answer.dtype.kind == "f" else answer.astype(np.float32)  # bfloat16
        if answer.dtype.kind not in "biuf":
            return "the answer is a number or an array of numbers"
        same = lambda a, b: a.shape == np.shape(b) and np.allclose(a, b, rtol=tolerance, atol=tolerance)
    if same(answer, expected):
        return None
    for hint, wrong in mistakes.items():
        if same(answer, wrong):
            return hint
    return "not that one; look again" if isinstance(expected, str) else _numeric_hint(answer, expected, same)


def _numeric_hint(answer, expected, same):
    if answer.shape != expected.shape:
        return f"the shape is {list(answer.shape)}, it should be {list(expected.shape)}"
    if not np.isfinite(answer).all():
        return "the answer holds NaN or infinity"
    if expected.dtype == bool:
        return "the other way round" if expected.ndim == 0 else "some entries are wrong"
    if same(-answer, expected):
        return "right size, wrong sign"
    if np.linalg.norm(answer) > 0:
        factor = np.vdot(answer, expected) / np.vdot(answer, answer)
        if same(factor * answer, expected) and answer.ndim > 0:
            return f"right direction, but every entry must be multiplied by {factor:.4g}"
        if math.isclose(factor, 2, rel_tol=1e-4) or math.isclose(factor, 0.5, rel_tol=1e-4):
            return f"yours is {'twice' if factor < 1 else 'half'} what it should be"
    return "not yet"


def within(value, low, high, what, source=None):
    """Assert that a number the lesson promises lies in [low, high], and print a line that says so.

    value   one number. A line like `✓ test error: 13.87 (expected 13.86 to 13.88; scikit-learn)` is printed.
    source  where the bounds come from: a reference, or how they were measured

    Raises AssertionError if the value lies outside or is NaN, ValueError if low > high.
    """
    if low > high:
        raise ValueError(f"low = {low} is above high = {high}")
    value = float(value)
    expected = f"expected {low:.6g} to {high:.6g}" + (f"; {source}" if source else "")
    if not low <= value <= high:
        raise AssertionError(f"✗ {what}: {value:.4g} ({expected})")
    print(f"✓ {what}: {value:.4g} ({expected})")
