"""Quizzes and flashcards that leave the page alone: jupyterquiz and jupytercards, with one precaution.

Both packages look for MathJax. Where they find JupyterLab's own, which has no `typeset`, they load another one from
the internet. That one typesets the whole page, code cells included, and so changes the reader's notebook; and without
the internet the flashcards stop at the first card. Our questions hold no formulas, so a `typeset` that does nothing
is all the packages need.
"""

import jupytercards
import jupyterquiz
from IPython.display import Javascript, display

NO_TYPESETTING = """
window.MathJax = window.MathJax || {version: "3", _: {}, config: {}};
window.MathJax.version = window.MathJax.version || "3";
window.MathJax.typeset = window.MathJax.typeset || (() => {});
"""


def display_quiz(questions):
    """Show questions that give feedback at a click. questions: a list of dicts as jupyterquiz wants them."""
    display(Javascript(NO_TYPESETTING))
    jupyterquiz.display_quiz(questions)


def display_flashcards(cards):
    """Show cards that turn at a click. cards: a list of {"front": text, "back": text}."""
    display(Javascript(NO_TYPESETTING))
    jupytercards.display_flashcards(cards)
