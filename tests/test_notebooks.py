"""Every lesson is complete, clean, and runs alone on a machine that does not have the course.

That the stored outputs are still right is nbval's part (see the Makefile).
"""

import json
import os
import re
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import get_kernel_dict

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links
import run_notebooks
import slides

NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def test_there_are_notebooks():
    assert NOTEBOOKS


# --- What a lesson holds ----------------------------------------------------------------------------------------------


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def printed(cell):
    """All text that a code cell put out, without pictures."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts += [text for mime, text in output.get("data", {}).items() if not mime.startswith("image/")]
    return "\n".join(str(text) for text in texts)


def show(cell):
    """The beginning of a cell, to name it in a message."""
    return cell.source[:80]


@every_notebook
def test_was_run_in_order_without_errors_or_warnings(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", show(cell)
            assert output.get("name") != "stderr", show(cell)


@every_notebook
def test_begins_with_title_badge_and_objectives(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    assert links.badge(path.name) in first.source, "run: make links"
    assert any("After this lesson you can" in cell.source for cell in read(path).cells[:4])


@every_notebook
def test_has_the_one_setup_cell_before_any_other_code(path):
    cells = code_cells(path)
    assert [tagged(cell, "setup") for cell in cells] == [True] + [False] * (len(cells) - 1)
    assert cells[0].source == links.setup_cell(), "run: make links"


@every_notebook
def test_has_a_summary(path):
    assert any(re.search("^## Summary", cell.source, re.M) for cell in read(path).cells if cell.cell_type == "markdown")


@every_notebook
def test_every_figure_has_a_caption(path):
    cells = read(path).cells
    for i, cell in enumerate(cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            following = next((later.source for later in cells[i + 1 :] if later.cell_type == "markdown"), "")
            assert following.startswith("**Figure"), f"no caption below: {show(cell)}"


@every_notebook
def test_quizzes_and_flashcards(path):
    quizzes = sum("display_quiz(" in cell.source for cell in code_cells(path))
    flashcards = sum("display_flashcards(" in cell.source for cell in code_cells(path))
    introduction = path.name.startswith("00")
    assert quizzes >= (1 if introduction else 2)
    assert flashcards == 1 or introduction


@every_notebook
def test_cells_are_short(path):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(path)]
    assert max(lengths) <= 30
    assert sum(n > 25 for n in lengths) <= 0.15 * len(lengths)


@every_notebook
def test_holds_nothing_of_the_machine_that_ran_it(path):
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "slideshow", "jupyter", "cellView"}, show(cell)
        text = cell.source + (printed(cell) if cell.cell_type == "code" else "")
        found = re.search(r"/(home|root|Users|tmp|work|mnt|opt|var)/|[A-Z]:\\\\?Users|site-packages|ipykernel_\d", text)
        assert not found, f"{found[0]} in: {show(cell)}"
        found = re.search(r"pypi\.org|pythonhosted\.org|anaconda\.org|://localhost|127\.0\.0\.1", text)
        assert not found, f"{found[0]} in: {show(cell)}"
    assert path.stat().st_size < 1_000_000


@every_notebook
def test_becomes_slides_of_a_fair_size(path):
    """One slide a heading; below it, no more than a piece of prose and what belongs to it."""
    cells = [cell for cell in read(path).cells if slides.slide_type(cell) != "skip"]
    types = [slides.slide_type(cell) for cell in cells]
    assert types[0] == "slide" and types.count("slide") >= 5
    starts = [i for i, kind in enumerate(types) if kind != "-"] + [len(types)]
    assert max(end - start for start, end in zip(starts, starts[1:])) <= 7


# --- Your turn --------------------------------------------------------------------------------------------------------


def split_answer(source):
    """The lines that the reader fills in, and the checks that follow."""
    lines = source.splitlines()
    first_check = next(i for i, line in enumerate(lines) if line.startswith("check("))
    return "\n".join(lines[:first_check]), "\n".join(lines[first_check:])


def solution(markdown):
    """The code of the solution that folds out below a your-turn cell."""
    return re.search(r"<details>\s*<summary>Solution.*?```python\n(.*?)```", markdown, re.S)[1]


@every_notebook
def test_your_turn_cells_are_open_and_have_hint_and_solution(path):
    cells = read(path).cells
    for cell, following in zip(cells, cells[1:] + [None]):
        if tagged(cell, "your-turn"):
            answer, _ = split_answer(cell.source)
            assert "..." in answer, show(cell)
            assert "◯" in printed(cell), show(cell)
            assert following is not None and following.cell_type == "markdown", show(cell)
            assert re.search(r"<details>\s*<summary>Hint", following.source), show(cell)
            assert solution(following.source).strip(), show(cell)


# --- Alone, as in Colab -----------------------------------------------------------------------------------------------


@pytest.fixture
def bare_python(tmp_path):
    """A Python that has every package of this environment except the course. What it installs stays in tmp_path."""
    venv.create(tmp_path / "python", symlinks=True)
    there = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "python")}))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "course_utils" not in entry.name and "autoencoder_course" not in entry.name:
            (there / entry.name).symlink_to(entry)
    return tmp_path / "python" / "bin" / "python"


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if number else []) for number, path in enumerate(NOTEBOOKS)]
)
def test_runs_alone_with_the_solutions(path, tmp_path, bare_python, wheel, monkeypatch):
    notebook = read(path)
    for cell, following in zip(notebook.cells, notebook.cells[1:] + [None]):
        if tagged(cell, "your-turn"):
            _, checks = split_answer(cell.source)
            cell.source = solution(following.source) + "\n" + checks
    folder = tmp_path / "alone"
    folder.mkdir()

    # Jupyter shall start this kernel, and pip shall find nothing but the wheel.
    spec = get_kernel_dict()
    spec["argv"][0] = str(bare_python)
    kernel = tmp_path / "jupyter" / "kernels" / "bare"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))}
    env |= {"COURSE_SOURCE": str(wheel), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "TQDM_DISABLE": "1"}

    run_notebooks.run(notebook, folder, kernel_name="bare", env=env)

    assert list((tmp_path / "python").glob("lib/*/site-packages/course_utils/__init__.py")), "the course was not installed"
    for cell in notebook.cells:
        if tagged(cell, "your-turn"):
            assert "✓" in printed(cell) and not set("✗◯") & set(printed(cell)), cell.source + "\n" + printed(cell)
