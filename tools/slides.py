"""Turn the lessons into slides: build/slides/NAME.slides.html, one HTML file each.

    python tools/slides.py [REVEAL]    REVEAL: address of reveal.js; without it the slides load it from the network

A heading begins a new slide, every other piece of prose a slide below it, and the code, the figure and the caption
that belong to it stay with it. Long slides scroll. Set-up, imports, hints and solutions are left out.
"""

import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

ROOT = Path(__file__).resolve().parent.parent


def slide_type(cell):
    if "setup" in cell.metadata.get("tags", []) or cell.source.startswith("import ") or "<details>" in cell.source:
        return "skip"
    if cell.cell_type == "code" or cell.source.startswith("**Figure"):
        return "-"
    return "slide" if cell.source.startswith("#") else "subslide"


def slides(path, reveal=None):
    """The slides of one notebook, as HTML text."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell)}
    look = {"reveal_scroll": True, "reveal_transition": "none", "reveal_width": "1400", "reveal_height": "900"}
    exporter = SlidesExporter(**look, **({"reveal_url_prefix": reveal} if reveal else {}))
    html = exporter.from_notebook_node(notebook)[0]
    return html.replace("</head>", "<style>.reveal pre { white-space: pre-wrap !important; }</style></head>", 1)


if __name__ == "__main__":
    folder = ROOT / "build" / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(ROOT.glob("notebooks/*.ipynb")):
        (folder / f"{path.stem}.slides.html").write_text(slides(path, *sys.argv[1:2]), encoding="utf-8")
        print(f"build/slides/{path.stem}.slides.html")
