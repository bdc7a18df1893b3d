"""Hidden tests: values are made in the student's process, and compared outside it.

A hidden test is a call `observe(value, rtol=1e-4, atol=1e-5)`. In the kernel it sends the value to the grader: no
expected value and no comparison is within reach of the student's code. The grader makes the same calls with the
reference solution and compares. Values are numbers, arrays, strings, and lists, tuples and dictionaries of those.
Where many answers are right, `observe(value, judge=f)` names a self-contained function f(value, reference) → bool that
the grader calls on the two values. It takes the function from the reference's run, never from a student's.

A student's code can replace `observe` and send other values. It gains nothing, unless a right value can be guessed:
so send results, not whether they are right.
"""

import base64
import inspect
import textwrap

import numpy as np

MIME = "application/vnd.course.observed+json"


def observe(value, rtol=1e-4, atol=1e-5, judge=None):
    """Send a value to the grader, which compares it with the one that the reference solution gives."""
    import base64
    import inspect

    import numpy as np
    from IPython.display import display

    def pack(value):
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, dict):
            return {"dict": [[str(key), pack(value[key])] for key in value]}
        if isinstance(value, (list, tuple)):
            return {"list": [pack(item) for item in value]}
        array = np.asarray(value)
        if array.dtype.kind == "b":
            raise TypeError("observe() sends results, not whether they are right")
        if array.dtype.kind in "US" and array.ndim == 0:
            return str(array)
        kind = "complex128" if array.dtype.kind == "c" else "float64"
        data = base64.b64encode(array.astype(kind).tobytes()).decode()
        return {"shape": list(array.shape), "kind": kind, "data": data}

    told = {"value": pack(value), "rtol": float(rtol), "atol": float(atol)}
    if judge is not None:
        told["judge"] = [judge.__name__, inspect.getsource(judge)]
    display({"application/vnd.course.observed+json": told}, raw=True)


CODE = inspect.getsource(observe)  # what is run in the kernel before a hidden test


def unpack(packed):
    """The value again: text, None, an array, a dict or a list. Raises ValueError for what `observe` cannot have sent."""
    if packed is None or isinstance(packed, str):
        return packed
    try:
        if "dict" in packed:
            return {str(key): unpack(item) for key, item in packed["dict"]}
        if "list" in packed:
            return [unpack(item) for item in packed["list"]]
        kind = {"float64": np.float64, "complex128": np.complex128}[packed["kind"]]
        return np.frombuffer(base64.b64decode(packed["data"]), kind).reshape([int(n) for n in packed["shape"]])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a value that observe() sends") from error


def same(value, reference, rtol, atol):
    """Is an unpacked value the reference's? A list of numbers may stand for an array; NaN equals NaN.

    Raises some error if it has quite another form.
    """
    if isinstance(reference, np.ndarray):
        if isinstance(value, str):
            return False
        value = np.asarray(value, complex)
        return value.shape == reference.shape and np.allclose(value, reference, rtol=rtol, atol=atol, equal_nan=True)
    if isinstance(reference, dict):
        return value.keys() == reference.keys() and all(same(value[k], reference[k], rtol, atol) for k in reference)
    if isinstance(reference, list):
        return len(value) == len(reference) and all(same(a, b, rtol, atol) for a, b in zip(value, reference))
    return type(value) is type(reference) and value == reference


def passes(value, wanted):
    """Is an unpacked value right, by what the reference solution sent?"""
    reference, names = unpack(wanted["value"]), {"np": np}
    if "judge" in wanted:
        exec(textwrap.dedent(wanted["judge"][1]), names)  # the teacher's own code, out of the source notebook
    try:
        if "judge" in wanted:
            return bool(names[wanted["judge"][0]](value, reference))
        return bool(same(value, reference, wanted["rtol"], wanted["atol"]))
    except Exception:  # the value is not even of the right form
        return False


def first_difference(observed, reference):
    """The number, from 1, of the first hidden check that is not passed; None if all are.

    Both are lists of what `observe` sent. Tolerances and judges are the reference's, as what a student's process sends
    is not to be trusted.
    """
    for number, wanted in enumerate(reference, 1):
        try:
            value = unpack(observed[number - 1]["value"])
        except Exception:  # there is none, or it is not even a value
            return number
        if not passes(value, wanted):
            return number
    return len(reference) + 1 if len(observed) > len(reference) else None


def can_be_guessed(reference):
    """Does nothing but text and small whole numbers stand in what the reference solution sent? Those are soon guessed."""

    def plain(value):
        if isinstance(value, (dict, list)):
            return all(map(plain, value.values() if isinstance(value, dict) else value))
        return not isinstance(value, np.ndarray) or bool(np.all((value == np.round(value.real)) & (abs(value) < 10)))

    return all("judge" not in wanted and plain(unpack(wanted["value"])) for wanted in reference)
