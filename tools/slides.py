"""Turn the lessons into HTML files that need no kernel: slides in build/slides, pages to read in build/pages.

    python tools/slides.py [--pages] [--reveal ADDRESS] [notebooks/01_one_hot_toy.ipynb …]

--pages   pages in place of slides
--reveal  address of reveal.js; without it the slides load it from the network

A heading begins a new slide, every other piece of prose a slide below it, and the code, the figure and the caption
that belong to it stay with it. Long slides scroll. Set-up, imports, hints and solutions are left out.
"""

import argparse
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, SlidesExporter

import links

ROOT = Path(__file__).resolve().parent.parent

# What nbconvert's theme lacks for WCAG 2 AA: 4.5 : 1 for code and prompts, links in a text told by more than colour.
READABLE = """<style>
.highlight .mf, .highlight .mi { color: #006400 !important; }
.highlight .o, .highlight .ow { color: #7800c2 !important; }
.highlight .c1 { color: #2b6060 !important; }
.jp-InputPrompt, .jp-OutputPrompt { color: #5c5c5c !important; }
.jp-RenderedHTMLCommon a:link { text-decoration: underline; }
.reveal pre { white-space: pre-wrap !important; }
</style></head>"""


def slide_type(cell):
    tags = cell.metadata.get("tags", [])
    if "quiz" in tags and cell.cell_type == "markdown":
        return "subslide"
    if "setup" in tags or cell.source.startswith("import ") or "<details>" in cell.source:
        return "skip"
    if cell.cell_type == "code" or cell.source.startswith("**Figure"):
        return "-"
    return "slide" if cell.source.startswith("#") else "subslide"


def described(html, cells):
    """The HTML of these cells, readable, with the texts of their pictures: nbconvert's own template drops these."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    soup = BeautifulSoup(html.replace("</head>", READABLE, 1), "html.parser")
    for picture, image in zip(pictures, soup.select(".jp-RenderedImage img"), strict=True):
        image["alt"] = picture.metadata.get("image/png", {}).get("alt") or image["alt"]
    return str(soup)


def read(path):
    """A notebook without the state of its widgets: no page needs it, and what Colab stores nbconvert cannot read."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    return notebook


def slides(path, reveal=None):
    """The slides of one notebook, as HTML text."""
    notebook = read(path)
    for cell in notebook.cells:
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell)}
    look = {"reveal_scroll": True, "reveal_transition": "none", "reveal_width": "1400", "reveal_height": "900"}
    exporter = SlidesExporter(**look, **({"reveal_url_prefix": reveal} if reveal else {}))
    html = exporter.from_notebook_node(notebook)[0]
    return described(html, [cell for cell in notebook.cells if slide_type(cell) != "skip"])


def page(path):
    """One notebook as a page to read, as HTML text: with its own title, folded code, and links from page to page."""
    notebook = read(path)
    name = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    exporter = HTMLExporter(exclude_anchor_links=True)
    html = exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}})[0]
    soup = BeautifulSoup(described(html, notebook.cells), "html.parser")
    for box in soup.select("[tabindex]"):  # every cell would be a stop of the Tab key
        del box["tabindex"]
    for code in soup.select(".jp-CodeCell .jp-InputArea-editor"):
        first = code.get_text().strip().splitlines()[0]
        if first.startswith(("# @title", "# Set-up")):  # what JupyterLab and Colab fold, or need not be read
            fold, summary = soup.new_tag("details"), soup.new_tag("summary")
            summary.string = "Code: " + first.removeprefix("# @title").strip("# ")
            code.wrap(fold).insert(0, summary)
    for mark, word in (("✗", "No."), ("✓", "Yes.")):  # many voices leave the signs out
        for text in soup.find_all(string=lambda text: text.startswith(mark)):
            if text.find_parent("details") and text.parent.name == "p" and not text[1:].strip().startswith(("Yes", "No")):
                text.replace_with(f"{mark} {word}{text[1:]}")
    for link in soup.select("a[href]"):
        if "://" not in link["href"]:
            link["href"] = link["href"].replace(".ipynb", ".html")
    return str(soup)


def main(paths, *, pages=False, reveal=None, root=ROOT):
    """Write slides or pages of the notebooks below root/build. One that fails is named; returns their number."""
    folder = root / "build" / ("pages" if pages else "slides")
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for path in paths:
        target = folder / (f"{path.stem}.html" if pages else f"{path.stem}.slides.html")
        try:
            html = page(path) if pages else slides(path, reveal)
        except Exception as error:
            failures += 1
            print(f"{path.name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            target.write_text(html, encoding="utf-8", newline="\n")
            print(target.relative_to(root).as_posix(), flush=True)
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--pages", action="store_true")
    parser.add_argument("--reveal")
    args = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    sys.exit(bool(main(links.lessons(args.lessons), pages=args.pages, reveal=args.reveal)))
