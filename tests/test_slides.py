"""The decks: what stands on which slide, rules for every lesson's slides, and a walk through all of them in a browser.

The walk is skipped, and says so, without a Chromium or without .venv-site (make slides).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links
import slides

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
QUIZ = """\
**Quiz.** Which $x$? *Choose, then open your choice.*

<details><summary>This</summary>

✗ Not this.

</details>
<details><summary>That</summary>

✓ Right: $x$ it is.

</details>"""


def cell(source, kind, *tags, **more):
    """A text cell with its slide_type; minutes, notes and show go to the same entry."""
    return new_markdown_cell(source, metadata={"tags": list(tags), "slideshow": {"slide_type": kind, **more}})


def code(source, kind, *outputs, tags=(), folded=False, **more):
    metadata = {"tags": list(tags), "slideshow": {"slide_type": kind, **more}}
    return new_code_cell(source, metadata=metadata | ({"jupyter": {"source_hidden": True}} if folded else {}), outputs=list(outputs))


def picture(width, height=400):
    about = {"image/png": {"alt": "A «dot»", "width": width, "height": height}}
    return new_output("display_data", {"image/png": DOT}, metadata=about)


def told(text):
    return new_output("stream", name="stdout", text=text)


def lesson():
    title = "# 01 · Dots & lines\n\n" + links.badge("01_dots.ipynb") + "\n\n**Why?** You see.\n\n**Reading time** 5 minutes"
    return new_notebook(
        cells=[
            cell(title, "slide", minutes=2, notes="Ask *why*."),
            code("import x", "skip"),
            cell("## 1. The dot", "slide", minutes=3),
            cell("Where is $\\hat x_1 < 2$?", "-"),
            cell("It costs $3 or `$4`, see [lesson 00](00_start_here.ipynb), [data](../data/README.md).", "notes"),
            code("# @title Figure 1: a dot\nplot()", "-", picture(400), folded=True),
            cell("**Figure 1.** A dot. It is small.", "-"),
            cell("At the next click.", "fragment"),
            code("my = ...\ncheck(my)", "slide", told("◯ my: not tried yet"), tags=["your-turn"]),
            cell("<details><summary>Solution: my</summary></details>", "skip"),
            cell(QUIZ + "\n\n" + QUIZ, "slide", "quiz", minutes=2),
            code("print(1)", "slide", told("1"), show="output"),
        ]
    )


def write(notebook, folder, name="01_dots"):
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


# --- How a deck is made -----------------------------------------------------------------------------------------------


@pytest.fixture
def deck(tmp_path):
    """The slides of the small lesson, as BeautifulSoup."""
    return BeautifulSoup(slides.slides(write(lesson(), tmp_path)), "html.parser").select("section")


def test_the_metadata_say_what_stands_where(deck):
    title, dot, task, *quizzes, last = deck
    assert title.header.get_text(strip=True) == "01 · Dots & lines" and title.select_one(".promise").get_text(strip=True) == "Why?"
    assert dot.header.h2.get_text() == "1. The dot" and "import" not in str(deck)
    assert dot.select_one("figure.upright img")["alt"] == "A «dot»" and dot.select_one(".beside .words .caption")
    assert [box.get_text(strip=True) for box in dot.select(".fragment")] == ["At the next click."]
    assert task.select_one(".running").get_text() == "Your turn · 1. The dot"
    assert "my = ..." in task.get_text() and "◯" not in task.get_text() and task.get_text().count("Solution") == 1
    assert len(quizzes) == 2 and "print" not in last.get_text() and last.select_one("pre").get_text() == "1"


def test_captions_show_their_first_sentence_and_formulas_keep_their_signs(deck):
    dot = deck[1]
    assert dot.select_one(".caption").get_text() == "Figure 1. A dot." and dot.select_one(".caption strong")
    assert dot.select_one(".text .math").get_text() == r"\(\hat x_1 < 2\)"
    notes = dot.select_one(".notes")
    assert "It costs $3 or $4" in notes.get_text() and "It is small." in notes.get_text() and not notes.select(".math")
    assert [a["href"] for a in notes.select("a")] == ["00_start_here.slides.html", f"{links.address()}/blob/main/data/README.md"]


def test_a_quiz_keeps_its_answers_for_the_click(deck):
    quiz = deck[3]
    assert [li.contents[0] for li in quiz.select("li")] == ["This", "That"] and "open your choice" not in quiz.get_text()
    answers = quiz.select(".answer.fragment")
    assert [a.get_text().strip()[:6] for a in answers] == ["✗ No. ", "✓ Yes."]
    assert {a["data-fragment-index"] for a in answers} == {"0"}


def test_the_notes_tell_the_time(deck):
    clocks = [section.select_one(".notes p").get_text() for section in deck]
    assert clocks[0] == "0 min so far, this slide: 2" and clocks[3] == "5 min so far, this slide: 1"
    assert clocks[-1] == "7 min so far" and deck[0].select_one(".notes em").get_text() == "why"


@pytest.mark.parametrize(
    "text, first",
    [
        ("**Figure 1.** Ten dots (e.g. $z.$ at 0.5). More.", "**Figure 1.** Ten dots (e.g. $z.$ at 0.5)."),
        ("**Why?** You see.", "**Why?**"),
        ("One sentence only.", "One sentence only."),
    ],
)
def test_first_sentence(text, first):
    start, rest = slides.first_sentence(text)
    assert start == first and f"{start} {rest}".strip() == text


def test_a_deck_that_cannot_be_made_is_named_and_the_others_are_made(tmp_path, capsys):
    (tmp_path / "00_broken.ipynb").write_text('{"cells": [', encoding="utf-8")
    late = write(new_notebook(cells=[cell("Text.", "notes"), cell("# A", "slide")]), tmp_path, "02_late")
    assert slides.main([tmp_path / "00_broken.ipynb", write(lesson(), tmp_path), late], root=tmp_path) == 2
    said = capsys.readouterr()
    assert said.out == "build/slides/01_dots.slides.html\n"
    assert said.err.count("FAILED") == 2 and "02_late.ipynb: FAILED: ValueError: no slide for these notes" in said.err
    index = BeautifulSoup((tmp_path / "build/slides/index.html").read_text(encoding="utf-8"), "html.parser")
    (row,) = index.select("tbody tr")
    assert [td.get_text() for td in row.select("td")] == ["01 · Dots & lines", "6", "7 min"]
    assert row.a["href"] == "01_dots.slides.html"


# --- The lessons' decks -----------------------------------------------------------------------------------------------

LESSONS = links.lessons([])
every_deck = pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])


@every_deck
def test_every_cell_says_where_it_stands(path):
    for one in slides.read(path).cells:
        about = one.metadata.get("slideshow", {})
        assert about.get("slide_type") in slides.TYPES, one.source[:60]
        assert about["slide_type"] == "slide" or not {"minutes", "notes"} & set(about), one.source[:60]
        assert set(about) <= {"slide_type", "minutes", "notes", "show"} and about.get("show", "code") in ("code", "output")


@every_deck
def test_a_deck_has_20_to_35_slides_for_45_to_90_minutes(path):
    made = slides.deck(slides.read(path))
    assert 20 <= len(made) <= 35
    assert 45 <= sum(slide["minutes"] or 0 for slide in made) <= 90
    assert all(0 < slide["minutes"] <= 6 for slide in made), "every slide says how long it takes"


@every_deck
def test_every_quiz_prediction_and_task_stands_on_a_slide(path):
    for one in slides.read(path).cells:
        kind = one.metadata["slideshow"]["slide_type"]
        if slides.tagged(one, "quiz"):
            assert kind == "slide", one.source[:60]
        if slides.tagged(one, "your-turn") or one.source.startswith(("**Predict first", "**Your turn")):
            assert kind in ("slide", "-", "fragment"), one.source[:60]
        if slides.tagged(one, "setup") or slides.tagged(one, "flashcards") or "<summary>Solution" in one.source:
            assert kind == "skip", one.source[:60]


@every_deck
def test_a_figure_stands_on_a_slide_with_its_caption(path):
    cells = slides.read(path).cells
    for one, following in zip(cells, cells[1:]):
        if any("image/png" in output.get("data", {}) for output in one.get("outputs", [])):
            kinds = [slides.slide_type(cell) == "skip" for cell in (one, following)]
            assert kinds[0] == kinds[1], following.source[:60]


# --- In the browser ---------------------------------------------------------------------------------------------------

PYTHON = ROOT / ".venv-site/bin/python"


@pytest.fixture(scope="module")
def browser():
    """Skips without what the walk needs; returns a function that makes decks and one that walks through them."""
    there = {
        "a Chromium": os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome"),
        ".venv-site with sphinx-revealjs (make slides)": list(ROOT.glob(".venv-site/**/site-packages/sphinx_revealjs")),
    }
    if lacking := [what for what, found in there.items() if not found]:
        pytest.skip(f"no slide was looked at in a browser: there is no {', no '.join(lacking)}")

    def run(tool, *arguments):
        command = [PYTHON, ROOT / "tools" / tool, *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")

    return run


def test_every_slide_in_the_browser(browser, tmp_path):
    made = browser("slides.py", "--to", tmp_path, *LESSONS)
    assert made.returncode == 0, made.stderr
    walked = browser("slides_check.py", tmp_path)
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert walked.stdout.count("✓") == len(LESSONS)


FAULTS = {
    "too_full": ("\n".join(f"- line {n}" for n in range(30)), "leaves the slide: “line 29”"),
    "too_wide": ("`" + "x" * 200 + "`", "leaves the slide"),
    "wide_formula": ("$$" + "x + " * 60 + "x$$", "leaves the slide: mjx-math"),
    "small": ('<span style="font-size: 20px">tiny</span>', "20.0 px: “tiny”"),
    "raw": ("From $x to y.", "not typeset: “From $x to y.”"),
    "wrong": (r"$\frac{1}{$", "not typeset"),
    "outside": ('<img src="https://example.org/dot.png" alt="A dot">', "asked for https://example.org/dot.png"),
    "fold": ("<details><summary>Solution: x</summary>\n\n42\n\n</details>", "can be seen: “Solution: x”"),
    "no_text": (f'<img src="data:image/png;base64,{DOT}" alt="">', "a picture is missing or has no text"),
}


def test_the_walk_finds_every_fault(browser, tmp_path):
    """One deck without a fault, one for each fault, and one whose answers do not wait for the click."""
    write(lesson(), tmp_path, "00_good")
    for name, (source, _) in FAULTS.items():
        write(new_notebook(cells=[cell("# A", "slide"), cell("## B", "slide"), cell(source, "-")]), tmp_path, name)
    write(lesson(), tmp_path, "answer")
    made = browser("slides.py", "--to", tmp_path, *sorted(tmp_path.glob("*.ipynb")))
    assert made.returncode == 0, made.stderr
    shown = tmp_path / "answer.slides.html"
    shown.write_text(shown.read_text(encoding="utf-8").replace("answer fragment", "answer"), encoding="utf-8")
    walked = browser("slides_check.py", tmp_path)
    assert walked.returncode == 1, walked.stdout + walked.stderr
    complaints = {}
    for line in walked.stdout.splitlines():
        if line.startswith(("✓", "✗")):
            name = line[2:].split(".slides")[0]
        complaints[name] = complaints.get(name, "") + line + "\n"
    assert complaints.pop("00_good").startswith("✓ 00_good.slides: 6 slides, 9 states")
    assert "an answer can be seen: “✓ Yes. Right" in complaints.pop("answer")
    assert set(complaints) == set(FAULTS)
    for name, (_, complaint) in FAULTS.items():
        assert complaint in complaints[name], complaints[name]
