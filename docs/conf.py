"""How Sphinx builds the site. tools/make_site.py gathers the sources and starts it; `make site` does all of it."""

import importlib.util
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links

project = "Autoencoders, from one-hot to β-VAE"
author = copyright = "The authors of the course"
language = "en"
html_title = project
html_short_title = "Autoencoders"

extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx_copybutton"]
nb_execution_mode = "off"  # the pages show the stored outputs
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 4
smartquotes = False
copybutton_selector = "div.cell_input pre, div.highlight-python pre, div.highlight-default pre"

html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": links.address(),
    "use_repository_button": True,
    "use_download_button": False,  # each lesson has its own line of links
    "use_fullscreen_button": False,
    "show_toc_level": 1,
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": "Text and figures: CC BY 4.0. Code: MIT. The data sets keep their own licences.",
    "navbar_persistent": [],  # the search stands in the sidebar; a second one would need a bar of its own
    "search_bar_text": "Search the course",
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None

# MathJax lies beside the pages. Without its menu no formula is a stop of the Tab key; MathML for voices stays.
mathjax_path = "mathjax/tex-chtml-full.js"
mathjax3_config = {"options": {"enableMenu": False}}


def copy_mathjax(app, exception):
    """MathJax and its fonts, from the PyPI package that carries them."""
    if exception is None:
        package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
        there, here = package / "static/mathjax", Path(app.outdir) / "_static/mathjax"
        for name in (mathjax_path.split("/")[1], "output/chtml/fonts/woff-v2"):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (there / name).is_dir() else shutil.copy
            copy(there / name, here / name)


def setup(app):
    app.connect("build-finished", copy_mathjax)
