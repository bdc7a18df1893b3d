"""Run lessons from top to bottom in fresh kernels and store them with clean outputs.

    python tools/run_notebooks.py [notebooks/01_one_hot_toy.ipynb …]      without a name: all lessons
"""

import base64
import io
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def peak_memory(pid):
    """The most memory that a process has held so far, in MB (None where the system has no /proc)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def smaller(png):
    """The same picture, base64 in and out, with at most 256 colours: figures need no more, and notebooks stay light."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(256)
    with io.BytesIO() as file:
        picture.save(file, format="PNG", optimize=True)
        return base64.b64encode(file.getvalue()).decode()


def clean(notebook):
    """Remove from a notebook what would change with every run or machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        kept = ("tags", "slideshow", "jupyter", "cellView")
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in kept}
        if {"quiz", "flashcards"} & set(cell.metadata.get("tags", [])):
            cell.outputs = []  # scripts that a page shows only after it was run
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)  # the text beside it stays
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
            if "metadata" in output:
                output.metadata = {}
    return notebook


def run(notebook, folder, kernel_name="python3", **kernel_options):
    """Run all cells of a notebook in `folder`; return the kernel's peak memory in MB. An error in a cell is raised."""
    peak = []
    client = NotebookClient(notebook, kernel_name=kernel_name, timeout=1800, resources={"metadata": {"path": str(folder)}})

    def note_memory(**_):
        peak.append(peak_memory(client.km.provisioner.pid))

    client.on_cell_executed = note_memory
    client.execute(**kernel_options)
    return peak[-1] if peak else None


def warnings_in(notebook):
    """What cells wrote to stderr."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == "stderr")


def main(paths):
    """Run and store the notebooks; one that fails or warns stays as it was. Returns the number of failures."""
    os.environ["TQDM_DISABLE"] = "1"  # progress bars would leave traces in the outputs
    failures = 0
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        try:
            memory = run(notebook, path.parent)
            problem = warnings_in(notebook)
        except Exception as error:
            problem = str(error) or repr(error)
        if problem:
            failures += 1
            print(f"{path.name}: FAILED, left as it was\n{problem}", file=sys.stderr)
        else:
            path.write_text(nbformat.writes(clean(notebook)) + "\n", encoding="utf-8")
            print(f"{path.name}: {time.perf_counter() - start:.0f} s, at most {memory or float('nan'):.0f} MB", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or sorted(ROOT.glob("notebooks/*.ipynb"))))
