"""Homework, for teachers (notebooks/homework/README.md).

    python tools/homework release             make release/ from source/, check it, and zip what is handed out
    python tools/homework grade SUBMISSIONS   grade a folder or a zip; without SUBMISSIONS, what was collected before
    python tools/homework table               write the table of planted mistakes into the README
"""

import argparse
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the package's parent, in place of its folder

from homework import sandbox  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="homework", description="Make and grade homework; see notebooks/homework/README.md")
    parser.add_argument("--course", type=Path, default=sandbox.ROOT / "notebooks" / "homework", help="the nbgrader course")
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="make release/ from source/, check it, and zip what is handed out")
    release.add_argument("assignments", nargs="*", help="such as hw1; all without")
    grade = commands.add_parser("grade", help="grade a folder or a zip")
    grade.add_argument("submissions", nargs="?", type=Path, help="folder or zip; without, what was collected before")
    grade.add_argument("--hw", help="only this assignment")
    grade.add_argument("--workers", type=int, help="how many notebooks at a time; half of the cores without")
    grade.add_argument("--no-sandbox", action="store_true", help="run students' code with all your rights")
    for name, value in sandbox.LIMITS.items():
        grade.add_argument(f"--{name.replace('_', '-')}", type=int, default=value, help=f"{value} without")
    commands.add_parser("table", help="write the table of planted mistakes into the README")
    told = parser.parse_args()
    try:
        import nbgrader  # noqa: F401
    except ImportError:
        sys.exit("nbgrader is not installed. Run `make homework` or `make grade`, or install the extra: pip install -e '.[grade]'")
    if told.command == "grade":
        from homework.grade import grade as run

        if told.submissions:
            told.submissions = told.submissions.expanduser()
        if told.submissions and not told.submissions.exists():
            sys.exit(f"There is no {told.submissions}.")
        limits = {name: getattr(told, name) for name in sandbox.LIMITS}
        return run(told.course, told.submissions, told.hw, told.workers, {"sandboxed": not told.no_sandbox, "limits": limits})
    from homework import release

    if told.command == "table":
        print("rewritten" if release.table(told.course) else "The table is up to date.")
        return 0
    return release.make(told.course, told.assignments)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)
    sys.exit(bool(main()))
