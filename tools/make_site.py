"""Build the site in build/site: the lessons as pages, from their stored outputs, and all that stands around them.

    python tools/make_site.py [--links]        needs the extra `site` of pyproject.toml; `make site` sets it up

The sources are gathered in build/site-source, with the folders of the repository, so that links between files stay
right: the notebooks (folded cells become folded inputs), docs/*.md, parts of README.md, and pages that are made here
and nowhere else: the scoreboard, the package's reference, the list of the explorers. Sphinx makes HTML of them, a
warning is an error, and `finish` mends what it writes. Slides (build/slides) and handouts (build/pdf) that are there
are taken in. --links asks every address outside the site instead, and names those that do not answer.
"""

import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import links
import reference
import scoreboard

ROOT = Path(__file__).resolve().parent.parent


# --- Links ------------------------------------------------------------------------------------------------------------

A_LINK = re.compile(r"""(\]\(|\b(?:src|href)=")([^)\s"]+)([)"])""")


def relink(text, old, new, pages, root=ROOT):
    """Markdown that was written as the file `old` and is read as the page `new` (paths below the root): its links.

    pages: {file: page}. A link to another file of the repository leads to the repository's address. A link to a file
    that is not there stays, for Sphinx to complain about.
    """

    def renewed(match):
        before, target, after = match.groups()
        path, mark, anchor = target.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return match[0]
        file = os.path.normpath(PurePosixPath(old).parent / path).replace(os.sep, "/")
        if file in pages:
            path = os.path.relpath(pages[file], PurePosixPath(new).parent).replace(os.sep, "/")
        elif (root / file).exists():
            path = f"{links.address(root)}/{'tree' if (root / file).is_dir() else 'blob'}/main/{file}"
        return before + path + mark + anchor + after

    text = re.sub(r"\[!\[([^\]]*)\]\(https?:[^)]*\)\]", r"[\1]", text)  # a badge would be fetched from elsewhere
    parts = re.split(r"(```.*?```)", text, flags=re.S)  # code keeps its texts
    return "".join(part if part.startswith("```") else A_LINK.sub(renewed, part) for part in parts)


def section(text, heading):
    """What stands in Markdown below `## heading`, up to the next heading of its level; "" without that heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


# --- Lessons ----------------------------------------------------------------------------------------------------------


def source(cell):
    return "".join(cell["source"])


def link_row(name, explorers=(), root=ROOT):
    """The line of links below a lesson's title, HTML. `take_in` puts slides and handout into the last span."""
    colab = f"https://colab.research.google.com/github/{links.repo(root)}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{links.repo(root)}/main?urlpath=lab/tree/notebooks/{name}.ipynb"
    row = [f'<a href="{colab}">Open in Colab</a>', f'<a href="{binder}">Run on Binder</a>']
    row.append(f'<a href="{name}.ipynb" download>Download the notebook</a>')
    row += [f'<a href="../explorers/{e["name"]}/index.html">Explorer: {html.escape(e["title"])}</a>' for e in explorers]
    row.append('<span class="course-made"></span>')
    return f'<nav class="course-links" aria-label="This lesson elsewhere">{"".join(row)}</nav>'


def spoken(text):
    """Answers of a quiz: many voices leave ✓ and ✗ out, so a word stands beside them."""
    text = re.sub(r"^✗ (?!No\b)", "✗ No. ", text, flags=re.M)
    return re.sub(r"^✓ (?!Yes\b|Right\b)", "✓ Yes. ", text, flags=re.M)


def lesson(notebook, name, explorers=(), root=ROOT):
    """A notebook as MyST-NB shall read it. The notebook is a dict and stays as it was."""
    notebook = json.loads(json.dumps(notebook))
    for number, cell in enumerate(notebook["cells"]):
        text, meta = source(cell), cell["metadata"]
        tags = meta.setdefault("tags", [])
        if cell["cell_type"] == "markdown":
            if number == 0:
                text = links.A_BADGE.sub(lambda _: link_row(name, explorers, root), text)
            text = re.sub(rf"\[([^\]]+)\]\({re.escape(links.site(root))}/([^)]+)\)", r'<a href="../\2">\1</a>', text)
            text = re.sub(r"\n\(Offline: [^)]*\)", "", text)  # these pages are
            for kind in ("quiz", "flashcards"):
                if kind in tags:
                    text = f'<div class="course-{kind}">\n\n{spoken(text) if kind == "quiz" else text}\n\n</div>'
        else:
            first, _, rest = text.partition("\n")
            about = "Set-up" if "setup" in tags else None
            if meta.get("jupyter", {}).get("source_hidden") and first.startswith("# @title "):
                about, text = first.removeprefix("# @title "), rest
            if about:
                tags.append("hide-input")
                prompts = dict.fromkeys(("code_prompt_show", "code_prompt_hide"), f"Code: {about}")
                meta.setdefault("mystnb", {}).update(prompts)
            for output in cell["outputs"]:
                size = output.get("metadata", {}).get("image/png", {})
                if "width" in size:  # a picture has two pixels for one on the page
                    meta.setdefault("mystnb", {}).setdefault("image", {})["width"] = f"{size['width']}px"
        cell["source"] = text
    return notebook


def picture(notebook):
    """The bytes and the text of a notebook's first picture."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                data = "".join(output["data"]["image/png"])
                return base64.b64decode(data), cell["metadata"]["mystnb"]["image"]["alt"]


# --- The explorers ----------------------------------------------------------------------------------------------------


def explorers(root=ROOT):
    """The pages docs/explorers/*/index.html: name, title, description, and the lessons that they link to."""
    found = []
    for path in sorted(root.glob("docs/explorers/*/index.html")):
        text = path.read_text(encoding="utf-8")
        named = re.search(r"<title>(.*?)</title>", text, re.S)
        about = re.search(r'<p class="lead">(.*?)</p>', text, re.S)
        lessons = sorted(set(re.findall(r"""href="[^"]*?(\d\d_\w+)\.(?:html|ipynb)""", text)))
        plain = lambda match: " ".join(html.unescape(re.sub(r"<[^>]*>", "", match[1])).split()) if match else ""
        named, about = plain(named), plain(about)
        found.append({"name": path.parent.name, "title": named or path.parent.name, "about": about, "lessons": lessons})
    return sorted(found, key=lambda one: (one["lessons"], one["name"]))


EXPLORERS = """\
# Explorers

Pages to play with, made for one lesson each. They need no Python and no network: a network of the lesson computes in
your browser. Mouse, finger and keyboard work.

"""


def explorer_list(found):
    text = EXPLORERS
    for one in found:
        lessons = ", ".join(f"[lesson {name[:2]}](notebooks/{name}.ipynb)" for name in one["lessons"])
        text += f'**<a href="explorers/{one["name"]}/index.html">{html.escape(one["title"])}</a>**'
        text += f" {'(' + lessons + ')' if lessons else ''}\n: {one['about'] or 'An explorer.'}\n\n"
    return text


def copy_explorers(target, root=ROOT):
    """docs/explorers as a part of the site: links to lessons lead to their pages."""
    if (root / "docs/explorers").is_dir():
        shutil.copytree(root / "docs/explorers", target, dirs_exist_ok=True)
        for page in target.glob("*/index.html"):
            text = page.read_text(encoding="utf-8")
            text = re.sub(r'href="[^"]*?(\d\d_\w+)\.(?:html|ipynb)', r'href="../../notebooks/\1.html', text)
            page.write_text(text, encoding="utf-8", newline="\n")


# --- All pages --------------------------------------------------------------------------------------------------------


def prepare(target, root=ROOT):
    """Write the sources of all pages below `target`, anew."""
    shutil.rmtree(target, ignore_errors=True)
    files = {}  # page: text
    lessons = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in links.lessons([], root)}
    plays = explorers(root)

    pages = {f"notebooks/{name}.ipynb": f"notebooks/{name}.ipynb" for name in lessons}
    pages |= {path.relative_to(root).as_posix(): path.relative_to(root).as_posix() for path in root.glob("docs/*.md")}
    pages |= {
        "docs/index.md": "index.md",
        "README.md": "index.md",
        "docs/toy.png": "docs/toy.png",
        "data/README.md": "data/README.md",
    }
    homework = "notebooks/homework/README.md"
    if (root / homework).exists():
        pages[homework] = homework
    written = ("scoreboard.md", "explorers.md", "run.md", "contribute.md", "licences.md", "api/index.md")
    pages |= {f"docs/{page}": page for page in written if page != "explorers.md" or plays}

    def read(file):
        return (root / file).read_text(encoding="utf-8")

    for file, page in pages.items():
        if file.endswith(".md") and (root / file).exists() and file != "README.md":
            files[page] = relink(read(file), file, page, pages, root)
    readme = read("README.md")

    def from_readme(heading):
        return relink(section(readme, heading), "README.md", "run.md", pages, root)

    files["run.md"] = "# Run it yourself\n\n" + from_readme("Start").replace("## ", "### ")
    if "docs/lecturers.md" not in files and from_readme("For lecturers and teachers"):
        files["lecturers.md"] = "# For lecturers and teachers\n\n" + from_readme("For lecturers and teachers")
    files["contribute.md"] = "# Contribute\n\n" + from_readme("Contribute a lesson")
    files["licences.md"] = "# Licences\n\n" + from_readme("Licence")
    for name, file in (("Code (MIT)", "LICENSE"), ("Text and figures (CC BY 4.0)", "LICENSE-TEXT")):
        files["licences.md"] += f"\n\n## {name}\n\n```text\n{read(file).strip()}\n```\n"
    files["scoreboard.md"] = scoreboard.page(lessons)
    if plays:
        files["explorers.md"] = explorer_list(plays)
    modules = [path for path in sorted(root.glob("course_utils/*.py")) if path.stem != "__init__"]
    files |= {f"api/{path.stem}.md": reference.page(path) for path in modules}
    files["api/index.md"] = reference.overview(root / "course_utils/__init__.py", modules)
    files["api/index.md"] += tree("", [f"api/{path.stem}" for path in modules])

    map_, alt = picture(lessons["00_start_here"]) if "00_start_here" in lessons else (b"", "")
    order = "run explorers scoreboard docs/lecturers lecturers notebooks/homework/README"
    others = f"{order} api/index data/README licences contribute".split()
    more = [page for page in others if f"{page}.md" in files]
    more[2:2] = sorted(page[:-3] for page in files if page.startswith("docs/") and page[:-3] not in others)
    fill = {"lessons": from_readme("Lessons").split("\n\n")[0], "alt": alt, "explorers": ""}
    if plays:
        fill["explorers"] = "- [**Explorers**](explorers.md): pages to play with, in the browser alone."
    for word, text in fill.items():
        files["index.md"] = files["index.md"].replace(f"%{word}%", text)
    files["index.md"] += tree("Lessons", [f"notebooks/{name}" for name in lessons]) + tree("Around them", more)

    for page, text in files.items():
        (target / page).parent.mkdir(parents=True, exist_ok=True)
        (target / page).write_text(text, encoding="utf-8", newline="\n")
    (target / "notebooks").mkdir(exist_ok=True)
    for name, notebook in lessons.items():
        mine = [one for one in plays if name in one["lessons"]]
        text = json.dumps(lesson(notebook, name, mine, root))
        (target / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    (target / "docs").mkdir(exist_ok=True)
    shutil.copy(root / "docs/toy.png", target / "docs")
    (target / "map.png").write_bytes(map_)


def tree(caption, pages):
    rows = "\n".join(f"/{page}" for page in pages)
    return f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n{':caption: ' + caption if caption else ''}\n\n{rows}\n```\n"


def finish(text):
    """The HTML of one page, mended: a figure holds its caption, a fold and a box have names."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(text, "html.parser")
    for summary in soup.select("summary"):
        if summary.find_parent("details", class_="hide"):  # "Toggle hidden content", each of them
            del summary["aria-label"]
        elif summary.find_parent("nav") and not summary.get_text(strip=True):
            summary["aria-label"] = f"Pages below {summary.find_parent('li').a.get_text(' ', strip=True)}"
    for image in soup.select(".cell_output img"):
        cell = image.find_parent("div", class_="cell")
        caption = cell.find_next_sibling()
        number = caption is not None and caption.name == "p" and re.match(r"Figure (\d+)\.", caption.get_text())
        if number:
            figure = soup.new_tag("figure", attrs={"class": "course-figure", "id": f"figure-{number[1]}"})
            link = image.find_parent("a") or image.wrap(soup.new_tag("a", attrs={"href": image["src"]}))
            link["class"], link["aria-label"] = "course-enlarge", f"Enlarge figure {number[1]}"
            link.wrap(figure)
            caption.extract()
            caption.name = "figcaption"
            figure.append(caption)
    name_parts(soup)
    return str(soup)


def name_parts(soup):
    """What a screen reader says: a box is code or output, a quiz is a group under its question, a row has a header."""
    for selector, name in ((".highlight pre", "Code"), (".cell_output pre", "Output")):
        for box in soup.select(selector):
            box["role"], box["aria-label"] = "group", name
    names = set()
    for box in soup.select(".pst-scrollable-table-container"):
        heading = box.find_previous(["h1", "h2", "h3", "h4"])
        name = f"Table: {heading.get_text(strip=True).rstrip('#')}" if heading else "Table"
        if name in names:  # the second one of a section
            name += ", " + ", ".join(head.get_text(" ", strip=True) for head in box.select("thead th"))
        names.add(name)
        box["role"], box["aria-label"] = "group", name
    for number, question in enumerate(soup.select(".course-quiz > p"), start=1):
        choices = [tag for tag in question.find_next_siblings() if tag.name == "details" and tag.find_previous_sibling("p") is question]
        if choices:
            question["id"] = f"question-{number}"
            group = soup.new_tag("div", attrs={"role": "group", "aria-labelledby": question["id"]})
            question.wrap(group)
            group.extend(choices)
    for row in soup.select("table:has(thead) tbody tr"):
        if (first := row.td) is not None:
            first.name, first["scope"] = "th", "row"


def take_in(site, root=ROOT):
    """Slides and handouts that were made become a part of the site, and the pages link to them."""
    for made in ("slides", "pdf"):
        if (root / "build" / made).is_dir():
            shutil.copytree(root / "build" / made, site / made, dirs_exist_ok=True)
    for page in [site / "index.html", *site.glob("notebooks/*.html")]:
        if page.name == "index.html":
            up, there = "", {"slides/index.html": "Slides of all lessons", "pdf/book.pdf": "The course as a book (PDF)"}
        else:
            up, there = "../", {f"slides/{page.stem}.slides.html": "Slides", f"pdf/{page.stem}.pdf": "Handout (PDF)"}
        row = "".join(f'<a href="{up}{file}">{text}</a>' for file, text in there.items() if (site / file).is_file())
        text = page.read_text(encoding="utf-8")
        text = re.sub(r'(<span class="course-made">).*?(</span>)', rf"\g<1>{row}\g<2>", text)
        page.write_text(text, encoding="utf-8", newline="\n")


def sphinx(builder, sources, target, root=ROOT):
    """Run Sphinx with warnings as errors; returns its exit code."""
    options = f"-b {builder} -W --keep-going -q -j auto".split()
    options += ["-c", str(root / "docs"), "-d", str(root / "build/site-cache")]
    return subprocess.run([sys.executable, "-m", "sphinx", *options, str(sources), str(target)], cwd=root).returncode


def main(root=ROOT, only_links=False):
    """Build the site, or ask what it links to; returns the exit code."""
    sources, site = root / "build/site-source", root / "build/site"
    prepare(sources, root)
    if only_links:
        return sphinx("linkcheck", sources, root / "build/links", root)
    shutil.rmtree(site, ignore_errors=True)
    if code := sphinx("html", sources, site, root):
        return code
    copy_explorers(site / "explorers", root)
    for page in site.rglob("*.html"):
        if page.relative_to(site).parts[0] not in ("explorers", "_static"):
            page.write_text(finish(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    take_in(site, root)
    for path in links.lessons([], root):
        shutil.copy(path, site / "notebooks")
    print(f"{(site / 'index.html').relative_to(root).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(only_links=sys.argv[1:] == ["--links"]))
