"""Print the site's lessons: a handout each, build/pdf/01_one_hot_toy.pdf …, and the whole course, build/pdf/book.pdf.

    .venv-site/bin/python tools/make_pdf.py [01_one_hot_toy …]        after `make site`; with names, only these handouts

Needs the extra `site`, and a browser: $CHROMIUM, or a chromium or google-chrome on the PATH. The pages are those of the
site: code that draws is left out, an answer to a quiz becomes a letter, and verdicts, hints and solutions stand at the
end of their lesson. At last the site links to what was made.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from bs4 import BeautifulSoup

import links
import make_site

ROOT = Path(__file__).resolve().parent.parent
TITLE = "Autoencoders, from one-hot to β-VAE"
LETTERS = "ABCDEFGH"

PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="../site/_static/pygments.css"><link rel="stylesheet" href="../../docs/_static/print.css">
<script>window.MathJax = {{options: {{enableMenu: false, processHtmlClass: "math", ignoreHtmlClass: ".*"}}}};</script>
<script src="../site/_static/mathjax/tex-chtml-full.js"></script></head>
<body>{body}</body></html>
"""

# What is wider than the page becomes smaller: paper does not scroll.
FIT = """() => {
    for (const math of document.querySelectorAll("div.math mjx-container, table")) {
        const room = math.parentElement.clientWidth;
        if (math.scrollWidth > room) math.style.fontSize = `${Math.floor(100 * room / math.scrollWidth)}%`;
    }
}"""

SMALL = "font: 8px sans-serif; color: #444; width: 100%; padding: 0 18mm; display: flex; justify-content: space-between"
FOOTER = f'<div style="{SMALL}"><span class="title"></span><span class="pageNumber"></span></div>'
PAPER = {"format": "A4", "print_background": True, "outline": True, "tagged": True, "display_header_footer": True}
PAPER |= {"header_template": "<span></span>", "footer_template": FOOTER}
PAPER |= {"margin": {"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"}}


def lesson(html, name, others=()):
    """The HTML of one lesson for paper. Ids begin with `name`; links to lessons in `others` lead to their ids."""
    soup = BeautifulSoup(html, "html.parser")
    article = soup.select_one("article.bd-article")
    for useless in article.select(".course-links, .headerlink, script, nav"):
        useless.extract()
    for fold in article.select("details.hide"):
        cell = fold.find_parent("div", class_="cell")
        fold.extract()
        if cell is not None and not cell.get_text(strip=True) and not cell.find("img"):
            cell.extract()
    for link in article.select("a.course-enlarge"):
        link.unwrap()
    end = soup.new_tag("section")
    quizzes(soup, article, end)
    folds(soup, article, end)
    if end.contents:
        heading = soup.new_tag("h2")
        heading.string = "Hints, solutions, answers"
        end.insert(0, heading)
        article.append(end)
    for tag in article.select("[id]"):
        tag["id"] = f"{name}--{tag['id']}"
    for image in article.select("img"):
        image["src"] = "../site/" + image["src"].removeprefix("../")
    for link in article.select("a[href]"):
        goal = re.fullmatch(r"(?:(\d\d_\w+)\.html)?(?:#(.+))?", link["href"])
        if goal and (goal[1] or name) in (*others, name):
            link["href"] = f"#{goal[1] or name}" + (f"--{goal[2]}" if goal[2] else "")
        elif link["href"].startswith("../explorers/"):
            link["href"] = links.site() + link["href"][2:]
        elif "://" not in link["href"]:
            link.unwrap()
    section = soup.new_tag("section", attrs={"class": "lesson", "id": name})
    section.extend(list(article.contents))
    return str(section)


def quizzes(soup, article, end):
    """The answers of each question become letters; what they say about themselves goes to `end`."""
    number = 0
    for quiz in article.select(".course-quiz"):
        quiz["class"] = "quiz"
        for group in quiz.select("[role=group]"):  # for screen readers, one for each question
            group.unwrap()
        options = None
        for part in quiz.find_all(["p", "details"], recursive=False):
            if part.name == "p":
                options = None
                continue
            if options is None:
                number += 1
                options = soup.new_tag("ol", attrs={"class": "options"})
                part.insert_before(options)
                question = part.find_previous("p").get_text(" ", strip=True).removeprefix("Quiz.").split("Choose,")[0]
                answer = soup.new_tag("div", attrs={"class": "answer"})
                answer.append(BeautifulSoup(f"<p><strong>Quiz {number}.</strong> </p>", "html.parser"))
                answer.p.append(question.strip())
                end.append(answer)
            summary = part.summary.extract()
            summary.name = "li"
            options.append(summary)
            verdict = part.extract()
            verdict.name, verdict.attrs = "div", {}
            verdict.p.insert(0, f"{LETTERS[len(options.find_all('li')) - 1]}: ")
            answer.append(verdict)
    for hint in article.find_all("em", string=re.compile("open your choice")):
        hint.extract()


def folds(soup, article, end):
    """Cards are opened in their place; hints and solutions go to `end`, and a note says so."""
    for text in article.find_all(string=re.compile(", then open the card")):
        text.replace_with(text.replace(", then open the card", ""))
    for cards in article.select(".course-flashcards"):
        for card in cards.find_all("details"):
            card.name = "dl"
            card.summary.name = "dt"
            text = soup.new_tag("dd")
            text.extend([part.extract() for part in list(card.contents) if part.name != "dt"])
            card.append(text)
    for fold in article.find_all("details"):
        if fold.find_parent("details"):
            continue
        before = fold.find_previous_sibling()
        if before is None or "note" not in before.get("class", []):
            note = soup.new_tag("p", attrs={"class": "note"})
            note.string = "At the end of the lesson:"
            fold.insert_before(note)
            before = note
        before.append((" · " if "→" in before.get_text() else " → ") + fold.summary.get_text(" ", strip=True))
        fold.extract()
        fold.summary.name = "p"
        fold.p.wrap(soup.new_tag("strong"))
        fold.name, fold.attrs = "div", {"class": "answer"}
        end.append(fold)


def contents(titles, numbers):
    """The book's first pages; `numbers` {name: page number}, empty in the first pass."""
    rows = "".join(
        f'<tr><td><a href="#{name}">{title}</a></td><td>{numbers.get(name, "00")}</td></tr>'
        for name, title in titles.items()
    )
    about = "<p>An open course in JAX and Flax NNX, as the notebooks stored it.</p>"
    title = f'<section class="title"><h1>{TITLE}</h1>{about}</section>'
    return title + f'<section class="contents"><h2>Contents</h2><table>{rows}</table></section>'


def printed(browser, html, title, target, work):
    """Print this HTML as the PDF `target`."""
    source = work / f"{target.stem}.html"
    source.write_text(PAGE.format(title=title, body=html), encoding="utf-8", newline="\n")
    page = browser.new_page()
    page.goto(source.as_uri(), timeout=300_000)
    page.evaluate("MathJax.startup.promise")
    if page.locator("mjx-merror").count():
        raise RuntimeError(f"{target.name}: a formula could not be typeset")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 658, "height": 1000})  # 174 mm, what the margins leave of A4
    page.evaluate(FIT)
    page.set_default_timeout(300_000)
    page.pdf(path=target, **PAPER)
    page.close()


def starts(path, names):
    """{name: page number} of the lessons in the book."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    places = reader.named_destinations
    return {
        name: reader.get_destination_page_number(places[f"/{name}" if f"/{name}" in places else name]) + 1
        for name in names
    }


def main(names, root=ROOT):
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("The PDFs are printed by Chromium: install it (on Debian or Ubuntu: sudo apt install chromium).")
    site, target, work = root / "build/site", root / "build/pdf", root / "build/print"
    for folder in (target, work):
        folder.mkdir(parents=True, exist_ok=True)
    pages = {page.stem: page.read_text(encoding="utf-8") for page in sorted(site.glob("notebooks/[0-9][0-9]_*.html"))}
    titles = {
        name: re.sub(r" — .*", "", BeautifulSoup(text, "html.parser").h1.contents[0].strip())
        for name, text in pages.items()
    }
    if unknown := set(names) - set(pages):
        sys.exit(f"There is no lesson {', '.join(unknown)}. The lessons are: {', '.join(pages)}")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # for containers
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for name in names or pages:
            printed(browser, lesson(pages[name], name), titles[name], target / f"{name}.pdf", work)
            print((target / f"{name}.pdf").relative_to(root).as_posix(), flush=True)
        if not names:
            body = "".join(lesson(text, name, pages) for name, text in pages.items())
            book, numbers = target / "book.pdf", {}
            for _ in range(2):  # the second time with page numbers
                printed(browser, contents(titles, numbers) + body, TITLE, book, work)
                numbers = starts(book, pages)
            print(book.relative_to(root).as_posix())
    make_site.take_in(site, root)


if __name__ == "__main__":
    main(sys.argv[1:])
