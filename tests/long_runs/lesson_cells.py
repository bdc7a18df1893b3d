"""What long runs share: the names that some cells of a lesson define, so that a script runs the lesson's own code."""

import os
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def lesson_cells(number, needed):
    """Run the set-up cell of a lesson ("01") and the code cells that contain one of the texts; return their names.

    The folder becomes that of the notebooks, as in JupyterLab.
    """
    os.chdir(NOTEBOOKS)
    names = {"__name__": "__main__"}
    for cell in nbformat.read(next(NOTEBOOKS.glob(f"{number}_*.ipynb")), as_version=4).cells:
        if cell.cell_type == "code" and any(text in cell.source for text in ["# Set-up.", *needed]):
            exec(cell.source, names)
    return names
