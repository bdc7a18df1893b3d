"""Does every task judge? Run a lesson with its solutions, then try the answers that tests/tasks lists for it.

    python tools/try_tasks.py notebooks/01_one_hot_toy.ipynb …

1. Every "your turn" cell gets its solution. Cells that take less than a second are run twice: that must do no harm.
2. When the whole lesson has run, every solution is tried once more, as by a reader who comes back to it later.
3. Every right answer must get a ✓ from every check of its cell, every wrong one a ✗ with the hint that is listed.
"""

import copy
import re
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parent.parent


def is_task(cell):
    return "your-turn" in cell.metadata.get("tags", [])


def split_answer(source):
    """The lines that the reader fills in, and the checks that follow."""
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if re.match(r"check\w*\(", line)), len(lines))
    return "\n".join(lines[:first]), "\n".join(lines[first:])


def solution(markdown):
    """The code of the solution that folds out below a "your turn" cell."""
    return re.search(r"<details>\s*<summary>Solution.*?```python\n(.*?)```", markdown, re.S)[1]


def tasks_of(notebook):
    """{name of the task: (solution, checks)}; the name is what the stored output of its cell says."""
    tasks = {}
    for cell, following in zip(notebook.cells, notebook.cells[1:]):
        if is_task(cell):
            name = re.search(r"◯ (.*?): not tried yet", printed(cell))[1]
            tasks[name] = solution(following.source), split_answer(cell.source)[1]
    return tasks


def answers_of(path):
    """What tests/tasks lists for a lesson: {name: {"right": [code, …], "wrong": [{"answer": code, "hint": text}, …]}}."""
    file = ROOT / "tests" / "tasks" / f"{path.stem}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {} if file.exists() else {}


def printed(cell):
    """All text that a code cell put out, without pictures; of an error, its last line."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", ""))
        texts += [text for mime, text in output.get("data", {}).items() if not mime.startswith("image/")]
        if output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}")
    return "\n".join(str(text) for text in texts)


def passed(text):
    return "✓" in text and not set("✗◯") & set(text)


def problems(notebook, answers, folder, kernel_name="python3", **kernel_options):
    """Run and try everything; return a list of sentences about what went wrong. An error in a lesson's cell is raised."""
    notebook = copy.deepcopy(notebook)
    tasks = tasks_of(notebook)
    found = [f"{name}: no such task" for name in answers if name not in tasks]
    client = NotebookClient(notebook, kernel_name=kernel_name, timeout=1800, resources={"metadata": {"path": str(folder)}})

    def run(source):
        notebook.cells.append(new_code_cell(source, metadata={"tags": ["raises-exception"]}))
        return printed(client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1))

    def try_solution(name, when):
        code, checks = tasks[name]
        text = run(code + "\n" + checks)
        if not passed(text):
            found.append(f"{name}: the solution fails {when}\n{text}")

    with client.setup_kernel(**kernel_options):
        for number, (cell, following) in enumerate(zip(list(notebook.cells), [*notebook.cells[1:], None])):
            if cell.cell_type != "code":
                continue
            if is_task(cell):
                cell.source = solution(following.source) + "\n" + split_answer(cell.source)[1]
            start = time.perf_counter()
            client.execute_cell(cell, number)
            if time.perf_counter() - start < 1:
                client.execute_cell(cell, number)
            if is_task(cell) and not passed(printed(cell)):
                found.append(f"the solution fails:\n{cell.source}\n{printed(cell)}")

        for name in tasks:
            try_solution(name, "after the whole lesson has run")
        for name in set(answers) & set(tasks):
            checks = tasks[name][1]
            for code in answers[name]["right"]:
                text = run(code + "\n" + checks)
                if not passed(text):
                    found.append(f"{name}: a right answer is rejected\n{code}\n{text}")
            for wrong in answers[name]["wrong"]:
                text = run(wrong["answer"] + "\n" + checks)
                if not ("✗" in text and wrong["hint"] in text):
                    found.append(f"{name}: a wrong answer does not get the hint “{wrong['hint']}”\n{wrong['answer']}\n{text}")
            try_solution(name, "after other answers")
    return found


if __name__ == "__main__":
    failed = False
    for path in map(Path, sys.argv[1:]):
        for problem in problems(nbformat.read(path, as_version=4), answers_of(path), path.parent):
            failed = True
            print(f"{path.name}: {problem}\n", file=sys.stderr)
    sys.exit(failed)
