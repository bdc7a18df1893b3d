"""`check` never raises for an answer and names the likely mistake; `within` fails where it should."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks import check, within


@pytest.fixture
def said(capsys):
    def run(*arguments, **options):
        assert check(*arguments, **options) is None
        return capsys.readouterr().out.rstrip("\n")

    return run


class Callable:  # an answer that can be called, such as a network, is looked at, not called
    def __call__(self):
        raise RuntimeError


def unfinished():
    return 2 * ...


@pytest.mark.parametrize(
    "answer",
    [
        ..., (1.0, ...), [...], lambda: ..., unfinished, lambda: jnp.sum(...), lambda: jnp.asarray(...), lambda: (...).shape,
        [[1.0, 2.0], [3.0, ...]], ([1, (2, ...)],), {"W": ...}, np.array([1.0, ...]), lambda: [[...]],
    ],
)  # fmt: skip
def test_not_tried_yet(said, answer):
    assert said("the mean", answer, 1.0) == "◯ the mean: not tried yet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: np.einsum("......", np.ones(3)),  # too many ellipses
        lambda: np.ones(3)[..., ...],
        lambda: {}["ellipsis"],
    ],
)
def test_an_error_that_speaks_of_an_ellipsis_is_shown(said, answer):
    assert said("task", answer, 1.0).startswith("✗ task: ")


def test_the_last_place_of_bfloat16_and_float16_does_not_count(said):
    third = np.array([1 / 3, 2 / 3, 100 / 3])
    for dtype in (jnp.bfloat16, jnp.float16):
        assert said("task", jnp.asarray(third, dtype), third) == "✓ task"
        assert said("task", jnp.asarray(1.05 * third, dtype), third).startswith("✗")
        assert "NaN" in said("task", jnp.asarray([np.nan] * 3, dtype), third)
    assert "shape" in said("task", jnp.ones(2, jnp.bfloat16), third)


@pytest.mark.parametrize("true, false", [(np.True_, np.False_), (jnp.array(True), jnp.array(False)), (True, False), (1, 0)])
def test_the_verdict_of_a_predicate_may_be_of_any_kind(said, true, false):
    assert said("task", 5, lambda answer: true) == "✓ task"
    assert said("task", 5, lambda answer: false) == "✗ task: not yet"


@pytest.mark.parametrize(
    "answer, expected",
    [
        (1.0, 1.0),
        (1.00001, 1.0),
        (jnp.array([1.0, 2.0]), np.array([1, 2])),
        ([1, 2], [1.0, 2.0]),
        (lambda: 3, 3),
        (True, True),
        (" Yes ", "yes"),
        (5, lambda answer: True),
        (Callable(), lambda answer: isinstance(answer, Callable)),
        (5, lambda answer: None),
    ],
)
def test_right(said, answer, expected):
    assert said("task", answer, expected) == "✓ task"


@pytest.mark.parametrize(
    "answer, expected, words",
    [
        (2.0, 1.0, "twice"),
        (1.0, 2.0, "half"),
        (-1.0, 1.0, "wrong sign"),
        (7.0, 1.0, "not yet"),
        (0.0, 1.0, "not yet"),
        (np.nan, 1.0, "NaN"),
        (np.inf, 1.0, "infinity"),
        (np.ones(3), np.ones((3, 1)), r"the shape is [3], it should be [3, 1]"),
        (np.array([1.0, 2.0]), np.array([0.25, 0.5]), "multiplied by 0.25"),
        (True, False, "other way round"),
        (np.array([True, True]), np.array([True, False]), "some entries"),
        ("no", "yes", "look again"),
        (3, "yes", "the answer is a text"),
        ("yes", 3, "number"),
        ({"a": 1}, 3, "number"),
        (lambda: 1 / 0, 3, "ZeroDivisionError"),
        (5, lambda answer: "too large", "too large"),
        (5, lambda answer: False, "not yet"),
        ("x", lambda answer: answer + 1, "cannot be compared (TypeError"),
    ],
)
def test_wrong_with_a_hint(said, answer, expected, words):
    line = said("task", answer, expected)
    assert line.startswith("✗ task: ") and words in line


def test_a_well_known_mistake_gets_its_own_hint(said):
    mistakes = {"you took the mean over the pixels": 0.25}
    assert said("loss", 0.25, 1.0, mistakes) == "✗ loss: you took the mean over the pixels"
    assert "not yet" in said("loss", 0.3, 1.0, mistakes)


def test_the_tolerance_counts(said):
    assert said("loss", 1.01, 1.0).startswith("✗") and said("loss", 1.01, 1.0, tolerance=0.1).startswith("✓")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_only_equal_numbers_are_right(answer, expected):
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        check("number", answer, expected)
    assert out.getvalue().startswith("✓") == bool(np.isclose(answer, expected, rtol=1e-4, atol=1e-4))


def test_within_prints_what_was_measured_and_what_was_expected(capsys):
    within(jnp.float32(13.866), 13.856, 13.876, "PCA error", "five seeds")
    assert capsys.readouterr().out == "✓ PCA error: 13.87 (expected 13.856 to 13.876; five seeds)\n"


@pytest.mark.parametrize("value", [0.9, 2.1, float("nan"), float("inf")])
def test_within_fails_outside(value):
    with pytest.raises(AssertionError, match="error: .*expected 1 to 2"):
        within(value, 1, 2, "error")


def test_within_refuses_swapped_bounds():
    with pytest.raises(ValueError, match="above"):
        within(1.5, 2, 1, "error")
