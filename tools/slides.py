"""Turn the lessons into slides that need no kernel and no network, in build/slides.

    python tools/slides.py [--to FOLDER] [notebooks/01_one_hot_toy.ipynb …]        needs the extra `site`

A deck comes from the metadata of the cells, "slideshow": {"slide_type": …}, as Jupyter and RISE know it:

slide     begins a slide. If its text has no heading, the section's heading stands above it, small.
-         stays on the slide
fragment  comes at the next click
notes     text for the speaker, not on the slide
skip      is left out, as set-up, imports, checks, hints and solutions are

Beside the slide_type may stand: "minutes" (how long this slide takes) and "notes" (what to ask the room, what goes
wrong) in the cell that begins a slide, and "show": "code" or "output" for one of the two. Folded code shows only its
outputs. Of a caption and of the line below a lesson's title the first sentence is shown, the rest goes to the notes.
Every question of a quiz is a slide of its own, and its answers come with a click.

Everything a deck needs lies beside it: reveal.js and its font from the package sphinx-revealjs, MathJax from
sphinx-mathjax-offline, style and script from tools/deck.
"""

import argparse
import html
import importlib.util
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup

import links

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = re.compile(r"<details><summary>Solution.*?</summary>\s*(.*?)\s*</details>", re.S)
TYPES = ("slide", "-", "fragment", "notes", "skip")


def read(path):
    """A notebook without the state of its widgets: no page needs it, and what Colab stores nbconvert cannot read."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    return notebook


# --- What stands on which slide ---------------------------------------------------------------------------------------


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def slide_type(cell):
    """What the metadata of the cell says; without it a heading begins a slide, and the rest follows."""
    heading = cell.cell_type == "markdown" and cell.source.startswith("#")
    return cell.metadata.get("slideshow", {}).get("slide_type", "slide" if heading else "-")


def first_sentence(text):
    """A paragraph, cut behind its first sentence. The number of a figure is no sentence."""
    head = re.match(r"\*\*Figure \d+\.\*\* ", text)
    start = head.end() if head else 0
    end = re.search(r"[.?!](\*\*)?(?=\s+[\"“*(A-Z])", text[start:])
    cut = start + end.end() if end else len(text)
    return text[:cut], text[cut:].strip()


def questions(source):
    """The quizzes of a cell: [(question, [(choice, verdict), …]), …]."""
    found = []
    for quiz in source.split("**Quiz.**")[1:]:
        question = quiz.split("<details>")[0].replace("*Choose, then open your choice.*", "").strip()
        choices = re.findall(r"<details><summary>(.*?)</summary>\s*(.*?)\s*</details>", quiz, re.S)
        found.append((question, choices))
    return found


def deck(notebook):
    """The slides of a lesson: [{"title", "body": [HTML, …], "notes": [HTML, …], "minutes"}, …]."""
    slides, section = [], ""

    def begin(title, minutes=None, notes=""):
        slides.append({"title": title, "body": [], "notes": [markdown(notes)] if notes else [], "minutes": minutes})

    for cell in notebook.cells:
        kind, source = slide_type(cell), cell.source
        heading = re.match(r"#+ (.*)\n*", source) if cell.cell_type == "markdown" else None
        if heading:
            section = heading[1]
        if kind == "skip":
            if slides and (solution := SOLUTION.search(source)):
                slides[-1]["notes"].append(markdown(f"**Solution.**\n\n{solution[1]}"))
            continue
        if kind == "notes":
            if not slides or cell.cell_type == "code":
                raise ValueError(f"no slide for these notes, or they are code: {source[:60]}")
            slides[-1]["notes"].append(markdown(source))
            continue
        about = cell.metadata.get("slideshow", {})
        if kind == "slide":
            sort = "Quiz" if tagged(cell, "quiz") else "Your turn · " * tagged(cell, "your-turn") + section
            running = f'<p class="running">{inline(sort)}</p>'
            begin(markdown(heading[0]) if heading else running, about.get("minutes"), about.get("notes", ""))
        elif not slides:
            raise ValueError(f"the first slide begins later than: {source[:60]}")
        if heading and kind == "slide":
            source = source[heading.end() :]
        if cell.cell_type == "code":
            new, notes = code(cell), ""
        elif tagged(cell, "quiz"):
            asked = questions(source)
            for number, one in enumerate(asked):
                if number:
                    begin(slides[-1]["title"])
                slides[-1]["body"].append(quiz(*one))
                slides[-1]["minutes"] = about.get("minutes", 0) / len(asked)
            continue
        else:
            new, notes = text(source, is_title=cell is notebook.cells[0])
        if kind == "fragment":  # a figure keeps its place in the layout
            figure = re.sub('^<figure(?: class="(.*?)")?', r'<figure class="fragment \1"', new)
            new = figure if figure != new else f'<div class="fragment">{new}</div>'
        slides[-1]["body"].append(new)
        slides[-1]["notes"] += [markdown(notes)] if notes else []
    return slides


# --- HTML -------------------------------------------------------------------------------------------------------------

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?!\d)", re.S)
FENCED = re.compile(r"(```.*?```|`[^`\n]+`)", re.S)


@cache
def reader():
    from markdown_it import MarkdownIt  # not at the top: rules about slides need no HTML

    return MarkdownIt("commonmark", {"html": True}).enable("table")


def markdown(source, inline=False):
    """Markdown with formulas as HTML; MathJax finds these by their class."""
    kept = []

    def keep(match):
        wide, short = match.groups()
        formula = rf"\[{wide}\]" if wide else rf"\({short}\)"
        tag = "div" if wide and re.search(r"(^|\n)\s*$", source[: source.find(match[0])]) else "span"
        kept.append(f'<{tag} class="math">{html.escape(formula, quote=False)}</{tag}>')
        return f"\ue000{len(kept) - 1}\ue001"  # letters that no text has

    parts = FENCED.split(links.A_BADGE.sub("", source))
    source = "".join(part if part.startswith("`") else FORMULA.sub(keep, part) for part in parts)
    made = reader().renderInline(source) if inline else reader().render(source)
    made = re.sub("<p>(\ue000\\d+\ue001)</p>", r"\1", made)
    made = re.sub("\ue000(\\d+)\ue001", lambda match: kept[int(match[1])], made)
    made = re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.slides.html', made)
    return re.sub(r'href="(?!https?:|#|\d\d_\w+\.slides\.html)([^"]*)"', absolute, made)


def absolute(match):
    """A link to another file of the repository, from a notebook's folder, leads to the repository."""
    path = match[1].removeprefix("../") if match[1].startswith("../") else f"notebooks/{match[1]}"
    return f'href="{links.address()}/blob/main/{path}"'


def inline(source):
    return markdown(source, inline=True)


def text(source, is_title=False):
    """A text cell: what stands on the slide, as HTML, and what goes to the notes, as Markdown."""
    if is_title:
        source = links.A_BADGE.sub("", source)
        promise = source.strip().split("\n\n")[0]  # below it stand reading time and needs
        source, notes = first_sentence(promise)
        return f'<div class="promise">{markdown(source)}</div>', notes
    if source.startswith("**Figure"):
        paragraph, _, rest = source.partition("\n\n")
        caption, notes = first_sentence(paragraph)
        return f'<p class="caption">{inline(caption)}</p>' + markdown(rest), notes
    return f'<div class="text">{markdown(source)}</div>', ""


def quiz(question, choices):
    """A question for the room. The answers come with one click."""
    rows = ""
    for choice, verdict in choices:
        verdict = re.sub(r"^✗ (?!No\b)", "✗ No. ", re.sub(r"^✓ (?!Yes\b)", "✓ Yes. ", verdict))
        rows += f'<li>{inline(choice)}<div class="answer fragment" data-fragment-index="0">{markdown(verdict)}</div></li>'
    return f'<div class="quiz"><div class="text">{markdown(question)}</div><ol type="A">{rows}</ol></div>'


def code(cell):
    """A code cell: its source unless it is folded, and its outputs unless they wait for an answer."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    show = cell.metadata.get("slideshow", {}).get("show", "output" if folded else "both")
    parts = []
    if show in ("both", "code"):
        source = re.sub(r"\n{3,}", "\n\n", re.sub(r"^# @title.*\n", "", cell.source))
        parts.append(highlight(source, PythonLexer(), HtmlFormatter(cssclass="code" + short(source))))
    if show in ("both", "output") and not tagged(cell, "your-turn"):
        parts += [output(one) for one in cell.get("outputs", [])]
    parts = [part for part in parts if part]
    if len(parts) == 1 and parts[0].startswith("<figure"):
        return parts[0]
    return f'<div class="cell">{"".join(parts)}</div>' if parts else ""


def short(told):
    """A class for text whose lines have room for larger letters."""
    return " short" if max(map(len, told.splitlines())) <= 62 else ""


def output(one):
    data = one.get("data", {})
    if "image/png" in data:
        about = one.metadata.get("image/png", {})
        alt = html.escape(about.get("alt") or "No description has been provided for this image")
        wide = about.get("width", 2) / about.get("height", 1)
        kind = f' class="upright" data-wide="{wide:.2f}"' if wide <= 1.5 else ""
        return f'<figure{kind}><img src="data:image/png;base64,{data["image/png"].strip()}" alt="{alt}"></figure>'
    told = one.get("text", data.get("text/plain", ""))
    told = re.sub(r"(?m)^(✓ .*?) \(expected .*\)$|^You guessed .*\n?", r"\1", told)  # for readers, not for the room
    return f'<pre class="output{short(told)}">{html.escape(told.rstrip())}</pre>' if told.strip() else ""


def section(slide, number, slides):
    """One slide. A single figure that is not wide stands beside the text."""
    so_far = sum(one["minutes"] or 0 for one in slides[:number])
    minutes = slide["minutes"] or 0
    clock = f"<p><b>{so_far:g} min so far</b>{f', this slide: {minutes:g}' if minutes else ''}</p>"
    body, kind = BeautifulSoup("".join(slide["body"]), "html.parser"), 'class="body"'
    if len(body.select("figure")) == 1 == len(body.select("figure.upright")) and len(slide["body"]) > 1:
        figure = body.figure.extract()
        kind = f'class="beside" style="--wide: {figure["data-wide"]}"'
        body = f'<div class="words">{body}</div>{figure}'
    return (
        f'<section><header>{slide["title"]}</header><div {kind}>{body}</div>'
        f'<aside class="notes">{clock}{"".join(slide["notes"])}</aside></section>'
    )


def template(name, **fill):
    made = (ROOT / "tools/deck" / name).read_text(encoding="utf-8")
    for word, value in fill.items():
        made = made.replace(f"%{word}%", str(value))
    return made


def slides(path):
    """The deck of one notebook, as HTML text."""
    notebook = read(path)
    made = deck(notebook)
    title = BeautifulSoup(made[0]["title"], "html.parser").get_text().strip()
    sections = "\n".join(section(slide, number, made) for number, slide in enumerate(made))
    minutes = sum(slide["minutes"] or 0 for slide in made)
    return template("deck.html", title=html.escape(title), slides=len(made), minutes=f"{minutes:g}", sections=sections)


def index(folder):
    """The page that lists the decks of a folder."""
    rows = ""
    for path in sorted(folder.glob("*.slides.html")):
        head = path.read_text(encoding="utf-8")[:2000]
        title = re.search("<title>(.*?)</title>", head, re.S)[1]
        count, minutes = (re.search(f'name="{word}" content="(.*?)"', head)[1] for word in ("slides", "minutes"))
        minutes = f"{minutes} min" if minutes != "0" else "–"
        rows += f'<tr><td><a href="{path.name}">{title}</a></td><td>{count}</td><td>{minutes}</td></tr>\n'
    return template("index.html", rows=rows)


def package(name):
    return Path(importlib.util.find_spec(name).origin).parent


def copy_assets(folder):
    """What all decks of a folder share: reveal.js, its font, MathJax, style and script."""
    reveal, mathjax = package("sphinx_revealjs") / "_static/revealjs", package("sphinx-mathjax-offline") / "static/mathjax"
    font = "dist/theme/fonts/source-sans-pro"
    for name in ("LICENSE", "dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", font):
        copy(reveal / name, folder / "reveal" / name)
    for name in ("tex-chtml-full.js", "output/chtml/fonts/woff-v2"):
        copy(mathjax / name, folder / "mathjax" / name)
    for name in ("deck.css", "deck.js"):
        copy(ROOT / "tools/deck" / name, folder / name)


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.eot"))
    else:
        shutil.copy(source, target)


def main(paths, *, root=ROOT, to=None):
    """Write decks of the notebooks to `to`, or root/build/slides. What fails is named; returns how many did."""
    folder = to or root / "build" / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for path in paths:
        target = folder / f"{path.stem}.slides.html"
        try:
            made = slides(path)
        except Exception as error:
            failures += 1
            print(f"{path.name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            target.write_text(made, encoding="utf-8", newline="\n")
            print(target.relative_to(to or root).as_posix(), flush=True)
    (folder / "index.html").write_text(index(folder), encoding="utf-8", newline="\n")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--to", type=Path)
    args = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    failures = main(links.lessons(args.lessons), to=args.to)
    copy_assets(args.to or ROOT / "build/slides")
    sys.exit(bool(failures))
