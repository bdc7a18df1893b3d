"""Homework: what is handed out is made from its source, and whatever is handed in, the rest of the class gets its grades."""

import asyncio
import copy
import csv
import html.parser
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

if importlib.util.find_spec("nbgrader") is None:
    pytest.skip("nbgrader is not installed (tools/setup.sh grade)", allow_module_level=True)

from nbconvert.filters import markdown2html

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links
from homework import grade, observe, plugins, release, repair, runner, sandbox

COURSE = ROOT / "notebooks" / "homework"
ASSIGNMENTS = grade.assignments_of(COURSE)
NO_SANDBOX = sandbox.probe([COURSE])
if NO_SANDBOX:
    warnings.warn(f"Homework was not graded in a sandbox, and hostile notebooks were not tried: {NO_SANDBOX}", stacklevel=1)
needs_sandbox = pytest.mark.skipif(NO_SANDBOX is not None, reason=f"no sandbox here: {NO_SANDBOX}")
every_assignment = pytest.mark.parametrize("name", ASSIGNMENTS)


def source_of(name):
    return nbformat.read(COURSE / "source" / name / f"{name}.ipynb", as_version=4)


def release_of(name):
    return plugins.released_notebook(name, COURSE)


def program(*words, **options):
    """Run tools/homework; returns the process with what it printed."""
    command = [sys.executable, ROOT / "tools" / "homework", *map(str, words)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", **options)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course, without what was graded, in a folder with a space."""
    return copy_course(tmp_path_factory.mktemp("homework") / "a course")


def by_hand(notebook):
    """The code cells that a person grades: experiments, which take the most time."""
    labelled = [cell for cell in notebook.cells if cell.cell_type == "code" and "nbgrader" in cell.metadata]
    return [cell for cell in labelled if cell.metadata.nbgrader.solution and cell.metadata.nbgrader.grade]


def copy_course(folder, assignments=ASSIGNMENTS):
    """A course that makes the same release; its experiments are left out (test_homework_answers.py runs them)."""
    folder.mkdir()
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    for name in assignments:
        shutil.copytree(COURSE / "release" / name, folder / "release" / name)
        notebook = source_of(name)
        for cell in by_hand(notebook):
            cell.source = "### BEGIN SOLUTION\npass\n### END SOLUTION"
        (folder / "source" / name).mkdir(parents=True)
        nbformat.write(notebook, folder / "source" / name / f"{name}.ipynb")
    return folder


@pytest.fixture(autouse=True, scope="module")
def tools():
    """The configuration finds the grader, also from a copy of the course."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMEWORK_TOOLS", str(ROOT / "tools"))
        yield


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


# --- What is handed out -----------------------------------------------------------------------------------------------


def test_the_guides_table_of_mistakes_is_made_from_the_answers(tmp_path):
    shutil.copy(COURSE / "README.md", tmp_path)
    assert not release.table(tmp_path), "run: python tools/homework table"


def test_there_are_assignments():
    assert ASSIGNMENTS


@every_assignment
def test_the_release_is_made_from_the_source(name, course):
    told = grade.nbgrader_api(course).generate_assignment(name)
    assert told["success"], told
    made, kept = (folder / "release" / name / f"{name}.ipynb" for folder in (course, COURSE))
    assert made.read_bytes() == kept.read_bytes(), "run: make homework"


def test_a_new_address_of_the_repository_reaches_source_and_release(tmp_path):
    """As `make links` writes it: nbgrader would make the same release."""
    course = tmp_path / "notebooks" / "homework"
    course.parent.mkdir()
    copy_course(course, ["hw1"])
    new = "https://github.com/some-one/her.fork"
    for file in ("pyproject.toml", "README.md"):
        text = (ROOT / file).read_text(encoding="utf-8").replace(links.address(), new)
        (tmp_path / file).write_text(text, encoding="utf-8")
    notebooks = [course / kind / "hw1" / "hw1.ipynb" for kind in ("source", "release")]
    assert set(links.rewrite(tmp_path)) >= set(notebooks) and not links.rewrite(tmp_path, check=True)
    rewritten = notebooks[1].read_bytes()
    assert new.encode() in rewritten and new.encode() in notebooks[0].read_bytes()
    assert grade.nbgrader_api(course).generate_assignment("hw1")["success"]
    assert notebooks[1].read_bytes() == rewritten


@every_assignment
def test_a_source_is_as_nbgrader_and_the_grader_want_it(name):
    notebook = source_of(name)
    names = [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert len(set(names)) == len(names)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"nbgrader", "tags", "jupyter", "cellView", "mystnb"}, cell.source[:80]
        assert not cell.get("outputs") and not cell.get("execution_count"), cell.source[:80]
        assert cell.cell_type == "markdown" or "nbgrader" in cell.metadata, cell.source[:80]
        assert max(map(len, cell.source.splitlines()), default=0) <= 100 or cell.cell_type == "markdown", cell.source[:80]
        if "setup" in cell.metadata.get("tags", []):
            assert cell.source == links.setup_cell(), "run: make links"
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert "### BEGIN SOLUTION" in cell.source
        if runner.is_test(cell):
            assert "observe(" in runner.hidden_tests(cell.source) and "observe(" not in runner.HIDDEN.sub("", cell.source)
    parts = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert 8 <= len(parts) and sum(cell.metadata.nbgrader.points for cell in parts) > 20
    assert any(cell.metadata.nbgrader.solution for cell in parts), "no part is graded by a person"


@every_assignment
def test_the_release_holds_no_solution_and_no_hidden_test(name):
    text = (COURSE / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "HIDDEN" not in text and "observe(" not in text


def test_a_weak_assignment_is_refused():
    """`make homework` complains about a part that judges nothing."""
    cell = new_code_cell("assert True\n### BEGIN HIDDEN TESTS\nobserve(f(1))\n### END HIDDEN TESTS")
    cell.metadata = {"nbgrader": {"grade_id": "f_test", "grade": True, "solution": False, "locked": True, "points": 1}}
    source = new_notebook(cells=[nbformat.from_dict(cell)])
    told = release.complaints(source, source, lambda notebook: [], {"f_test": [sent([1, 1.0, "(3,)"])]})
    assert any("can be guessed" in text for text in told) and any("nothing is answered" in text for text in told)
    assert release.complaints(source, source, lambda notebook: [], {}) != []


# --- Comparing values -------------------------------------------------------------------------------------------------


def sent(value, **options):
    """What `observe` puts out."""
    import IPython.display as there

    shown, original = [], there.display
    there.display = lambda data, raw: shown.append(data[observe.MIME])
    try:
        observe.observe(value, **options)
    finally:
        there.display = original
    return json.loads(json.dumps(shown[0]))


@pytest.mark.parametrize(
    "value, reference, equal",
    [
        (1.0, 1, True), (1.00001, 1, True), (1.01, 1, False), (float("nan"), float("nan"), True),
        ([1, 2], (1, 2.00001), True), ([1, 2], [1, 2, 3], False), ("a", "a", True), ("a", "b", False), ("1", 1, False),
        ({"a": [1.0, None]}, {"a": (1, None)}, True), ({"a": 1}, {"b": 1}, False), (1 + 2j, 1 + 2j, True), (None, 0, False),
        ([[1, 2], [3, 4]], "array", True), ([[1, 2], [3, 5]], "array", False), ([[1, 2], [3]], "array", False),
    ],
)  # fmt: skip
def test_values_are_compared_outside(value, reference, equal):
    reference = np.array([[1, 2], [3, 4]]) if isinstance(reference, str) and reference == "array" else reference
    assert (observe.first_difference([sent(value)], [sent(reference)]) is None) == equal


def is_even(value, reference):
    return value % 2 == 0 and value > reference


def test_a_judge_is_asked_outside_and_what_can_be_guessed_is_noticed():
    reference = [sent(2, judge=is_even)]
    assert observe.first_difference([sent(4)], reference) is None
    assert observe.first_difference([sent(5)], reference) == observe.first_difference([sent("no number")], reference) == 1
    forged = sent(5) | {"judge": ["f", "def f(value, reference): return True"]}
    assert observe.first_difference([forged], reference) == 1
    assert not observe.can_be_guessed(reference) and observe.can_be_guessed([sent(7), sent([0, "1"])])
    assert not observe.can_be_guessed([sent(7), sent([0, 1.5])]) and not observe.can_be_guessed([sent(128)])
    with pytest.raises(TypeError, match="results"):
        sent([1, np.arange(3) > 1])


@pytest.mark.parametrize("junk", [None, 7, {}, {"value": 7}, {"value": {"shape": [10**12], "kind": "float64", "data": ""}},
                                  {"value": {"list": 3}}, {"value": {"shape": [1], "kind": "object", "data": "AAAA"}}])  # fmt: skip
def test_junk_is_a_wrong_value(junk):
    assert observe.first_difference([junk], [sent(1.0)]) == 1
    assert observe.first_difference([], [sent(1.0)]) == 1 and observe.first_difference([sent(1.0)] * 2, [sent(1.0)]) == 2


# --- Repairs ----------------------------------------------------------------------------------------------------------


def named(notebook, name):
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def solved(name, answers=()):
    """A student's notebook: the release with the reference's answers, or those in {part: code}."""
    notebook, source = release_of(name), source_of(name)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            part = cell.metadata.nbgrader.grade_id
            reference = "\n".join(line for line in named(source, part).source.splitlines() if "### " not in line)
            cell.source = dict(answers).get(part, reference)
    return notebook


def repaired(notebook, tmp_path, name):
    """What is graded of a notebook that was stored and read again, and the repairs."""
    path = tmp_path / "handed in.ipynb"
    path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    return repair.repair(repair.read(path), release_of(name))


def in_colab(notebook):
    """What Colab makes of a notebook: no ids, metadata of its own, an older format, lines as a list."""
    notebook = json.loads(nbformat.writes(notebook))
    notebook |= {"nbformat_minor": 0}
    notebook["metadata"] |= {"colab": {"provenance": []}, "accelerator": "GPU"}
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id", None)
        cell["metadata"] |= {"id": f"qx{number}Zk"}
        if cell["cell_type"] == "code":
            cell["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": f"o-{number}"}
            cell["metadata"] |= {"executionInfo": {"status": "ok", "elapsed": 7, "user": {"displayName": "A B"}}}
    return notebook


def in_vscode(notebook):
    """What VS Code makes of a notebook: other ids, its own language tag."""
    notebook = json.loads(nbformat.writes(notebook))
    notebook["metadata"] |= {"kernelspec": {"display_name": ".venv", "name": "python3"}, "vscode": {"interpreter": {}}}
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number:08x}"
        cell["metadata"] |= {"vscode": {"languageId": "python"}}
    return notebook


def without_labels(notebook):
    """What a program makes of a notebook that keeps no metadata."""
    notebook = json.loads(nbformat.writes(notebook))
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    return notebook


def sources(notebook):
    return [(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source) for cell in notebook.cells]


@every_assignment
@pytest.mark.parametrize("journey", [in_colab, in_vscode, without_labels])
def test_a_journey_through_another_program_changes_nothing(name, journey, tmp_path):
    notebook, notes = repaired(journey(solved(name)), tmp_path, name)
    assert sources(notebook) == sources(solved(name))
    assert [cell.metadata.get("nbgrader") for cell in notebook.cells] == [c.metadata.get("nbgrader") for c in release_of(name).cells]
    assert bool(notes) == (journey is without_labels)


PART = list(yaml.safe_load((ROOT / "tests/homework/hw1.yaml").read_text(encoding="utf-8")))[1]  # tried with damage
TEST = f"{PART}_test"


def place(notebook, name):
    return notebook.cells.index(named(notebook, name))


def delete_test(notebook):
    del notebook.cells[place(notebook, TEST)]
    return f"The tests {TEST} was missing"


def change_test(notebook):
    named(notebook, TEST).source = "print('✓')"
    named(notebook, TEST).metadata.nbgrader.points = 1000
    return f"{TEST} had been changed"


def turn_test_into_text(notebook):
    notebook.cells[place(notebook, TEST)] = new_markdown_cell(
        named(notebook, TEST).source, metadata=named(notebook, TEST).metadata
    )
    return f"{TEST} had been changed"


def copy_below(notebook):
    notebook.cells.append(copy.deepcopy(named(release_of("hw1"), PART)))
    return "below its tests does not count"


def copy_above(notebook):
    """As one who keeps the old answer, and writes a new one below it."""
    notebook.cells.insert(place(notebook, PART), copy.deepcopy(named(release_of("hw1"), PART)))
    return "stood in 2 cells"


def split(notebook):
    """Cut in two in the middle: JupyterLab gives both halves the same metadata."""
    cell = named(notebook, PART)
    lines = cell.source.splitlines()
    second = copy.deepcopy(cell)
    cell.source, second.source = "\n".join(lines[:1]), "\n".join(lines[1:])
    notebook.cells.insert(notebook.cells.index(cell) + 1, second)
    return "stood in 2 cells"


def reverse(notebook):
    notebook.cells.reverse()
    return None


def delete_given(notebook):
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("locked")]
    return "was missing and has been put back"


DAMAGE = [delete_test, change_test, turn_test_into_text, copy_below, copy_above, split, reverse, delete_given]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_repaired_and_told(damage, tmp_path):
    notebook = solved("hw1")
    told = damage(notebook)
    result, notes = repaired(notebook, tmp_path, "hw1")
    assert told is None or any(told in note for note in notes), notes
    order = [name for name, _ in sources(result) if name]
    assert order == [name for name, _ in sources(release_of("hw1")) if name]
    given = {name: source for name, source in sources(release_of("hw1")) if name and named(release_of("hw1"), name).metadata.nbgrader.locked}
    assert given.items() <= dict(sources(result)).items()
    assert named(result, PART).source.strip() == named(solved("hw1"), PART).source.strip()
    assert len({cell.id for cell in result.cells}) == len(result.cells)


def test_a_deleted_answer_becomes_the_empty_one(tmp_path):
    notebook = solved("hw1")
    del notebook.cells[place(notebook, PART)]
    result, notes = repaired(notebook, tmp_path, "hw1")
    assert named(result, PART).source == named(release_of("hw1"), PART).source and any("is missing" in note for note in notes)


def test_a_helper_cell_of_a_student_stays_before_the_tests(tmp_path):
    notebook = solved("hw1")
    notebook.cells.insert(place(notebook, TEST), new_code_cell("help_me = 1"))
    result, notes = repaired(notebook, tmp_path, "hw1")
    assert [source for _, source in sources(result)].index("help_me = 1") == place(result, TEST) - 1 and not notes


@pytest.mark.parametrize("text", ["", "   ", '{"cells": [', "[]", "7", '{"cells": 3}', '{"a": 1}', "\x00\x01", "[" * 100_000])
def test_what_is_no_notebook_is_named(text, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(repair.Unreadable):
        repair.read(path)


def test_an_old_notebook_is_read(tmp_path):
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [
        {"cell_type": "code", "input": ["a = 1"], "language": "python", "outputs": [], "metadata": {}}]}]}  # fmt: skip
    (tmp_path / "a.ipynb").write_text(json.dumps(old), encoding="utf-8")
    assert [cell.source for cell in repair.read(tmp_path / "a.ipynb").cells] == ["a = 1"]


@every_assignment
def test_a_notebook_is_recognised_by_what_is_in_it(name, tmp_path):
    released = {each: release_of(each) for each in ASSIGNMENTS}
    for notebook in (solved(name), in_colab(solved(name)), without_labels(solved(name))):
        (tmp_path / "x.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        assert repair.belongs_to(repair.read(tmp_path / "x.ipynb"), released) == name
    assert repair.belongs_to(repair.read(ROOT / "notebooks" / "01_one_hot_toy.ipynb"), released) is None


# --- Collecting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, student",
    [
        ("Zoë Müller_1017_assignsubmission_file_/hw1.ipynb", "Zoë Müller_1017"),  # Moodle
        ("李 小龙_22_assignsubmission_file_hw1 (1).ipynb", "李 小龙_22"),  # Moodle, without folders
        ("Ann_Lee_7_assignsubmission_file_/sub/final.ipynb", "Ann_Lee_7"),
        ("multi/Abgaben/Muster_Max_mm12_4711/20260503121530_hw1.ipynb", "Muster_Max_mm12_4711"),  # ILIAS
        ("Ex 1/Submissions/Team 3/Muster_Max_mm12_4711/hw1.ipynb", "Muster_Max_mm12_4711"),
        ("doejane_LATE_5512_998877_hw1-2.ipynb", "doejane_5512"),  # Canvas
        ("doejane_5512_998877_hw1.ipynb", "doejane_5512"),
        ("bitdiddle/hw1/hw1.ipynb", "bitdiddle"),  # nbgrader
        ("submitted/bitdiddle/hw2/whatever.ipynb", "bitdiddle"),
        ("Ада Лавлейс/solution.ipynb", "Ада Лавлейс"),  # a folder each
        ("hw1_Jane Doe (2).ipynb", "Jane Doe"), ("Jane Doe hw1.ipynb", "Jane Doe"), ("Jane Doe.ipynb", "Jane Doe"),
        ("a[b]*?.ipynb", "a_b___"),
    ],
)  # fmt: skip
def test_the_student_follows_from_the_path(path, student):
    assert plugins.Names(assignments=["hw1", "hw2"]).collect(path)["student_id"] == student


@pytest.mark.parametrize(
    "path, student",
    [
        ("Mallory_12_assignsubmission_file_/Victim_13_assignsubmission_file_hw1.ipynb", "Mallory_12"),
        ("Mallory_12_assignsubmission_file_Victim_13_assignsubmission_file_hw1.ipynb", "Mallory_12"),
        ("Ex/Submissions/Mallory_1/20260101000000_x/Submissions/Victim_2/20990101000000_hw1.ipynb", "Mallory_1"),
    ],
)  # fmt: skip
def test_nobody_hands_in_for_another(path, student):
    assert plugins.Names(assignments=["hw1"]).collect(path)["student_id"] == student


def test_only_sockets_and_the_connection_file_may_lie_among_the_sockets(tmp_path):
    file = tmp_path / "kernel.json"
    assert not sandbox.strangers(tmp_path, str(file))  # a kernel that ends takes it away
    file.write_text("{}", encoding="utf-8")
    assert not sandbox.strangers(tmp_path, str(file))
    file.write_text("x" * 20_000, encoding="utf-8")
    assert sandbox.strangers(tmp_path, str(file))
    file.unlink()
    file.mkdir()
    assert sandbox.strangers(tmp_path, str(file))


def test_a_cell_that_is_done_cannot_be_changed(tmp_path):
    """An output with a display_id could be changed by a later cell, after it was made harmless."""
    cells = [
        new_code_cell("display({'text/plain': 'a'}, raw=True, display_id='d')"),
        new_code_cell(
            "from IPython.display import update_display\nupdate_display({'text/plain': 'a'}, raw=True, display_id='d', metadata={'image/png': {'width': '1 onerror=evil()'}})"
        ),
    ]
    run = runner.Run(new_notebook(cells=cells), shut_in=False)
    asyncio.run(run.execute())
    first, later = run.notebook.cells
    assert first.outputs[0] == new_output("display_data", {"text/plain": "a"}) and runner.error_of(later) is None


@needs_sandbox
def test_the_cell_that_leaves_something_among_the_sockets_is_blamed_and_no_other():
    leave = "import os\nfrom ipykernel.connect import get_connection_file\n"
    leave += "open(os.path.dirname(get_connection_file()) + '/more', 'w').write('x')"
    run = runner.Run(new_notebook(cells=[new_code_cell(source) for source in ("1", leave, "print(2)", "import time; time.sleep(1)")]))
    asyncio.run(run.execute())
    assert [cell.outputs[0].get("ename") if cell.outputs else None for cell in run.notebook.cells] == [None, "KernelDied", None, None]
    assert run.notes == [f"Cell 2 ended the kernel ({sandbox.STRANGERS}); the others were run again without it."]


@pytest.mark.parametrize("text", [r"[x](javascript\:evil\(6\))", "[x][y]\n\n[y]: javascript\\:evil(1)", "[x](javascript:evil)"])
def test_no_text_becomes_a_link_that_runs(text):
    link = re.compile(r"href=.{0,3}(javascript|data)", re.S)
    assert link.search(markdown2html(text)) and not link.search(markdown2html(repair.harmless(text)))


def test_long_texts_do_not_take_long():
    start = time.monotonic()
    repair.harmless("![" * 500_000)
    assert time.monotonic() - start < 10


def test_a_zip_that_cannot_be_read_stops_nobody_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as file:
        file.writestr("x.ipynb", "{}")
    inner = bytearray((tmp_path / "inner.zip").read_bytes())
    inner[inner.rfind(b"PK\x01\x02") + 6] = 99  # "needs version 9.9"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("Mallory/in.zip", bytes(inner))
        file.writestr("Mallory/" + "d/" * 500 + "hw1.ipynb", "{}")
        file.writestr("Ex/Submissions/Joe_1/99999999999999_hw1.ipynb", "{}")
        file.writestr("Jane/hw1.ipynb", "{}")
    (tmp_path / "there").mkdir()
    said = grade.collect.unpack(tmp_path / "a.zip", tmp_path / "there")
    assert len(said) == 2 and "in.zip: cannot be unpacked" in said[0] and "too many folders" in said[1]
    found = grade.collect.notebooks(tmp_path / "there")
    names = plugins.Names(assignments=["hw1"])
    chosen, _ = grade.collect.choose(found, names, {path: ("hw1", None) for path, _ in found})
    assert {student for student, _ in chosen} == {"Joe_1", "Jane"}


def test_a_hostile_zip_stays_in_its_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("../../evil.ipynb", "{}")
        file.writestr("/evil.ipynb", "{}")
        file.writestr("Jane/hw1.ipynb", "{}")
        file.writestr("__MACOSX/Jane/._hw1.ipynb", "{}")
        file.writestr("broken.zip", "no zip")
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("hw1.ipynb", "{}")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as file:
        file.write(inner, "Joe/hw1.zip")
    (tmp_path / "there").mkdir()
    said = grade.collect.unpack(tmp_path / "a.zip", tmp_path / "there")
    assert any("broken.zip" in sentence for sentence in said)
    found = {inside for _, inside in grade.collect.notebooks(tmp_path / "there")}
    assert found == {"evil.ipynb", "Jane/hw1.ipynb", "Joe/hw1/hw1.ipynb"}
    assert not (tmp_path / "evil.ipynb").exists() and not (tmp_path.parent / "evil.ipynb").exists()


@pytest.mark.parametrize(
    "files, found",
    [
        (["Jane/hw1.ipynb", "Jane/hw2.ipynb"], ["Jane/hw1.ipynb", "Jane/hw2.ipynb"]),  # one student's
        (["class/Jane.ipynb", "class/Joe.ipynb"], ["Jane.ipynb", "Joe.ipynb"]),  # everybody's
        (["Jane/hw1.ipynb"], ["Jane/hw1.ipynb"]),
    ],
)
def test_a_single_folder_is_a_class_or_a_student(files, found, tmp_path):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [inside for _, inside in grade.collect.notebooks(tmp_path)] == found


def test_the_newest_of_several_counts_and_a_wrong_assignment_is_named(tmp_path):
    found, looked = [], {}
    for number, (inside, told) in enumerate([
        ("Jane/hw1.ipynb", ("hw1", None)), ("Jane/hw1-Copy1.ipynb", ("hw1", None)), ("Jane/broken.ipynb", (None, "empty")),
        ("Joe/hw2.ipynb", ("hw1", None)), ("Jim/hw2.ipynb", ("hw2", None)),
    ]):  # fmt: skip
        path = tmp_path / str(number)
        path.touch()
        os.utime(path, (number, number))
        found.append((path, inside))
        looked[path] = told
    names = plugins.Names(assignments=["hw1", "hw2"])
    chosen, said = grade.collect.choose(found, names, looked)
    assert {key: file["path"].name for key, file in chosen.items()} == {("Jane", "hw1"): "1", ("Joe", "hw1"): "3", ("Jim", "hw2"): "4"}
    assert any("several" in sentence for sentence in said)
    chosen, _ = grade.collect.choose(found, names, looked, only="hw2")
    assert {key: file["problem"] for key, file in chosen.items()} == {
        ("Joe", "hw2"): "it is a notebook of hw1", ("Jim", "hw2"): None, ("Jane", "hw2"): "empty"}  # fmt: skip


def test_no_name_is_taken_for_a_formula(tmp_path):
    plugins.table(tmp_path / "grades.csv", ["student"], [["=1+1"], ["@x"], ["Jane"]])
    rows = list(csv.reader((tmp_path / "grades.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows == [["student"], ["'=1+1"], ["'@x"], ["Jane"]]


# --- A class ----------------------------------------------------------------------------------------------------------

ANSWERS = yaml.safe_load((ROOT / "tests/homework/hw1.yaml").read_text(encoding="utf-8"))
WRONG = ANSWERS[PART]["wrong"][0]["answer"]
POINTS = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in source_of("hw1").cells if runner.is_test(cell)}
LIMITS = ["--cell-seconds", "10", "--memory-mb", "1500", "--workers", "2"]
QUICK = {"contest": "print('what I found')"}  # an answer that a person grades and that takes no time

# What replaces the answer to PART: in each case it loses its points, and no other part does.
CODE = {
    "endless loop": "while True: pass",
    "endless loop when called": WRONG.splitlines()[0] + "\n    while True: pass",
    "endless output": "while True: print('x' * 1000)",
    "one huge output": "print('x' * 200_000_000)",
    "memory bomb": "held = []\nwhile True: held.append(b'x' * 50_000_000)",
    "memory bomb of many processes": "import os, time\nfor _ in range(20): os.fork()\nheld = b'x' * 90_000_000\ntime.sleep(60)",
    "fork bomb": "import os\nwhile True: os.fork()",
    "sys.exit": "import sys\nsys.exit(0)",
    "os._exit when called": WRONG.splitlines()[0] + "\n    import os; os._exit(0)",
    "exit": "exit()",
    "shuts the kernel down": "get_ipython().kernel.do_shutdown(False)",
    "kills everything it sees": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "a thread that ends the kernel": "import os, threading\nthreading.Timer(0, os._exit, [1]).start()\nimport time; time.sleep(3)",
    "Python 2": WRONG + "\nprint 'ready'",
    "half a cell": "def f(:",
    "no tests that fail": WRONG + """
import builtins, numpy.testing, course_utils
np.allclose = np.isclose = np.all = builtins.all = lambda *a, **k: True
np.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
class AssertionError(Exception): pass
builtins.AssertionError = AssertionError
for name in dir(course_utils): setattr(course_utils, name, lambda *a, **k: None)
get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)""",
    "errors are swallowed": WRONG + """
from IPython.core.interactiveshell import ExecutionResult
shell, run = get_ipython(), get_ipython().run_cell
def quiet(source, *a, **k):
    run("try:\\n" + "\\n".join("    " + line for line in source.splitlines()) + "\\nexcept BaseException: pass")
    return ExecutionResult(None)
shell.showtraceback = lambda *a, **k: None
type(shell).run_cell = lambda self, source, *a, **k: quiet(source)""",
    "another observe": WRONG + """
import builtins
def fake(value, *a, **k):
    from IPython.display import display
    display({"application/vnd.course.observed+json": {"value": None, "rtol": 1e9, "atol": 1e9, "judge": ["f", "f = bool"]}}, raw=True)
builtins.observe = observe = fake
class Names(dict):
    def __setitem__(self, name, value): dict.__setitem__(self, name, fake if name == "observe" else value)
get_ipython().user_ns = Names(get_ipython().user_ns)""",
    "partial points": WRONG + "\nget_ipython().events.register('post_run_cell', lambda *a: display(1000))",
    "reads the solutions": WRONG + """
import pathlib, sys
roots = [pathlib.Path("ROOT"), pathlib.Path("COURSE"), pathlib.Path(sys.prefix)]
wanted = ("hw*.ipynb", "hw*.yaml", "gradebook.db", "reference.json")
found = [path for root in roots for path in root.rglob("*") if any(map(path.match, wanted))]
exec(found[0].read_text())""",
    "reads a neighbour's file": WRONG + "\nprint(open('COURSE/submitted/Nobody_1000/hw1/hw1.ipynb').read())",
    "writes into the grade book": WRONG + "\nimport sqlite3\nsqlite3.connect('COURSE/gradebook.db').execute('drop table grade')",
    "writes where it can": WRONG + """
import os
for folder, _, _ in os.walk("/"):
    if not folder.startswith(("/proc", "/dev")):
        try:
            open(folder + "/left behind by homework", "w").write("x")
        except OSError: pass""",
    "fills the disk": "import itertools\nfor n in itertools.count(): open(f'/tmp/{n}', 'wb').write(b'x' * 90_000_000)",
    "fills the folder of the sockets": """
import json, os, time
from ipykernel.connect import get_connection_file
folder = os.path.dirname(get_connection_file())
open(folder + "/more", "wb").write(b"x" * 10_000_000)
time.sleep(5)""",
    "opens a socket": WRONG + "\nimport socket\nsocket.create_connection(('127.0.0.1', PORT), 5).send(b'hello')",
    "nested without end": "from IPython.display import display\ndeep = '['*5000 + ']'*5000\nimport json, sys\nsys.setrecursionlimit(10**6)\n"
    "value = x = []\nfor _ in range(3000): value = [value]\ndisplay({'application/json': value}, raw=True)",
    "an output that is a script": "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(\"evil\")</script>'))\n"
    "display({'image/svg+xml': '<svg onload=\"evil()\"/>', 'image/png': '\"><script>evil()</script>'}, raw=True)\nraise SystemError('<script>evil()</script>')",
}  # fmt: skip


# These harm themselves more: no later part gets points.
LOSE_ALL_LATER = {"shuts the kernel down", "another observe"}


def of_other_assignment():
    return (ROOT / "notebooks" / "01_one_hot_toy.ipynb").read_bytes()


def as_bytes(notebook):
    return json.dumps(notebook, ensure_ascii=False).encode()


def damaged(damage, right):
    """A notebook with damage, whose answer to PART is right or wrong."""
    notebook = solved("hw1", QUICK if right else QUICK | {PART: WRONG})
    damage(notebook)
    return as_bytes(notebook)


def of_50_megabytes():
    notebook = solved("hw1", QUICK)
    named(notebook, PART).outputs = [new_output("stream", text="x" * 50_000_000)]
    return as_bytes(notebook)


def with_a_script_in_the_text():
    notebook = solved("hw1", QUICK | {"picture": "My answer. <script>evil()</script><img src=x onerror='evil()'>"})
    notebook.cells.append(nbformat.v4.new_raw_cell("<script>evil()</script>", metadata={"raw_mimetype": "text/html"}))
    notebook.cells.insert(0, new_markdown_cell("<script>evil()</script>[link](javascript:evil())"))
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"</script>": "<script>evil()"}}}
    return as_bytes(notebook)


def files():
    """{name: (file name, content, what is expected)} of what is damaged; expected is points lost, or why it is not graded."""
    half = as_bytes(solved("hw1"))[:20_000]
    found = {
        "empty": ("hw1.ipynb", b"", "the file is empty"),
        "half": ("hw1.ipynb", half, "not a complete notebook"),
        "a PDF": ("hw1.ipynb", b"%PDF-1.7 \xff\xfe", "not a complete notebook"),
        "another notebook": ("hw1.ipynb", of_other_assignment(), "not a notebook of this homework"),
        "renamed": ("лаба 1 (копия).ipynb", as_bytes(solved("hw1", QUICK)), ()),
        "50 MB": ("hw1.ipynb", of_50_megabytes(), ()),
        "from Colab": ("Copy of hw1.ipynb", as_bytes(in_colab(solved("hw1", QUICK))), ()),
        "from VS Code": ("hw1.ipynb", as_bytes(in_vscode(solved("hw1", QUICK))), ()),
        "without labels": ("hw1.ipynb", as_bytes(without_labels(solved("hw1", QUICK))), ()),
        "a script in the text": ("hw1.ipynb", with_a_script_in_the_text(), ()),
    }
    for damage in DAMAGE:
        found[f"{damage.__name__} right"] = ("hw1.ipynb", damaged(damage, True), ())
    for damage in (delete_test, change_test, turn_test_into_text):
        found[f"{damage.__name__} wrong"] = ("hw1.ipynb", damaged(damage, False), (PART,))
    return found


def honest(number):
    """A student who answers some parts rightly, some in another way, some wrongly and some not; and what is expected."""
    draw, answers, lost = random.Random(number), dict(QUICK), []
    for part, known in ANSWERS.items():
        kind = draw.choice(["reference", "right", "wrong", "nothing"])
        if kind == "right":
            answers[part] = draw.choice(known["right"])
        elif kind == "wrong":
            answers[part] = draw.choice(known["wrong"])["answer"]
        elif kind == "nothing":
            answers[part] = named(release_of("hw1"), part).source
        if kind in ("wrong", "nothing"):
            lost.append(part)
    return as_bytes(solved("hw1", answers)), tuple(lost)


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory):
    """A class of 60, handed in through Moodle, graded in one go that is killed in the middle; gives what came out."""
    if NO_SANDBOX:
        pytest.skip(f"no sandbox here: {NO_SANDBOX}")
    folder, handed_in = tmp_path_factory.mktemp("moodle"), {}
    server = grade.sandbox.socket.create_server(("127.0.0.1", 0))
    for name, code in CODE.items():
        code = f"import os\nassert os.uname().nodename == 'sandbox', 'never outside'\n{code}"
        code = code.replace("COURSE", str(course)).replace("ROOT", str(ROOT)).replace("PORT", str(server.getsockname()[1]))
        lost = tuple(ANSWERS)[1:] if name in LOSE_ALL_LATER else (PART,)
        handed_in[name] = "hw1.ipynb", as_bytes(solved("hw1", QUICK | {PART: code})), lost
    handed_in |= files()
    for number in range(60 - len(handed_in)):
        handed_in[f"Žofie O'Neill-李 {number}"] = ("hw1.ipynb", *honest(number))
    students = {f"{name}_{1000 + number}": told for number, (name, told) in enumerate(handed_in.items())}
    with zipfile.ZipFile(folder / "Course-hw1-123.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for student, (name, content, _) in students.items():
            file.writestr(f"{student}_assignsubmission_file_/{name}", content)
    command = [sys.executable, ROOT / "tools/homework", "--course", course, "grade", folder / "Course-hw1-123.zip", "--hw", "hw1", *LIMITS]
    start = time.monotonic()
    with open(folder / "first.txt", "w", encoding="utf-8") as log:
        first = subprocess.Popen(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT)
        done = lambda: len(list(course.glob(".grading/hw1/*.student.json")))
        while done() < 15 and first.poll() is None:
            time.sleep(0.1)
        below = psutil.Process(first.pid).children(recursive=True)
        first.kill()
        first.wait()
    survivors = psutil.wait_procs(below, timeout=20)[1]
    kept = {path.name: path.read_text(encoding="utf-8") for path in course.glob(".grading/hw1/*.student.json")}
    second = program(*command[2:])
    seconds = time.monotonic() - start
    server.close()
    rows = list(csv.DictReader((course / "grades/hw1/grades.csv").read_text(encoding="utf-8-sig").splitlines()))
    results = [json.loads(path.read_text(encoding="utf-8")) for path in course.glob(".grading/hw1/*.student.json")]
    return {
        "course": course, "students": students, "rows": {row["student"]: row for row in rows}, "kept": kept,
        "survivors": survivors, "second": second, "seconds": seconds, "results": results, "zip": command[5],
    }  # fmt: skip


@needs_sandbox
def test_a_class_of_60_gets_exactly_the_expected_grades(graded):
    assert len(graded["students"]) == 60 and set(graded["rows"]) == set(graded["students"]), graded["second"].stderr
    wrong = []
    for student, (_, _, expected) in graded["students"].items():
        row = graded["rows"][student]
        if isinstance(expected, str):
            if expected not in row["notes"] or row["points"]:
                wrong.append(f"{student}: not refused: {row}")
            continue
        for test, points in POINTS.items():
            part = test.removesuffix("_test")
            got = row[f"{part} ({points:g})"]
            if got != f"{0 if part in expected else points:g}":
                wrong.append(f"{student}: {got or 'nothing'} of {points:g} points for {part}; notes: {row['notes']}")
    assert not wrong, "\n".join(wrong)


@needs_sandbox
def test_killed_in_the_middle_it_goes_on_where_it_was(graded):
    assert not graded["survivors"], "processes outlived the grader"
    assert 15 <= len(graded["kept"]) < 60
    for name, text in graded["kept"].items():
        assert (graded["course"] / ".grading/hw1" / name).read_text(encoding="utf-8") == text, f"graded twice: {name}"
    assert "60 notebooks, " in graded["second"].stdout and f" {len(graded['kept'])} of them graded already" in graded["second"].stdout


@needs_sandbox
def test_what_it_took(graded, record_property):
    """The numbers in the teacher's guide; the bounds are wide, as machines differ."""
    plain = [result for result in graded["results"] if result.get("running") and not result["notes"]]
    memory = max(result["peak_mb"] for result in plain)
    seconds = sorted(result["seconds"] for result in plain)[len(plain) // 2]
    print(f"\n60 notebooks in {graded['seconds']:.0f} s; a plain one: at most {memory} MB, median {seconds} s")
    assert memory < 1000


@needs_sandbox
def test_repairs_and_ends_are_told_in_the_feedback_and_nothing_runs_in_it(graded):
    pages = {}
    for student in graded["students"]:
        path = graded["course"] / "feedback" / student / "hw1" / "hw1.html"
        if path.exists():
            pages[student.rpartition("_")[0]] = path.read_text(encoding="utf-8")
    assert len(pages) == 60 - sum(isinstance(expected, str) for _, _, expected in graded["students"].values())
    for page in pages.values():
        assert "HIDDEN TESTS" not in page and "observe(" not in page
        assert not would_run(page)
    student = next(name for name in graded["students"] if name.startswith("a script in the text"))
    notebook = nbformat.read(graded["course"] / "autograded" / student / "hw1" / "hw1.ipynb", as_version=4)
    for cell in notebook.cells:  # which formgrader shows
        assert cell.cell_type != "raw" and not would_run(markdown2html(cell.source)), cell.source
    assert "was missing and has been put back" in pages["delete_test wrong"]
    assert "MB of memory" in pages["memory bomb of many processes"]
    assert "it took more than 10 s" in pages["endless loop"] and "put out more than" in pages["one huge output"]
    assert any(reason in pages["fork bomb"] for reason in ("started more than", "MB of memory"))


def would_run(page):
    """What a browser would run of the students' in an HTML page."""
    found = []

    class Parser(html.parser.HTMLParser):
        tag = None

        def handle_starttag(self, tag, attributes):
            found.extend(f"{name}={value}" for name, value in attributes if "evil" in str(value))
            self.tag = tag

        def handle_data(self, data):
            if self.tag == "script" and "evil" in data:
                found.append(data)

        def handle_endtag(self, tag):
            self.tag = None

    Parser().feed(page)
    return found


def test_a_students_text_becomes_harmless():
    text = "if $a<b$ and x < y & z\\n![p](attachment:a.png) **bold** [link](https://a.b)"
    assert repair.harmless(text) == text.replace("a<b", "a< b")
    bad = "<script>evil()</script>[a](javascript:evil())[b](java&#115;cript:evil())![c](http://evil/x.png)<img onerror=evil()>"
    assert would_run(markdown2html(bad)) and not [f for f in would_run(markdown2html(repair.harmless(bad))) if "http://" not in f]


@needs_sandbox
def test_nothing_was_left_behind_outside(graded):
    for root in (graded["course"], ROOT / "tools", ROOT / "course_utils", Path(sys.prefix) / "bin"):
        assert not list(root.rglob("left behind*"))
    assert not (Path.home() / "left behind by homework").exists()


@needs_sandbox
def test_only_what_changed_is_graded_again_and_a_persons_points_are_kept(graded):
    course = graded["course"]
    student = next(name for name in graded["students"] if name.startswith("renamed"))
    with grade.Gradebook(grade.nbgrader_api(course).coursedir.db_url) as gradebook:
        mark = gradebook.find_grade("picture", "hw1", "hw1", student)
        assert mark.needs_manual_grade
        mark.manual_score, mark.needs_manual_grade = 3, False
        gradebook.find_comment("picture", "hw1", "hw1", student).manual_comment = "Well seen."
        gradebook.db.commit()
    other = next(name for name in graded["students"] if name.startswith("empty"))
    (course / "submitted" / other / "hw1" / "hw1.ipynb").write_bytes(as_bytes(solved("hw1", QUICK)))
    told = program("--course", course, "grade", "--hw", "hw1", *LIMITS)
    assert "59 of them graded already" in told.stdout and "1 feedback pages written anew" in told.stdout, told.stdout + told.stderr
    rows = list(csv.DictReader((course / "grades/hw1/grades.csv").read_text(encoding="utf-8-sig").splitlines()))
    rows = {row["student"]: row for row in rows}
    assert float(rows[student]["points"]) == sum(POINTS.values()) + 3 and rows[student]["to be graded by a person"] == "2"
    assert float(rows[other]["points"]) == sum(POINTS.values())
    assert "Well seen." in (course / "feedback" / student / "hw1" / "hw1.html").read_text(encoding="utf-8")
    moodle = list(csv.DictReader((course / "grades/hw1/moodle.csv").read_text(encoding="utf-8").splitlines()))
    assert {"Identifier": f"Participant {student.rpartition('_')[2]}", "Full name": "renamed",
            "Grade": rows[student]["points"], "Last modified (grade)": "-"} in moodle  # fmt: skip
    canvas = list(csv.DictReader((course / "grades/hw1/canvas.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["ID"]: row["hw1"] for row in canvas}[student.rpartition("_")[2]] == rows[student]["points"]


@needs_sandbox
def test_the_other_assignments_go_through_the_whole_grader(tmp_path):
    """In one go: the reference's answers get all points that tests give; a mistake in every other part loses its points."""
    others, mistakes = ASSIGNMENTS[1:], {}
    course = copy_course(tmp_path / "course", others)
    for name in others:
        answers = yaml.safe_load((ROOT / "tests/homework" / f"{name}.yaml").read_text(encoding="utf-8"))
        mistakes[name] = {part: answers[part]["wrong"][0]["answer"] for part in list(answers)[::2]}
        quick = {cell.metadata.nbgrader.grade_id: "print('what I found')" for cell in by_hand(source_of(name))}
        for student, given in (("Right", quick), ("Wrong", quick | mistakes[name])):
            (tmp_path / "in" / student).mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / student / f"{name}.ipynb").write_bytes(as_bytes(solved(name, given)))
    told = program("--course", course, "grade", tmp_path / "in", "--workers", 2)
    for name in others:
        rows = list(csv.DictReader((course / "grades" / name / "grades.csv").read_text(encoding="utf-8-sig").splitlines()))
        rows = {row["student"]: row for row in rows}
        for cell in filter(runner.is_test, source_of(name).cells):
            part, points = cell.metadata.nbgrader.grade_id.removesuffix("_test"), cell.metadata.nbgrader.points
            head = f"{part} ({points:g})"
            assert rows["Right"][head] == f"{points:g}", told.stdout + told.stderr
            assert rows["Wrong"][head] == ("0" if part in mistakes[name] else f"{points:g}"), f"{part}\n{told.stdout}"


# --- Without a sandbox ------------------------------------------------------------------------------------------------


def test_without_a_sandbox_it_refuses_and_says_how_to_go_on(course, tmp_path):
    env = os.environ | {"PATH": str(tmp_path)}
    told = program("--course", course, "grade", "--hw", "hw1", env=env)
    assert told.returncode == 1 and told.stderr.startswith("NOT GRADED: ") and "--no-sandbox" in told.stderr
    assert "all your rights" in told.stderr


def test_without_a_sandbox_a_switch_grades_all_the_same(tmp_path):
    """In a course of its own: the hostile class must never be graded like this."""
    course = copy_course(tmp_path / "harmless", ["hw1"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Jane.ipynb").write_bytes(as_bytes(solved("hw1", QUICK | {PART: WRONG})))
    told = program("--course", course, "grade", tmp_path / "in", "--hw", "hw1", "--no-sandbox", "--workers", 2)
    points = sum(POINTS.values()) - POINTS[TEST]
    assert "WARNING" in told.stdout and f"Jane: {points:g} of" in told.stdout, told.stdout + told.stderr


@needs_sandbox
def test_the_probe_notices_what_can_be_seen():
    assert "it can see" in sandbox.probe([sys.executable])


def test_a_wrong_name_is_answered_with_what_there_is(course):
    told = program("--course", course, "grade", "--hw", "hw99")
    assert told.returncode == 1 and "The assignments are: hw1" in told.stderr
    assert "There is no nowhere" in program("grade", "nowhere").stderr
