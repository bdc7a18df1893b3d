"""Every part of the homework judges: planted mistakes lose its points and no others, other right answers get them.

The answers stand in tests/homework/*.yaml. One kernel an assignment: it runs the solved source, then each answer in the
place of the solution, with the tests of its part and of all parts that its names reach.
"""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
pytest.importorskip("jupyter_client")
from homework import observe, runner

ANSWERS = sorted(ROOT.glob("tests/homework/hw*.yaml"))
NIGHT = os.environ.get("COLAB_ALL", "0") != "0"  # the hosted workflow tries all answers every night


def whose_turn(answers, number):
    """Of a part's answers those that are tried at a change: every third, with each commit others; one on Colab's versions."""
    if NIGHT:
        return answers
    colab = importlib.util.find_spec("nbgrader") is None  # .venv-colab has none
    return [answers[number % len(answers)]] if colab else answers[number % 3 :: 3]


def commits():
    """How many there are; 0 without git."""
    told = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return int(told.stdout or 0)


RESET = "import jax; jax.config.update('jax_enable_x64', False); import matplotlib.pyplot; matplotlib.pyplot.close('all')"


def answers_of(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def source_of(path):
    return nbformat.read(ROOT / "notebooks/homework/source" / path.stem / f"{path.stem}.ipynb", as_version=4)


def test_there_are_enough_answers():
    answers = [answers for path in ANSWERS for answers in answers_of(path).values()]
    assert sum(len(part["wrong"]) for part in answers) >= 120
    assert sum(len(part["right"]) for part in answers) >= 40


@pytest.mark.parametrize("path", ANSWERS, ids=[path.stem for path in ANSWERS])
def test_every_part_that_is_graded_by_tests_has_answers(path):
    tests = [cell.metadata.nbgrader.grade_id for cell in source_of(path).cells if runner.is_test(cell)]
    answers = answers_of(path)
    assert [f"{name}_test" for name in answers] == tests
    for name, part in answers.items():
        wrong = [answer["answer"] for answer in part["wrong"]]
        assert len(set(wrong)) == len(wrong) >= 3 and len(set(part["right"])) >= 1, name
        assert all(answer["name"].strip() for answer in part["wrong"]), name


def loaded(source):
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def stored(source, definitions_only=False):
    """The names that a cell gives a meaning to, outside its functions; on request only functions and classes."""
    found, nodes = set(), list(ast.parse(source).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif not definitions_only and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, ast.Lambda):
            nodes += ast.iter_child_nodes(node)
    return found


def reached(cells, changed):
    """The code cells that what is stored in the cell `changed` reaches, in their order, without that cell."""
    names, found = stored(changed.source), []
    for cell in cells[cells.index(changed) + 1 :]:
        if names & loaded(cell.source):
            found.append(cell)
            names |= stored(cell.source, definitions_only=runner.is_test(cell))
    return found


class Kernel:
    """A kernel that runs code and tests; `reference` holds what the solved source sends."""

    def __init__(self, client):
        self.client, self.reference = client, {}

    def run(self, source):
        cell = new_code_cell(source)
        self.client.nb.cells = [cell]
        self.client.execute_cell(cell, 0)
        return cell

    def test(self, cell):
        """What is wrong, or None. The first time, what is sent becomes the reference."""
        name = cell.metadata.nbgrader.grade_id
        visible = self.run(runner.HIDDEN.sub("", cell.source))
        if error := runner.error_of(visible):
            return f"{error.ename}: {error.evalue}"
        self.run(observe.CODE)
        hidden = self.run(runner.hidden_tests(cell.source))
        sent = [output.data[observe.MIME] for output in hidden.outputs if observe.MIME in output.get("data", {})]
        if error := runner.error_of(hidden):
            return f"in a hidden test, {error.ename}: {error.evalue}"
        number = observe.first_difference(sent, self.reference.setdefault(name, sent))
        return number and f"hidden test {number} differs"


@pytest.mark.parametrize("path", ANSWERS, ids=[path.stem for path in ANSWERS])
def test_planted_mistakes_lose_and_other_right_answers_do_not(path, tmp_path, monkeypatch):
    # Most of the time is JAX's compiler's: what it has made serves the next answer, and the next run of the tests.
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(ROOT / "build" / "homework" / "jax"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    cells = [cell for cell in source_of(path).cells if cell.cell_type == "code"]
    resources = {"metadata": {"path": str(tmp_path)}}
    options = {"kernel_name": "python3", "timeout": 600, "allow_errors": True, "resources": resources}
    options |= {"startup_timeout": 300, "iopub_timeout": 120, "raise_on_iopub_timeout": True}
    client = NotebookClient(nbformat.v4.new_notebook(), **options)
    bad, number = [], commits()
    with client.setup_kernel():
        kernel = Kernel(client)

        def go(cell):
            if runner.is_test(cell):
                return kernel.test(cell)
            error = runner.error_of(kernel.run(cell.source))
            return error and f"{error.ename}: {error.evalue}"

        for cell in cells:
            problem = go(cell)
            assert problem is None, f"the solved source fails: {problem}\n{cell.source}"
        for name, part in answers_of(path).items():
            solution, test = (
                next(cell for cell in cells if cell.metadata.nbgrader.grade_id == wanted) for wanted in (name, f"{name}_test")
            )
            others = [cell for cell in reached(cells, solution) if cell is not test]
            tries = [(code, True) for code in whose_turn(part["right"], number)]
            tries += [(wrong["answer"], False) for wrong in whose_turn(part["wrong"], number)]
            for code, right in tries:
                kernel.run(code)
                problem = kernel.test(test)
                if (problem is None) != right:
                    bad.append(f"{name}: {'a right answer loses: ' + problem if right else 'a mistake passes'}\n{code}")
                for cell in others:
                    problem = go(cell)
                    if problem and runner.is_test(cell):
                        other = cell.metadata.nbgrader.grade_id
                        bad.append(f"{name}: {other} loses, too: {problem}\n{code}")
                kernel.run(RESET)
            for cell in [solution, test, *others]:
                if problem := go(cell):
                    bad.append(f"{name}: the solution fails after other answers: {problem}")
    assert not bad, "\n\n".join(bad)
