"""How many frames a second do the explorers draw in a browser that is slowed down four times?

    make frames        needs a browser: $CHROMIUM, or a chromium or google-chrome on the PATH

Each explorer is used for three seconds as a hand would use it: a training runs, a slider moves, something is dragged,
always faster than frames come. Chromium's own slowdown stops the page's thread for three quarters of the time. The
display asks for 60 frames a second; what counts is the median time between two frames (16.7 ms) and how many of all
frames come in time. Chromium draws without a graphics card here. Other work on the machine makes every number worse,
so measure on a quiet one.
"""

import math
import os
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "explorers"
SLOWER, SECONDS = 4, 3

COUNT = """() => {
    window.times = [];
    const frame = (now) => { window.times.push(now); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""
TOLD = "() => window.times.slice(1).map((time, i) => time - window.times[i])"
SLIDE = """([name, seconds]) => {
    const input = document.querySelector(name), begin = performance.now();
    const frame = (now) => {
        const share = 0.5 + 0.5 * Math.sin((now - begin) / 400);
        input.value = Number(input.min) + share * (input.max - input.min);
        input.dispatchEvent(new Event("input", { bubbles: true }));
        if (now - begin < 1000 * seconds) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


def wait(page):
    page.wait_for_timeout(1000 * SECONDS)


def slide(page, name):
    page.evaluate(SLIDE, [name, SECONDS])
    wait(page)


def drag(page, name):
    box = page.locator(name).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    begin, step = time.time(), 0
    while time.time() - begin < SECONDS:
        step += 1
        page.mouse.move(x + 60 * math.sin(step / 10), y + 60 * math.cos(step / 13) - 60)
    page.mouse.up()


def train_eight(page):
    page.locator("input[name=symbols][value='8']").check()
    page.click("#train")
    wait(page)


USES = [
    ("square", "eight symbols are trained", train_eight),
    ("square", "a code is dragged", lambda page: drag(page, "#stage [tabindex]")),
    ("blobs", "the blobs move", lambda page: (page.click("#go"), wait(page))),
    ("blobs", "a blob is dragged", lambda page: drag(page, "#stage [tabindex]")),
    ("blobs", "β slides", lambda page: slide(page, "#beta")),
    ("plane", "the point is dragged", lambda page: drag(page, "#plane")),
    ("plane", "a digit is drawn", lambda page: drag(page, "#pad")),
    ("faces", "a slider of the face slides", lambda page: slide(page, "#slider-0")),
    ("faces", "a number of the code slides", lambda page: slide(page, "#number-0")),
]


def main():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("Not measured: there is no Chromium")
        return 2
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # for containers
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for name, what, use in USES:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto((FOLDER / name / "index.html").as_uri())
            page.wait_for_timeout(500)
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.evaluate(COUNT)
            use(page)
            gaps = sorted(page.evaluate(TOLD))
            in_time = sum(gap < 18 for gap in gaps) / len(gaps)
            print(
                f"{name:7} {what:28} {1000 * len(gaps) / sum(gaps):5.1f} frames a second, median {gaps[len(gaps) // 2]:4.1f} ms,"
                f" {in_time:4.0%} in time",
                flush=True,
            )
            page.close()


if __name__ == "__main__":
    sys.exit(main())
