"""What nbgrader lacks, as parts that its configuration names (notebooks/homework/nbgrader_config.py)."""

import asyncio
import csv
import hashlib
import importlib.metadata
import json
import os
import re
import sys
import unicodedata
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.v4 import new_markdown_cell
from nbgrader.plugins import ExportPlugin, FileNameCollectorPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict, List, Unicode

from homework import repair, runner, sandbox


def released_notebook(assignment, course="."):
    return nbformat.read(Path(course, "release", assignment, f"{assignment}.ipynb"), as_version=4)


class Reader(NotebookExporter):
    """Reads what was handed in as repair.read does; nbgrader's own files as they are."""

    def from_filename(self, filename, resources=None, **options):
        if Path(filename).absolute().parents[2].name != "submitted":  # submitted/student/assignment/notebook
            return super().from_filename(filename, resources, **options)
        return self.from_notebook_node(repair.read(Path(filename)), resources, **options)


class Repair(NbGraderPreprocessor):
    """Takes the place of nbgrader's DeduplicateIds; the repairs are told at the top of the notebook."""

    notes = []  # of the last notebook

    def preprocess(self, notebook, resources):
        notebook, notes = repair.repair(notebook, released_notebook(resources["nbgrader"]["assignment"]))
        tell(notebook, "Before it was graded, this notebook was put in order", notes)
        Repair.notes = notes
        return notebook, resources


def tell(notebook, title, notes):
    """Put sentences at the top of a notebook, where the feedback shows them."""
    if notes:
        lines = "\n".join("- " + re.sub(r"[<>&$`\\|\[\]]", "", note) for note in notes)
        notebook.cells.insert(0, new_markdown_cell(f"**{title}:**\n\n{lines}", id=f"told-{len(notebook.cells)}"))


class SandboxedExecute(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute: runs in the sandbox, and judges the hidden tests from outside."""

    sandboxed = Bool(True, help="False: students' code runs with all your rights.").tag(config=True)
    limits = Dict({}, help="Other limits than those in tools/homework/sandbox.py.").tag(config=True)
    course = Unicode(".", help="The course's folder.").tag(config=True)

    last = None  # the last run

    def preprocess(self, notebook, resources):
        assignment = resources.get("nbgrader", {}).get("assignment")
        wanted = self.reference(assignment) if assignment else {}
        run = SandboxedExecute.last = self.run(notebook)
        runner.judge(run, wanted)
        tell(notebook, "While it ran", run.notes)
        return notebook, resources

    def run(self, notebook, fill_cache=False):
        cache = Path(self.course, ".grading", "cache").absolute()
        run = runner.Run(notebook, sandbox.LIMITS | self.limits, self.sandboxed, cache, fill_cache)
        return asyncio.run(run.execute())

    def reference(self, assignment):
        """What the reference solution sends in every test cell; worked out once for each state of the source."""
        source = Path(self.course, "source", assignment, f"{assignment}.ipynb")
        path = Path(self.course, ".grading", assignment, "reference.json")
        key = digest(source)
        if path.exists() and (known := json.loads(path.read_text(encoding="utf-8")))["key"] == key:
            return known["observed"]
        run = self.run(nbformat.read(source, as_version=4), fill_cache=True)
        for cell in run.notebook.cells:
            if cell.cell_type == "code" and (error := runner.error_of(cell)):
                raise RuntimeError(f"The solved {assignment} fails: {error.ename}: {error.evalue}\n{cell.source[:200]}")
        write(path, json.dumps({"key": key, "observed": run.observed}))
        return run.observed


def digest(*files):
    """A text that changes when one of the files, the grader, course_utils or a package changes."""
    code = [*sorted(Path(__file__).parent.glob("*.py")), *sorted((sandbox.ROOT / "course_utils").glob("*.py"))]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("jax", "flax", "numpy", "scipy", "nbgrader")]
    contents = [sys.version.encode(), *map(str.encode, versions), *(path.read_bytes() for path in (*code, *files))]
    return hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()


def write(path, text):
    """Write a file in one step: it is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + f".{os.getpid()}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


class HideTests(NbGraderPreprocessor):
    """For the feedback: without the hidden tests."""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code":
            cell.source = runner.HIDDEN.sub("", cell.source).rstrip()
        return cell, resources


class Names(FileNameCollectorPlugin):
    """The student that a file belongs to, from its path in what an LMS, nbgrader or a mailbox gives.

    Every pattern is a named_regexp as nbgrader's ZipCollect takes it, for a path with / between folders.
    """

    patterns = List(
        [
            # The outermost place counts: what a student calls a file or a folder in a zip must not lead to somebody else.
            r"(?:[^/]*/)*?(?P<student_id>[^/]+?_\d+)_assignsubmission_file_",  # Moodle, with and without folders
            r"(?:[^/]*/)*?(?:Submissions|Abgaben)/(?:Team [^/]*/)?(?P<student_id>[^/]+)/(?P<timestamp>\d{14})?",  # ILIAS
            r"(?:.*/)?(?P<student_id>[^/_]+(?:_LATE)?_\d+)_\d+_[^/]*$",  # Canvas
            r"(?:.*/)?(?P<student_id>[^/]+)/(?:ASSIGNMENT)/[^/]*$",  # nbgrader: student/assignment/notebook
            r"(?:.*/)?(?P<student_id>[^/]+)/[^/]*$",  # one folder for each student
            r"(?:(?:ASSIGNMENT)[ _-]*)?(?P<student_id>.+?)(?:[ _-]*(?:ASSIGNMENT))?(?:[ _-]*(?:\(\d+\)|copy\d*))*\.ipynb$",
        ],
        help="Regular expressions, tried in this order; ASSIGNMENT stands for the names of all assignments.",
    ).tag(config=True)
    assignments = List([]).tag(config=True)

    def collect(self, path):
        for pattern in self.patterns:
            self.named_regexp = "(?i)" + pattern.replace("ASSIGNMENT", "|".join(map(re.escape, self.assignments)))
            if found := re.match(self.named_regexp, path):
                name = unicodedata.normalize("NFC", found["student_id"].replace("_LATE", ""))
                name = re.sub(r"[\x00-\x1f*?\[\]{}+\\/:\"<>|,]", "_", name).encode()[:150].decode(errors="ignore").strip(" .")
                return {"student_id": name or "nobody", "timestamp": found.groupdict().get("timestamp")}
        return {"student_id": "nobody", "timestamp": None}


class Parts(ExportPlugin):
    """A table with a row for each student and a column for each part, and forms that Moodle and Canvas import.

    `nbgrader export --exporter=homework.plugins.Parts --assignment='["hw1"]'` writes grades/hw1/*.csv.
    """

    def export(self, gradebook):
        for assignment in gradebook.assignments:
            if not self.assignment or assignment.name in self.assignment:
                self.write(assignment)

    def write(self, assignment):
        folder = Path(self.to or "grades", assignment.name)
        files = Path(".grading", assignment.name).glob("*.student.json")
        results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        told = {result["student"]: result for result in results}
        order = list(repair.named(released_notebook(assignment.name)))
        parts = [cell for notebook in assignment.notebooks for cell in notebook.grade_cells if cell.name in order]
        parts.sort(key=lambda part: order.index(part.name))
        most = number(sum(part.max_score for part in parts))
        heads = [f"{part.name.removesuffix('_test')} ({part.max_score:g})" for part in parts]
        rows, moodle, canvas = [], [], []
        submissions = {submission.student.id: submission for submission in assignment.submissions}
        for student in sorted(submissions.keys() | told.keys()):
            result = told.get(student, {"problem": None, "notes": []})
            scores, open_parts, total, late = ["" for _ in parts], 0, "", 0
            if student in submissions and not result["problem"]:
                submission = submissions[student]
                grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
                grades = [grades[part.name] for part in parts]
                open_parts = sum(grade.needs_manual_grade for grade in grades)
                given = [grade.auto_score is not None or grade.manual_score is not None for grade in grades]
                scores = [number(grade.score) if there else "" for grade, there in zip(grades, given)]
                late = submission.late_submission_penalty or 0
                total = number(max(0, submission.score - late))
                name, _, identity = student.rpartition("_")
                identity = identity if identity.isdigit() else ""
                moodle.append([f"Participant {identity}" if identity else "", name or student, total, "-"])
                canvas.append([name or student, identity, "", "", "", total])
            notes = " ".join(filter(None, [result["problem"], *result["notes"]]))
            rows.append([student, total, most, open_parts, number(late), *scores, notes])
        heads = ["student", "points", "of", "to be graded by a person", "late penalty", *heads, "notes"]
        table(folder / "grades.csv", heads, rows)
        table(folder / "moodle.csv", ["Identifier", "Full name", "Grade", "Last modified (grade)"], moodle)
        heads = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment.name]
        table(folder / "canvas.csv", heads, [["    Points Possible", "", "", "", "", most], *canvas])


def number(value):
    return f"{value:g}"


def table(path, heads, rows):
    """Write a CSV file that a spreadsheet shows as it is: no name is taken for a formula."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8-sig" if path.name == "grades.csv" else "utf-8", newline="") as file:
        safe = [[f"'{entry}" if str(entry)[:1] in ("=", "+", "@", "\t", "\r") else entry for entry in row] for row in rows]
        csv.writer(file).writerows([heads, *safe])
    new.replace(path)
