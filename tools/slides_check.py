"""Step through every slide of every deck in a headless Chromium, from the disk, as a clicker does.

    .venv-site/bin/python tools/slides_check.py [folder or deck.slides.html …]      after `make slides`; build/slides

Needs the extra `site`, and a browser: $CHROMIUM, or a chromium or google-chrome on the PATH. At 1280 × 720 and at
1920 × 1080, on every slide and after every click on it,

- nothing leaves the slide, no box has to be scrolled, no figure is lower than 240 pixels;
- no text is smaller than 24 pixels of 720 (of a formula: its letters, not its indices);
- every formula is typeset, those in the notes too, and none is an error; every picture is there and has a text;
- no answer of a quiz can be seen before its click, and no hint or solution ever;
- the page asks for nothing but files beside it, and throws no error.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SIZES = ((1280, 720), (1920, 1080))

# Returns [complaints, states]; clicks until nothing changes. Transitions are off, so every state is there at once.
STEP_THROUGH = r"""([width, height]) => {
  const bad = [], unit = height / 720;
  const seen = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const name = (text) => `“${text.trim().replace(/\s+/g, " ").slice(0, 50)}”`;
  function probe(slide, say) {
    const box = slide.getBoundingClientRect();
    const outside = (r) => r.width > 0 && r.height > 0 && (r.left < box.left + 4 || r.right > box.right - 4 ||
      r.top < box.top + 4 || r.bottom > box.bottom - 30 * unit);
    if (box.right > width + 1 || box.bottom > height + 1) say("the slide is larger than the screen");
    const walk = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
      const e = text.parentElement, code = e.closest("pre, code");
      if (!text.data.trim() || e.closest(".notes, mjx-container, script, style")) continue;
      if (!code && /\$\S|\\\(|\\\[|\\begin/.test(text.data)) say(`not typeset: ${name(text.data)}`);
      const range = document.createRange();
      range.selectNodeContents(text);
      if ([...range.getClientRects()].some(outside)) say(`leaves the slide: ${name(text.data)}`);
      if (!seen(e)) continue;
      const size = parseFloat(getComputedStyle(e).fontSize) * Reveal.getScale() / unit;
      if (size < 23.99) say(`${size.toFixed(1)} px: ${name(text.data)}`);
      if (e.closest(".quiz") && /^\s*[✓✗]/.test(text.data) && !e.closest(".fragment.visible"))
        say(`an answer can be seen: ${name(text.data)}`);
      if (/^\s*(Hint|Solution):/.test(text.data)) say(`can be seen: ${name(text.data)}`);
    }
    for (const e of slide.querySelectorAll("mjx-container, mjx-math, img, pre, table")) {
      if (e.closest(".notes")) continue;
      const r = e.getBoundingClientRect();
      if (outside(r)) say(`leaves the slide: ${e.localName} ${name(e.alt ?? e.textContent)}`);
      if (e.localName === "pre" && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1))
        say(`does not fit its box: ${name(e.textContent)}`);
      if (e.localName === "mjx-container" && parseFloat(getComputedStyle(e).fontSize) * Reveal.getScale() / unit < 23.99)
        say(`small formula: ${name(e.closest(".math").getAttribute("aria-label") ?? "")}`);
      if (e.localName === "img" && (!e.naturalWidth || !e.alt || e.alt.startsWith("No description")))
        say("a picture is missing or has no text");
      if (e.localName === "img" && r.height < 240 * unit) say(`a figure is only ${(r.height / unit).toFixed(0)} px high`);
    }
    for (const e of slide.querySelectorAll(".math")) {
      const done = e.querySelector(e.closest(".notes") ? "math" : "mjx-container");
      if (!done || e.querySelector("mjx-merror, merror, [data-mjx-error]")) say(`not typeset: ${name(e.textContent)}`);
    }
    if (slide.querySelector("details")) say("a fold stands on the slide");
  }
  Reveal.slide(0, 0, -1);
  Reveal.layout();
  for (let states = 1; ; states++) {
    const at = Reveal.getIndices(), before = `${at.h} ${at.v} ${at.f}`;
    probe(Reveal.getCurrentSlide(), (text) => bad.push(`slide ${at.h + 1}: ${text}`));
    Reveal.next();
    const now = Reveal.getIndices();
    if (`${now.h} ${now.v} ${now.f}` === before) return [[...new Set(bad)], states];
  }
}"""


def check(browser, path):
    """The complaints about one deck, a list of texts, and how many slides and states it has."""
    bad, states = [], 0
    page = browser.new_page(viewport=dict(zip(("width", "height"), SIZES[0])))
    page.set_default_timeout(180_000)
    page.on("pageerror", lambda error: bad.append(f"error: {error}"))
    page.on("console", lambda told: bad.append(f"console: {told.text[:200]}") if told.type == "error" else None)
    here = path.parent.as_uri(), "data:", "blob:"
    page.on("request", lambda r: None if r.url.startswith(here) else bad.append(f"asked for {r.url}"))
    page.goto(path.as_uri())
    page.evaluate("deckReady")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        complaints, states = page.evaluate(STEP_THROUGH, [width, height])
        bad += [f"{width} × {height}, {text}" for text in complaints]
    slides = page.evaluate("Reveal.getTotalSlides()")
    page.close()
    return list(dict.fromkeys(bad)), slides, states


def main(names):
    paths = [Path(name).resolve() for name in names] or [ROOT / "build/slides"]
    decks = [deck for path in paths for deck in ([path] if path.is_file() else sorted(path.glob("*.slides.html")))]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not decks or not chromium:
        print("Not checked: " + ("there is no Chromium" if not chromium else "there are no decks; run: make slides"))
        return 2
    wrong = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for path in decks:
            try:
                bad, slides, states = check(browser, path)
            except Error as error:  # a deck that does not start, for instance
                bad, slides, states = [f"{type(error).__name__}: {error.message.splitlines()[0]}"], 0, 0
            wrong |= bool(bad)
            print("✗" if bad else "✓", f"{path.stem}: {slides} slides, {states} states", flush=True)
            for text in bad:
                print("   ", text)
    return int(wrong)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    sys.exit(main(sys.argv[1:]))
