"""nbgrader's configuration of the homework. README.md in this folder says how it is used."""

import os
import sys

c = get_config()  # noqa: F821, nbgrader provides it
here = os.path.dirname(os.path.abspath(__file__))
tools = os.environ.get("HOMEWORK_TOOLS", os.path.join(here, "..", "..", "tools"))
sys.path.insert(0, os.path.abspath(tools))
# nbgrader calls a program, alembic, that lies beside this Python, also where the environment is not activated.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")

c.CourseDirectory.root = here
c.CourseDirectory.course_id = "autoencoders"
c.CourseDirectory.db_url = f"sqlite:///{here}/gradebook.db?timeout=60"  # several processes write into it

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

c.SandboxedExecute.course = here

# Repair before grading, run in the sandbox, judge hidden tests from outside.
c.Autograde.exporter_class = "homework.plugins.Reader"
c.Autograde.sanitize_preprocessors = [
    "homework.plugins.Repair",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "homework.plugins.SandboxedExecute",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    "homework.plugins.HideTests",
]
c.HTMLExporter.sanitize_html = True  # a student's Markdown must not run in a browser, neither here nor in formgrader
