"""Make what is handed out, and prove that it can be graded."""

import os
import sys
import zipfile
from pathlib import Path

import nbformat
from nbgrader.preprocessors import CheckCellMetadata
from nbgrader.validator import Validator

from homework import observe, plugins, repair, runner, sandbox
from homework.grade import assignments_of, nbgrader_api


def complaints(source, released, validate, reference):
    """What is wrong with an assignment: a list of sentences. `reference` is what the solved source sends."""
    found = []
    tests = [cell for cell in source.cells if runner.is_test(cell)]
    for cell in tests:
        name = cell.metadata.nbgrader.grade_id
        if not runner.hidden_tests(cell.source) or not reference.get(name):
            found.append(f"{name} has no hidden test that sends something")
        elif observe.can_be_guessed(reference[name]):
            found.append(f"{name}: what its hidden tests send can be guessed (small whole numbers, text): send more, or name a judge")
        if not cell.metadata.nbgrader.points:
            found.append(f"{name} gives no points")
    parts = repair.named(source)
    for name, cell in parts.items():
        if cell.metadata.nbgrader.solution and not cell.metadata.nbgrader.grade and f"{name}_test" not in parts:
            found.append(f"the answer {name} has no test cell {name}_test")
    failed = {repair.plain(cell["source"]) for cell in validate(source)}
    found += [f"the solved source fails: {text[:80]}" for text in failed]
    failed = {repair.plain(cell["source"]) for cell in validate(released)}
    for name, cell in repair.named(released).items():
        code, grader = cell.cell_type == "code", cell.metadata.nbgrader
        if code and runner.is_test(cell) and repair.plain(cell.source) not in failed:
            found.append(f"{name} passes although nothing is answered yet")
        elif code and grader.locked and not grader.grade and repair.plain(cell.source) in failed:
            found.append(f"the given cell {name} fails in the release")
        failed.discard(repair.plain(cell.source))
    return found + [f"a cell that is not graded fails in the release: {text[:80]}" for text in failed]


def make(course, assignments=()):
    """Release, check and zip; returns the number of complaints, which are printed."""
    course, count = Path(course).resolve(), 0
    shut_in = sandbox.probe([course]) is None  # here the code is the teacher's own
    os.chdir(course)
    api = nbgrader_api(course, {"sandboxed": shut_in})
    execute = plugins.SandboxedExecute(parent=api)
    api.config.Validator.validate_all = True

    def validate(notebook):
        path = Path(".grading", "check.ipynb")
        plugins.write(path, nbformat.writes(notebook))
        validator = Validator(parent=api, preprocessors=[CheckCellMetadata, plugins.SandboxedExecute], ignore_checksums=True)
        return validator.validate(str(path.absolute())).get("failed", [])

    for name in assignments or assignments_of(course):
        told = api.generate_assignment(name)
        if not told["success"]:
            sys.exit(told.get("log", "") + told["error"])
        source = nbformat.read(Path("source", name, f"{name}.ipynb"), as_version=4)
        released = plugins.released_notebook(name)
        try:
            found = complaints(source, released, validate, execute.reference(name))
        except RuntimeError as error:
            found = [str(error)]
        count += len(found)
        points = sum(cell.metadata.nbgrader.points for cell in released.cells if cell.metadata.get("nbgrader", {}).get("grade"))
        zipped = sandbox.ROOT / "build" / "homework" / f"{name}.zip"
        zipped.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(Path("release", name, f"{name}.ipynb"), f"{name}.ipynb")
        print(f"{name}: {points:g} points; to hand out: {zipped}" if not found else f"{name}:")
        for sentence in found:
            print(f"  ✗ {sentence}")
    return count


MARKS = "<!-- made by: python tools/homework table -->", "<!-- end of the table -->"


def table(course):
    """Write into the README which mistakes every part was tried with (tests/homework/*.yaml); True if that changed it."""
    import yaml

    lines = []
    for file in sorted((sandbox.ROOT / "tests" / "homework").glob("hw*.yaml")):
        lines += ["", f"**{file.stem}**", "", "| part | mistakes that lose its points | other right answers |", "|---|---|---|"]
        for part, answers in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            mistakes = " · ".join(answer["name"].replace("|", "\\|") for answer in answers["wrong"])
            lines.append(f"| `{part}` | {mistakes} | {len(answers['right'])} |")
    readme = Path(course, "README.md")
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    new = "\n".join([before + MARKS[0], *lines, "", MARKS[1]]) + rest.split(MARKS[1])[1]
    readme.write_text(new, encoding="utf-8", newline="\n")
    return new != text
