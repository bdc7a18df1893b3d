"""Open every page of build/site in a headless Chromium, from the disk, and use it as a reader does.

    .venv-site/bin/python tools/site_check.py [notebooks/01_one_hot_toy.html …]      after `make site`

Needs the extra `site`, and a browser: $CHROMIUM, or a chromium or google-chrome on the PATH. A page passes when

- it asks for nothing but files of the site, throws no error, and all its pictures are there;
- all formulas are typeset, and none of them is an error;
- axe-core finds no violation of WCAG 2 A and AA, with all folds open in the light and in the dark theme, and on a phone
  (there, too, a box that scrolls must be one that the Tab key reaches);
- at a width of 390 pixels the page does not scroll sideways, folds open or closed;
- a fold opens and closes by keyboard, a figure can be enlarged and closed again.

Then the search of the site must find a word that lessons use, links within the site must lead somewhere.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

from bs4 import BeautifulSoup
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build/site"
AXE = Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def pages(site=SITE):
    """The pages to check. Slides have a check of their own."""
    found = [page for page in site.rglob("*.html") if page.relative_to(site).parts[0] not in ("_static", "slides")]
    return sorted(found, key=lambda page: page.relative_to(site).as_posix())


def dead_links(site=SITE):
    """Links from one page of the site to another, or to a place in it, that lead nowhere."""
    names, bad = {}, []

    def anchors(path):
        if path not in names:
            soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            names[path] = {tag["id"] for tag in soup.select("[id]")}, [tag["href"] for tag in soup.select("a[href]")]
        return names[path]

    for page in pages(site):
        for link in dict.fromkeys(anchors(page)[1]):
            address, anchor = urldefrag(link)
            if urlparse(address).scheme:
                continue
            target = (page.parent / unquote(urlparse(address).path)).resolve() if address else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                bad.append(f"{page.relative_to(site)}: no file {link}")
            elif anchor and target.suffix == ".html" and unquote(anchor) not in anchors(target)[0]:
                bad.append(f"{page.relative_to(site)}: no place {link}")
    return bad


def opened(browser, path, theme, size, bad):
    """A page of the site; what goes wrong from now on is appended to `bad`."""
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
    context.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
    context.set_default_timeout(180_000)
    page = context.new_page()
    page.on("pageerror", lambda error: bad.append(f"error: {error}"))
    page.on("console", lambda told: bad.append(f"console: {told.text[:200]}") if told.type == "error" else None)
    own = SITE.as_uri()
    page.on(
        "request", lambda r: None if r.url.startswith((own, "data:", "blob:")) else bad.append(f"asked for {r.url}")
    )
    page.goto(path.as_uri())
    page.evaluate("window.MathJax?.startup?.promise")
    return page


# Of what MathJax makes nothing stays, and of each colour in code three words: else axe needs minutes for a lesson.
THIN = """() => {
    document.querySelectorAll("mjx-container").forEach(formula => formula.remove());
    const words = [...document.querySelectorAll(".highlight span[class]")];
    const kinds = words.map(e => e.className + getComputedStyle(e.closest(".highlight")).backgroundColor);
    const seen = {};
    words.forEach((e, i) => {
        seen[kinds[i]] = (seen[kinds[i]] ?? 0) + 1;
        if (seen[kinds[i]] > 3) e.replaceWith(...e.childNodes);
    });
}"""


def violations(page):
    """What axe-core finds, one text a rule."""
    page.evaluate(THIN)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = f"{{runOnly: {WCAG}, resultTypes: ['violations'], selectors: false, preload: false}}"
    found = page.evaluate(f"axe.run({options}).then(result => result.violations)")
    return [f"axe: {rule['id']}, {len(rule['nodes'])} times: {rule['nodes'][0]['html'][:160]}" for rule in found]


FOLDS = "open => document.querySelectorAll('.bd-article details').forEach(fold => fold.open = open)"

SIDEWAYS = """() => {
    const wide = document.documentElement.scrollWidth;
    if (wide <= innerWidth) return null;
    const inBox = e => e !== document.body && (getComputedStyle(e).overflowX !== "visible" || inBox(e.parentElement));
    const out = [...document.querySelectorAll("body *")]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !inBox(e));
    return `${wide} px: ` + out.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(" | ");
}"""

UNREACHED = """() => [...document.querySelectorAll(".bd-article *")].filter(e => e.scrollWidth > e.clientWidth + 1
    && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0 && !e.querySelector("a, button"))
    .map(e => e.outerHTML.slice(0, 100))"""

PICTURES = """() => [...document.images].map(image => (image.loading = "eager", image))
    .filter(image => !image.alt || (image.complete && !image.naturalWidth)).map(image => image.src)"""

FORMULAS = """() => {
    const all = [...document.querySelectorAll(".math")];
    const bare = all.filter(e => !e.querySelector("mjx-container")).map(e => e.textContent.slice(0, 40));
    const wrong = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map(e => e.textContent.slice(0, 80));
    return [...bare, ...wrong];
}"""


def looks(page):
    """The complaints about a page as it stands."""
    bad = [f"a picture is missing or has no text: {src}" for src in page.evaluate(PICTURES)]
    return bad + [f"a formula is not typeset: {text}" for text in page.evaluate(FORMULAS)]


def unreached(page):
    """The boxes that scroll and are no stop of the Tab key; the theme and site.js may take a while to look at all of them."""
    page.wait_for_timeout(500)
    for _ in range(20):
        if not (found := page.evaluate(UNREACHED)):
            break
        page.wait_for_timeout(500)
    return [f"a box that scrolls is no stop of the Tab key: {text}" for text in found]


def uses(page):
    """The complaints about the first fold and the first figure, by keyboard."""
    bad = []
    fold = page.locator(".bd-article details").first
    if fold.count():
        fold.locator("summary").first.focus()
        for key, is_open in (("Enter", True), ("Enter", False)):
            page.keyboard.press(key)
            if fold.evaluate("e => e.open") != is_open:
                bad.append(f"{key} does not {'open' if is_open else 'close'} a fold")
    figure = page.locator(".course-enlarge").first
    if figure.count():
        figure.focus()
        page.keyboard.press("Enter")
        if not page.locator("dialog.course-large[open] img").count():
            bad.append("a figure does not open")
        page.keyboard.press("Escape")
        if page.locator("dialog.course-large[open]").count():
            bad.append("a figure does not close")
    return bad


def check(browser, path):
    """The complaints about one page: a list of texts, empty if all is well."""
    bad = []
    for theme in ("light", "dark"):
        page = opened(browser, path, theme, DESK, bad)
        bad += looks(page) + uses(page)
        page.evaluate(FOLDS, True)
        if theme == "light":
            page.set_viewport_size(PHONE)
            bad += unreached(page)
            for folds in (True, False):
                page.evaluate(FOLDS, folds)
                sideways = page.evaluate(SIDEWAYS)
                bad += [f"scrolls sideways on a phone: {sideways}"] if sideways else []
            bad += [f"phone: {text}" for text in violations(page)]
            page.evaluate(FOLDS, True)
            page.set_viewport_size(DESK)
        bad += [f"{theme}: {text}" for text in unreached(page) + violations(page)]
        page.context.close()
    return bad


def search(browser, word="bottleneck"):
    """The complaints about the search for a word, from the disk."""
    bad = []
    page = opened(browser, SITE / "index.html", "light", DESK, [])
    page.goto((SITE / "search.html").as_uri() + f"?q={word}")
    page.wait_for_timeout(2000)
    found = page.locator("#search-results li a").all_inner_texts()
    if not any(text[:2].isdigit() for text in found):
        bad.append(f"the search for {word} finds no lesson: {found}")
    page.context.close()
    return bad


def main(names):
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not (SITE / "index.html").exists() or not chromium:
        print("Not checked: " + ("there is no Chromium" if not chromium else "there is no build/site; run: make site"))
        return 2
    wrong = False
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # for containers
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for path in [SITE / name for name in names] or pages():
            try:
                bad = list(dict.fromkeys(check(browser, path)))
            except Error as error:  # a page that does not answer, for instance
                bad = [f"{type(error).__name__}: {error.message.splitlines()[0]}"]
            wrong |= bool(bad)
            print(
                "✗" if bad else "✓", path.relative_to(SITE).as_posix(), *(f"\n    {text}" for text in bad), flush=True
            )
        bad = search(browser) + dead_links()
        print("✗" if bad else "✓", "search and links", *(f"\n    {text}" for text in bad))
    return int(wrong or bool(bad))


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    sys.exit(main(sys.argv[1:]))
