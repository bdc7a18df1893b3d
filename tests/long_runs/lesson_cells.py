"""What long runs share: names that some cells of a lesson define, so that a script runs the lesson's own code, and a
choice of experiments on the command line."""

import argparse
import os
import platform
import sys
from pathlib import Path

import jax
import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # `course_utils`, in a checkout that is not installed


def lesson_cells(number, needed):
    """Run the set-up cell of a lesson ("01") and the code cells that contain one of the texts; return their names.

    The folder becomes that of the notebooks, as in JupyterLab. Raises ValueError for a text that no cell contains.
    """
    os.chdir(ROOT / "notebooks")
    names, left = {"__name__": "__main__"}, set(needed)
    for cell in nbformat.read(next(Path().glob(f"{number}_*.ipynb")), as_version=4).cells:
        found = [text for text in ["# Set-up.", *needed] if text in cell.source]
        if cell.cell_type == "code" and found:
            exec(cell.source, names)
            left -= set(found)
    if left:
        raise ValueError(f"no code cell of lesson {number} contains {sorted(left)}")
    return names


def run(doc, *experiments):
    """Run the experiments (functions without arguments) that the command line names, or all, and say on what."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="*", help="all, if none is named")
    chosen, by_name = parser.parse_args().experiment, {function.__name__: function for function in experiments}
    if wrong := [name for name in chosen if name not in by_name]:
        parser.error(f"no experiment {', '.join(wrong)}; there are: {', '.join(by_name)}")
    print(f"Python {platform.python_version()}, JAX {jax.__version__}, {jax.devices()[0].device_kind}")
    for name in chosen or by_name:
        print(f"\n{name}", flush=True)
        by_name[name]()
