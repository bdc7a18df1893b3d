"""Every lesson is complete, clean, and runs alone on a machine that does not have the course.

That the stored outputs are still right is nbval's part (see the Makefile).
"""

import ast
import json
import os
import re
import statistics
import subprocess
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
import try_tasks
from try_tasks import printed

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
def test_the_readme_gives_the_same_minutes(path):
    minutes = re.search(r"\*\*Reading time\*\* (\d+) minutes", read(path).cells[0].source)[1]
    assert re.search(rf"\(notebooks/{path.name}\) \|.*\| {minutes}\b[^|]*\|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)


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
            following = cells[i + 1].source if i + 1 < len(cells) else ""  # the site ties them together
            assert following.startswith("**Figure"), f"no caption below: {show(cell)}"


@every_notebook
def test_rows_and_headings_can_be_told_apart_by_ear(path):
    """A row is announced by its first cell, and a heading by its words: a formula in it is not spoken."""
    texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    assert not [line for text in texts for line in re.findall(r"^#+ .*\$.*", text, re.M)]
    for table in re.findall(r"(?:^\|.*\n?)+", "\n\n".join(texts), re.M):
        names = [row.split("|")[1].strip() for row in table.strip().split("\n")[2:]]
        assert len(set(names)) == len(names), f"two rows with the same name: {table}"


def test_a_text_alternative_says_minus():
    heard = run_notebooks.plain(r"**Figure 1.** The $-$ELBO is $-\log p(x)$ plus a KL, and $\text{log-odds} = z^{-1} - b$.")
    assert heard == "Figure 1. The −ELBO is −log p(x) plus a KL, and log-odds = z⁻¹ − b."


@every_notebook
def test_every_picture_has_a_text_alternative(path):
    """The caption, where MyST-NB and nbconvert's classic template look for it; `make notebooks` writes both."""
    notebook = read(path)
    before = json.dumps(notebook.cells)
    run_notebooks.describe_pictures(notebook)
    assert json.dumps(notebook.cells) == before, "run: make notebooks N=" + path.stem
    alts = [cell.metadata.mystnb.image.alt for cell in notebook.cells if "mystnb" in cell.metadata]
    assert all(len(alt) > 60 and not set("$\\*") & set(alt) for alt in alts)


@every_notebook
def test_what_is_not_run_has_a_script(path):
    """Who says "not run here" names the script in tests/long_runs, and its experiment, that repeats the result."""
    phrases = ["not run here", "outside this lesson", "outside of this lesson", "not part of this lesson", "not part of this notebook"]
    for cell in [] if path.name.startswith("00") else read(path).cells:  # lesson 00 says what the words mean
        for phrase in [phrase for phrase in phrases if phrase in cell.source]:
            scripts = re.findall(r"`tests/long_runs/(\w+)\.py(?: (\w+))?`", cell.source)
            assert scripts and phrase == phrases[0], f'say "not run here: `tests/long_runs/…`": {show(cell)}'
            for script, experiment in scripts:
                text = (ROOT / f"tests/long_runs/{script}.py").read_text(encoding="utf-8")
                assert not experiment or f"\ndef {experiment}():" in text, f"{script}.py has no {experiment}"


@every_notebook
def test_figures_fit_a_phone(path):
    """At most 8 inches wide at 100 dots per inch: on a phone a wider figure has letters that nobody can read."""
    for cell in code_cells(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["width"] <= 830, show(cell)


@every_notebook
def test_quizzes_and_flashcards(path):
    """Questions stand in Markdown: every answer unfolds, so they work without a kernel, by keyboard, and on paper."""
    cells = read(path).cells
    quizzes = [cell for cell in cells if tagged(cell, "quiz")]
    flashcards = [cell for cell in cells if tagged(cell, "flashcards")]
    introduction = path.name.startswith("00")
    assert len(quizzes) >= (1 if introduction else 2)
    assert len(flashcards) == 1 or introduction
    for cell in quizzes:
        for question in cell.source.split("**Quiz.**")[1:]:
            verdicts = re.findall(r"<details><summary>.+</summary>\n\n([✓✗]) .+\n\n</details>", question)
            assert len(verdicts) == question.count("<details>") >= 2 and "✓" in verdicts, question[:80]


@every_notebook
def test_headings_are_in_order(path):
    """One title, and no level is left out: a screen reader goes from heading to heading."""
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.M)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))


@every_notebook
def test_can_be_read_aloud(path):
    """Voices leave out the dash of "3–5", say "blank" for an empty table heading, and read German as if it were English."""
    cells = read(path).cells
    for line in "\n".join(cell.source + printed(cell) for cell in cells).splitlines():
        if not re.search(r"\*.*\b(19|20)\d\d\b", line):  # not in references, with their pages and names
            english = re.sub(r'<span lang="de">.*?</span>', "", line)
            assert not re.search(r"\d–[−\d]|\w*[äöüß]\w*", english), line
    for cell in cells:
        if tagged(cell, "flashcards"):  # what stands in brackets is an abbreviation or German
            assert not re.findall(r"<summary>.* \((?![A-Z]+\)|ex-post|<span lang=)(\w{3}.*)</summary>", cell.source)
        for head in re.findall(r"^(\|.*\|)\n\|[-: |]+\|$", cell.source, re.M):
            assert all(name.strip() for name in head.strip("|").split("|")), head


@every_notebook
def test_no_backslash_was_lost(path):
    """A tool that reads \\approx as an escape leaves the bell character, and a formula that no browser can typeset."""
    for cell in read(path).cells:
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", cell.source), cell.source


def test_the_list_of_introductions_says_which_lessons_test_them():
    """Column "tested in lessons" of the table in lesson 00, against the lessons that name R1 to R5."""
    named = {f"R{number}": set() for number in range(1, 6)}
    for path in NOTEBOOKS[1:]:
        text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
        for entry in re.findall(r"\bR[1-5]\b", text):
            named[entry].add(int(path.stem[:2]))
    text = "\n".join(cell.source for cell in read(NOTEBOOKS[0]).cells)
    for entry, lessons in re.findall(r"^\| \*\*\[(R\d)\]\*\* .*\| ([\d, to]+) \|$", text, re.M):
        ranges = [re.findall(r"\d+", part) for part in lessons.split(",")]
        assert {n for ends in ranges for n in range(int(ends[0]), int(ends[-1]) + 1)} == named.pop(entry), entry
    assert not named


def folded(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def draws(cell):
    return re.search(r"\b(plt|ax|axes)\b", cell.source) is not None


@every_notebook
def test_cells_are_short_and_drawing_is_folded(path):
    """Of what a reader sees unfolded, at most one line in ten draws, half of the cells have at most 8 lines."""
    cells = code_cells(path)
    assert max(len(line) for cell in cells for line in cell.source.splitlines()) <= 100
    seen = [cell for cell in cells if not folded(cell) and not tagged(cell, "setup")]
    lengths = [len(cell.source.splitlines()) for cell in seen]
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 8
    assert sum(length for cell, length in zip(seen, lengths) if draws(cell)) <= 0.1 * sum(lengths)


@every_notebook
def test_imports_nothing_that_it_does_not_use(path):
    tree = ast.parse("\n".join(cell.source for cell in code_cells(path) if not tagged(cell, "setup")))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {(one.asname or one.name).split(".")[0] for node in imports for one in node.names}
    assert names <= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@every_notebook
def test_folded_cells_have_a_title(path):
    """JupyterLab and Colab fold the same cells; a folded cell that draws a figure names it."""
    cells = read(path).cells
    for i, cell in enumerate(cells):
        if cell.cell_type == "code":
            assert folded(cell) == (cell.metadata.get("cellView") == "form"), show(cell)
            if folded(cell):
                title = re.match(r"# @title (\S.{7,88})$", cell.source.splitlines()[0])
                assert title and not re.search(r"\$|\\|…", title[1]), show(cell)
                if any("image/png" in output.get("data", {}) for output in cell.outputs):
                    caption = next(later.source for later in cells[i + 1 :] if later.cell_type == "markdown")
                    number = re.match(r"\*\*Figure (\d+)\.", caption)[1]
                    assert re.match(rf"# @title Figure {number}\b", cell.source), show(cell)


def called(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id


@every_notebook
def test_every_promised_number_says_where_its_bounds_come_from(path):
    for cell in code_cells(path):
        for node in ast.walk(ast.parse(cell.source)):
            if called(node) == "within":
                low, high = (ast.unparse(argument) for argument in node.args[1:3])
                assert len(node.args) > 4 or any(word.arg == "source" for word in node.keywords) or low == "0", show(cell)


@every_notebook
def test_a_cell_that_trains_makes_its_model(path):
    """Otherwise a cell that is run twice trains on, and the numbers below it are no longer those of the text."""
    for cell in code_cells(path):
        tree = ast.parse(cell.source)
        made = {name.id for node in ast.walk(tree) for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
        made |= {argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in node.args}
        for node in ast.walk(tree):
            if called(node) == "fit" and isinstance(node.args[0], ast.Name):
                assert node.args[0].id in made or tagged(cell, "trains-on"), show(cell)


@every_notebook
def test_holds_nothing_of_the_machine_that_ran_it(path):
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "slideshow", "jupyter", "cellView", "mystnb"}, show(cell)
        text = cell.source + (printed(cell) if cell.cell_type == "code" else "")
        found = re.search(r"/(home|root|Users|tmp|work|mnt|opt|var)/|[A-Z]:\\\\?Users|site-packages|ipykernel_\d", text)
        assert not found, f"{found[0]} in: {show(cell)}"
        found = re.search(r"pypi\.org|pythonhosted\.org|anaconda\.org|://localhost|127\.0\.0\.1", text)
        assert not found, f"{found[0]} in: {show(cell)}"
    assert path.stat().st_size < 1_500_000


@every_notebook
def test_prints_no_digits_that_another_processor_may_change(path):
    """The last digits of a sum of float64 depend on the order in which a processor adds."""
    for cell in code_cells(path):
        if not tagged(cell, "nbval-ignore-output"):
            for number in re.findall(r"\d*\.\d+", re.sub(r"(?<=: )\S+(?= \(expected )", "", printed(cell))):
                digits = number.replace(".", "").lstrip("0")
                assert len(digits) <= 9, f"{number}: {show(cell)}"


# --- Your turn --------------------------------------------------------------------------------------------------------


@every_notebook
def test_your_turn_cells_are_open_and_have_hint_and_solution(path):
    cells = read(path).cells
    for cell, following in zip(cells, cells[1:] + [None]):
        if try_tasks.is_task(cell):
            answer, checks = try_tasks.split_answer(cell.source)
            assert "..." in answer, show(cell)
            assert checks and all(re.match(r"check\w*\(", line) for line in checks.splitlines()), show(cell)
            assert not re.search("expected=|mistakes=", checks), f"the answer stands under the slot: {show(cell)}"
            assert following is not None and following.cell_type == "markdown", show(cell)
            name = re.search(r"◯ (.*?): not tried yet", printed(cell))[1]
            for kind in ("Hint", "Solution"):  # with the name, so that a list of all folds tells them apart
                assert f"<details><summary>{kind}: {name}</summary>" in following.source, show(cell)
            assert try_tasks.solution(following.source).strip(), show(cell)


@every_notebook
def test_every_task_has_answers_to_be_tried_with(path):
    """Right ones written in several ways and wrong ones that students write; test_runs_alone tries them all."""
    tasks, answers = try_tasks.tasks_of(read(path)), try_tasks.answers_of(path)
    assert set(answers) == set(tasks)
    for name, tries in answers.items():
        assert len(set(tries["right"])) >= 2 and len(tries["wrong"]) >= 3, name
        assert all(wrong["hint"].strip() for wrong in tries["wrong"]), name


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


MOST = 3  # lessons that run alone in one pass


def chosen():
    """The lessons that run alone in this pass: all with COLAB_ALL=1, else what changed lately and a part of the rest.

    All of them at every change would take longer than a change may wait (the hosted workflow runs all every night). A
    lesson is due for three days after a change to it, the package or the pins; of the others, every third commit
    another third. There is time for MOST of them; those whose turn it is come first, with every commit other ones.
    Without git's history all run.
    """

    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        head, number = int(git("log", "-1", "--format=%ct")), int(git("rev-list", "--count", "HEAD"))
        assert os.environ.get("COLAB_ALL", "0") == "0" and git("rev-parse", "--is-shallow-repository") == "false"
        changed = lambda *paths: int(git("log", "-1", "--format=%ct", "--", *map(str, paths)) or head)
        package = changed("course_utils", "tests/colab-pins.txt", "tools/try_tasks.py")
        latest = {path: changed(path, ROOT / "tests" / "tasks" / f"{path.stem}.yaml") for path in NOTEBOOKS}
    except (OSError, ValueError, AssertionError, subprocess.CalledProcessError):
        return NOTEBOOKS
    recent = head - 3 * 24 * 3600
    due = [i for i, path in enumerate(NOTEBOOKS) if max(latest[path], package) >= recent]
    others = [i for i in range(len(NOTEBOOKS)) if i not in due and (i + number) % 3 == 0]
    turn = lambda i: (i - number * MOST) % len(NOTEBOOKS)
    return [NOTEBOOKS[i] for i in sorted((sorted(due, key=turn) + sorted(others, key=turn))[:MOST])]


def test_everything_has_its_turn(monkeypatch):
    assert set(chosen()) <= set(NOTEBOOKS)
    monkeypatch.setenv("COLAB_ALL", "1")
    assert chosen() == NOTEBOOKS


def marks(path):
    return [] if path == NOTEBOOKS[0] else [pytest.mark.slow]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=marks(path)) for path in NOTEBOOKS])
def test_runs_alone_with_the_solutions(path, tmp_path, bare_python, wheel, monkeypatch):
    if path not in chosen():
        pytest.skip("another lesson's turn; COLAB_ALL=1 runs all")
    folder = tmp_path / "alone"
    folder.mkdir()

    # Jupyter shall start this kernel, and pip shall find nothing but the wheel.
    spec = get_kernel_dict()
    spec["argv"][0] = str(bare_python)
    kernel = tmp_path / "jupyter" / "kernels" / "bare"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))}
    env |= {"COURSE_SOURCE": str(wheel), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "TQDM_DISABLE": "1"}

    found = try_tasks.problems(read(path), try_tasks.answers_of(path), folder, kernel_name="bare", env=env)

    assert not found, "\n\n".join(found)
    assert list((tmp_path / "python").glob("lib/*/site-packages/course_utils/__init__.py")), "the course was not installed"
