"""Open every lesson in JupyterLab, in a headless Chromium, and run it as a reader does: Run > Run All Cells.

    python tools/browser_check.py [notebooks/00_start_here.ipynb …]     needs: pip install playwright (not its browsers)

Works on a copy. A lesson passes when, saved, all code cells have run in order without errors or warnings and no source
has changed, the page asked no other host for anything but Colab's badge and threw no error, every formula was typeset,
and the flashcards turn to the second card. The browser is $CHROMIUM, or a chromium or google-chrome on the PATH.
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


def check(browser, base, token, path):
    """The complaints about one lesson: a list of texts, empty if all is well."""
    before, bad = json.loads(path.read_text())["cells"], []
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.on("pageerror", lambda error: bad.append(f"page error: {error}"))
    here = base, "data:", "blob:", "https://colab.research.google.com/assets/colab-badge.svg"
    page.on("request", lambda r: None if r.url.startswith(here) else bad.append(f"asked for {r.url}"))
    page.goto(f"{base}/lab/tree/{path.name}?token={token}&reset")
    idle = page.get_by_text("Python 3 (ipykernel) | Idle")  # in the status bar
    idle.wait_for(timeout=120_000)
    page.wait_for_timeout(3000)  # what is asked for earlier is sometimes dropped
    for name, item in [("Edit", "Clear Outputs of All Cells"), ("Run", "Run All Cells")]:
        page.click(f".lm-MenuBar-itemLabel:text-is('{name}')")
        page.click(f".lm-Menu-itemLabel:text-is('{item}')")
    for _ in range(200):  # for up to ten minutes
        page.wait_for_timeout(2000)
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        after = json.loads(path.read_text())["cells"]
        counts = [cell["execution_count"] for cell in after if cell["cell_type"] == "code"]
        outputs = [output for cell in after for output in cell.get("outputs", [])]
        failed = [o.get("ename") or o["text"] for o in outputs if "ename" in o or o.get("name") == "stderr"]
        if idle.count() and (failed or None not in counts):
            break
    bad += [f"output: {''.join(text)[:200]}" for text in failed]
    bad += [f"not all cells ran, in order: {counts}"] * (counts != list(range(1, len(counts) + 1)))
    bad += [f"the source changed: {a['source'][:3]}" for a, b in zip(before, after) if a["source"] != b["source"]]
    bad += ["a formula could not be typeset"] * page.locator("mjx-merror").count()
    for cards in page.locator(".flip-container").all():
        first = cards.locator(".frontcard .front").inner_text()
        cards.click(position={"x": 100, "y": 100})
        page.wait_for_timeout(1000)
        cards.locator("xpath=following::*[contains(@class, 'next')]").first.click(timeout=3000, force=True)
        page.wait_for_timeout(2500)
        bad += ["the flashcards are stuck"] * (cards.locator(".frontcard .front").inner_text() == first)
    return bad


if __name__ == "__main__":
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    lessons = [Path(name) for name in sys.argv[1:]] or sorted(Path("notebooks").glob("*.ipynb"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port, token = free.getsockname()[1], secrets.token_hex()
    with tempfile.TemporaryDirectory() as copy, sync_playwright() as playwright:
        copies = [Path(shutil.copy(lesson, copy)) for lesson in lessons]
        lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--log-level=ERROR"]
        own = [f"--port={port}", f"--ServerApp.root_dir={copy}", f"--IdentityProvider.token={token}"]
        server = subprocess.Popen(lab + own)
        try:
            while server.poll() is None and socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.5)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            results = {path.name: check(browser, f"http://127.0.0.1:{port}", token, path) for path in copies}
        finally:
            server.terminate()
    for name, bad in results.items():
        print("✗" if bad else "✓", name, *(f"\n    {text}" for text in dict.fromkeys(bad)))
    sys.exit(any(results.values()))
