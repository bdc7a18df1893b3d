"""Questions and cards arrive on the page, after the precaution that keeps MathJax from rewriting it."""

import jupytercards
import jupyterquiz
import pytest

from course_utils import quiz


@pytest.mark.parametrize("package, name", [(jupyterquiz, "display_quiz"), (jupytercards, "display_flashcards")])
def test_the_precaution_comes_before_the_content(package, name, monkeypatch):
    shown = []
    monkeypatch.setattr(quiz, "display", lambda output: shown.append(output.data))
    monkeypatch.setattr(package, name, lambda content: shown.append(content))
    getattr(quiz, name)(["content"])
    assert "window.MathJax.typeset = window.MathJax.typeset ||" in shown[0] and shown[1:] == [["content"]]


def test_the_packages_still_ask_for_mathjax_in_the_way_that_needs_the_precaution():
    """If this fails, the packages have changed: look whether course_utils.quiz is still needed."""
    from importlib.resources import files

    cards = files("jupytercards").joinpath("flashcards.js").read_text(encoding="utf-8")
    assert "MathJax" in cards and "typeset" in cards
