"""Open every lesson in JupyterLab, in a headless Chromium, and use it as a reader does.

    python tools/browser_check.py [01_one_hot_toy …]          needs: pip install playwright (not its browsers)

Works on a copy. The browser is $CHROMIUM, or a chromium or google-chrome on the PATH. A lesson passes when

- opened and left alone it does not ask to be saved, and at a width of 1280 pixels no line of code runs out of its cell;
- a quiz answer is reached by Tab, shows that it has the focus, opens and closes by Space and Enter, in both themes;
- after Run > Run All Cells, saved, all code cells have run in order without errors or warnings and no source has
  changed; the page asked no other host for anything but Colab's badge and threw no error; formulas are typeset;
- its page as HTML (tools/slides.py) has a text for every picture and no violation of WCAG 2 A and AA in axe-core
  ($AXE names axe.min.js of the npm package axe-core; without it this is left out).

Then ■ is pressed while a network trains: the cell must stop, those below must not run, the weights must be kept.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

import links
import slides

ROOT = Path(__file__).resolve().parent.parent
AXE = os.environ.get("AXE")
IDLE = "Python 3 (ipykernel) | Idle"  # in the status bar
CONTRAST = 3  # WCAG 2.1, 1.4.11: what shows the focus stands out from its surroundings

TRAINING = [
    """import jax, numpy as np, optax
from flax import nnx
from course_utils.training import fit
model = nnx.Linear(784, 500, rngs=nnx.Rngs(0))
before = np.asarray(model.kernel[...]).copy()
loss = lambda model, batch, key: (model(batch) ** 2).sum(1).mean()
x = np.random.default_rng(0).random((10_000, 784)).astype("float32")""",
    "fit(model, loss, x, optimizer=optax.adam(1e-4), epochs=1000, key=jax.random.key(0))",
    "print('weights changed:', bool((np.asarray(model.kernel[...]) != before).any()))",
]


def open_lesson(browser, url, bad):
    """A page of JupyterLab with this notebook, its kernel idle. What goes wrong from now on is appended to `bad`."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.on("pageerror", lambda error: bad.append(f"page error: {error}"))
    base = url.split("/lab/")[0]
    here = base, "data:", "blob:", "https://colab.research.google.com/assets/colab-badge.svg"
    page.on("request", lambda r: None if r.url.startswith(here) else bad.append(f"asked for {r.url}"))
    page.goto(url)
    page.get_by_text(IDLE).wait_for(timeout=300_000)
    page.wait_for_timeout(3000)  # what is asked for earlier is sometimes dropped
    return page


def menu(page, *path):
    page.click(f".lm-MenuBar-itemLabel:text-is('{path[0]}')")
    for item in path[1:]:
        page.click(f".lm-Menu-itemLabel:text-is('{item}')")


def looks(page):
    """The complaints about a notebook that was opened and left alone."""
    bad = ["opened and left alone it asks to be saved"] * page.locator(".lm-TabBar-tab.jp-mod-dirty").count()
    too_wide = """cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1)
        .map(cell => cell.textContent.trim().slice(0, 60))"""
    for start in page.locator(".jp-CodeCell .cm-scroller").evaluate_all(too_wide):
        bad.append(f"code runs out of its cell: {start}")
    return bad


def quizzes(page, theme):
    """The complaints about the first answer of every quiz, used by keyboard."""
    found = page.locator(".jp-MarkdownCell:has(details):has-text('Quiz.')").all()
    bad = [] if found else [f"no quiz is shown, {theme} theme"]
    for quiz in found:
        quiz.scroll_into_view_if_needed()
        quiz.locator(".jp-RenderedMarkdown > p").first.click()
        name = f"quiz “{quiz.locator('p').first.inner_text()[:40]}”, {theme} theme: "
        answer, summary = quiz.locator("details").first, quiz.locator("summary").first
        focused = "element => element === document.activeElement"
        for _ in range(12):
            page.keyboard.press("Tab")
            if summary.evaluate(focused):
                break
        else:
            bad.append(name + "Tab does not lead to an answer")
            continue
        ring, width, around = summary.evaluate("""element => {
            const look = getComputedStyle(element);
            let ground = element;
            while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
            const visible = look.outlineStyle === "none" ? "0" : look.outlineWidth;
            return [look.outlineColor, visible, getComputedStyle(ground).backgroundColor];
        }""")
        if float(width.removesuffix("px")) < 1 or contrast(ring, around) < CONTRAST:
            bad.append(name + f"the focus is hard to see: outline {width} {ring} on {around}")
        for key, opened in (("Space", True), ("Space", False), ("Enter", True), ("Enter", False)):
            page.keyboard.press(key)
            page.wait_for_timeout(200)
            if (answer.get_attribute("open") is not None) != opened or page.locator(".jp-mod-editMode").count():
                bad.append(name + f"{key} does not {'open' if opened else 'close'} the answer")
                break
    return bad


def contrast(a, b):
    """The contrast of two colours, such as rgb(1, 2, 3), after WCAG 2: 1 (none) to 21."""

    def luminance(color):
        parts = [int(float(part)) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def runs(page, path, before):
    """The complaints about Run All Cells."""
    menu(page, "Edit", "Clear Outputs of All Cells")
    menu(page, "Run", "Run All Cells")
    idle = page.get_by_text(IDLE)
    for _ in range(200):  # for up to ten minutes
        page.wait_for_timeout(2000)
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        after = json.loads(path.read_text(encoding="utf-8"))["cells"]
        counts = [cell["execution_count"] for cell in after if cell["cell_type"] == "code"]
        outputs = [output for cell in after for output in cell.get("outputs", [])]
        failed = [o.get("ename") or o["text"] for o in outputs if "ename" in o or o.get("name") == "stderr"]
        if idle.count() and (failed or None not in counts):
            break
    bad = [f"output: {''.join(text)[:200]}" for text in failed]
    bad += [f"not all cells ran, in order: {counts}"] * (counts != list(range(1, len(counts) + 1)))
    bad += [f"the source changed: {a['source'][:3]}" for a, b in zip(before, after) if a["source"] != b["source"]]
    bad += ["a formula could not be typeset"] * page.locator("mjx-merror").count()
    bars = [o for o in outputs if "widget-view" in str(o.get("data")) and "text/plain" not in o["data"]]
    return bad + ["an output is only a widget, which a stored notebook cannot show"] * len(bars)


def violations(page, within="document"):
    """What axe-core finds against WCAG 2 A and AA, one text a rule."""
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}"
    found = page.evaluate(f"axe.run({within}, {rules}).then(result => result.violations)")
    return [f"axe: {rule['id']}, {len(rule['nodes'])} times: {rule['nodes'][0]['html'][:120]}" for rule in found]


def static_page(browser, path):
    """The complaints about the lesson as an HTML page."""
    html = slides.page(path)
    bad = ["a picture without a description"] * html.count("No description has been provided")
    if AXE:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.route("http*://**", lambda route: route.abort())  # MathJax
        page.set_content(html)
        bad += ["page: " + text for text in violations(page)]
        page.close()
    return bad


def check(browser, url, path):
    """The complaints about one lesson: a list of texts, empty if all is well."""
    before, bad = json.loads(path.read_text(encoding="utf-8"))["cells"], []
    bad += static_page(browser, path)
    page = open_lesson(browser, url, bad)
    bad += looks(page)
    for theme in ("Dark", "Light"):
        menu(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.wait_for_timeout(2000)
        bad += quizzes(page, theme.lower())
        if AXE:
            bad += [f"{theme.lower()} theme: {text}" for text in violations(page, "'.jp-RenderedMarkdown'")]
    bad += runs(page, path, before)
    page.close()
    return bad


def stop(browser, url, path):
    """The complaints about ■ in a notebook that holds the cells of TRAINING and was started by Run All Cells."""
    bad = []
    page = open_lesson(browser, url, bad)
    menu(page, "Run", "Run All Cells")
    cells = page.locator(".jp-CodeCell")
    bar = cells.nth(1).locator(".jp-OutputArea-output:has-text('epoch')")
    bar.first.wait_for(timeout=300_000)
    page.wait_for_timeout(3000)
    if bar.count() != 1 or bar.bounding_box()["height"] > 40:
        bad.append(f"the progress bar takes more than a line: {bar.all_inner_texts()}")
    page.click("[data-command='notebook:interrupt-kernel'], .jp-Toolbar-item [title^='Interrupt'] button")
    page.get_by_text(IDLE).wait_for(timeout=120_000)
    said = cells.nth(1).locator(".jp-OutputArea").inner_text()
    missing = [word for word in ("KeyboardInterrupt", "Interrupted") if word not in said]
    bad += [f"■ does not say “{word}”: {said[-300:]}" for word in missing]
    bad += ["after ■ the next cell ran"] * cells.nth(2).locator(".jp-OutputArea-output").count()
    cells.nth(2).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(3000)
    said = cells.nth(2).locator(".jp-OutputArea").inner_text()
    bad += [f"■ lost the weights: {said}"] * ("weights changed: True" not in said)
    page.close()
    return bad


def training(path):
    """Write the notebook for `stop`."""
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    new = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [new | {"id": f"cell{number}", "source": source} for number, source in enumerate(TRAINING)]
    notebook = {"cells": cells, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(links.dump(notebook), encoding="utf-8")
    return path


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    lessons = links.lessons(sys.argv[1:])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port, token = free.getsockname()[1], secrets.token_hex()
    with tempfile.TemporaryDirectory() as copy, sync_playwright() as playwright:
        copies = [Path(shutil.copy(lesson, copy)) for lesson in lessons]
        tasks = [(check, path) for path in copies] + [(stop, training(Path(copy) / "stop.ipynb"))]
        lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--log-level=ERROR"]
        lab.append(f"--config={ROOT / 'tools' / 'lab_config.py'}")
        own = [f"--port={port}", f"--ServerApp.root_dir={copy}", f"--IdentityProvider.token={token}"]
        env = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
        server = subprocess.Popen(lab + own, env=env)
        wrong = False
        try:
            while server.poll() is None and socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.5)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for task, path in tasks:
                bad = task(browser, f"http://127.0.0.1:{port}/lab/tree/{path.name}?token={token}&reset", path)
                wrong |= bool(bad)
                print("✗" if bad else "✓", path.name, *(f"\n    {text}" for text in dict.fromkeys(bad)), flush=True)
        finally:
            server.terminate()
    sys.exit(wrong)
