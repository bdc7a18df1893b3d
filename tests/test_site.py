"""The site: what tools/make_site.py makes of the notebooks, the handouts, the workflows that publish and watch it.

The pages themselves are looked at in a browser, if there is one, `make site` was run, and its environment is there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import colab_pins
import links
import make_pdf
import make_site
import reference
import scoreboard

PRINTED = """\
✓ PCA with 30 numbers: 13.87 (expected 13.86 to 13.88; Hinton and Salakhutdinov 2006: 13.87)
✓ KL: a, b: 25.29 (expected -24–27; seeds 0–4 on JAX 0.10.2; PyTorch example: 24.9)
✓ nothing published: 1 (expected 1 to 1; exact)
✓ 2,000 seeds: 0.5 (expected 0.4 to 0.6; 5 seeds each on JAX 0.10.2 and 0.7.2)
✓ no source: 0 (expected 0 to 1)
trained in 109 s
"""


def markdown(source, *tags):
    return {
        "cell_type": "markdown",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source.splitlines(True),
    }


def code(source, *outputs, **metadata):
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source.splitlines(True),
        "outputs": list(outputs),
        "execution_count": 1,
    }


def stdout(text):
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(True)}


@pytest.fixture
def notebook():
    folded = {"jupyter": {"source_hidden": True}, "cellView": "form", "mystnb": {"image": {"alt": "Figure 1. A dot."}}}
    picture = {
        "output_type": "display_data",
        "data": {"image/png": "iVBORw0KGgo="},
        "metadata": {"image/png": {"width": 640}},
    }
    cells = [
        markdown("# 01 · A lesson\n\n" + links.badge("01_x.ipynb") + "\n\nText."),
        code(links.setup_cell(), tags=["setup"]),
        markdown("## 2. The *yardsticks*"),
        code("within(…)", stdout(PRINTED)),
        code("# @title Figure 1: a dot\nplot()", picture, **folded),
        markdown("**Quiz.** Which?\n\n<details><summary>This</summary>\n\n✗ Not this.\n\n</details>", "quiz"),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


# --- Lessons ----------------------------------------------------------------------------------------------------------


def test_a_lesson_becomes_a_page_and_the_notebook_stays_as_it_was(notebook):
    before = json.dumps(notebook)
    play = {"name": "square", "title": "Dots & lines", "about": "", "lessons": ["01_x"]}
    cells = make_site.lesson(notebook, "01_x", [play])["cells"]
    assert json.dumps(notebook) == before
    first = cells[0]["source"]
    assert "badge" not in first and first.startswith("# 01 · A lesson") and first.endswith("Text.")
    assert f"github/{links.repo()}/blob/main/notebooks/01_x.ipynb" in first and "mybinder.org" in first
    assert 'href="01_x.ipynb" download' in first and "Explorer: Dots &amp; lines" in first
    assert cells[1]["metadata"]["tags"] == ["setup", "hide-input"]
    assert cells[4]["source"] == "plot()" and "hide-input" in cells[4]["metadata"]["tags"]
    assert cells[4]["metadata"]["mystnb"]["code_prompt_show"] == "Code: Figure 1: a dot"
    assert cells[4]["metadata"]["mystnb"]["image"] == {"alt": "Figure 1. A dot.", "width": "640px"}
    assert (
        cells[5]["source"].startswith('<div class="course-quiz">\n\n**Quiz.**')
        and "✗ No. Not this." in cells[5]["source"]
    )


def test_a_link_to_an_explorer_works_on_the_site_without_a_network(notebook):
    address = f"{links.site()}/explorers/dots/index.html"
    notebook["cells"].append(markdown(f"**Try it:** [dots]({address}): drag.\n(Offline: open `docs/a`.)\nMore."))
    new = make_site.lesson(notebook, "01_x")["cells"][-1]["source"]
    assert new == '**Try it:** <a href="../explorers/dots/index.html">dots</a>: drag.\nMore.'
    assert links.AN_EXPLORER.sub("https://x.org", address) == "https://x.org/explorers/dots/index.html"


def test_every_explorer_is_linked_from_its_lesson():
    for explorer in make_site.explorers():
        for name in explorer["lessons"]:
            text = (ROOT / f"notebooks/{name}.ipynb").read_text(encoding="utf-8")
            assert f"({links.site()}/explorers/{explorer['name']}/index.html)" in text, f"{name}: {explorer['name']}"


def test_links_between_files_become_links_between_pages():
    pages = {"notebooks/00_start_here.ipynb": "notebooks/00_start_here.ipynb", "data/README.md": "data/README.md"}
    text = "[a](../notebooks/00_start_here.ipynb#x) [b](../LICENSE) [c](https://example.org) [d](../tests) [e](gone.md)"
    new = make_site.relink(text + "\n```\n[g](../LICENSE)\n```", "docs/a.md", "a.md", pages)
    assert "[a](notebooks/00_start_here.ipynb#x)" in new and f"[b]({links.address()}/blob/main/LICENSE)" in new
    assert "[c](https://example.org)" in new and f"[d]({links.address()}/tree/main/tests)" in new
    assert "[e](gone.md)" in new and "[g](../LICENSE)" in new


def test_a_figure_holds_its_caption():
    html = """<div class="cell"><details class="hide"><summary aria-label="Toggle hidden content">
        <p class="collapsed">Code</p><p class="expanded">Code</p></summary></details>
        <div class="cell_output"><a href="../a.png"><img alt="A" src="../a.png"/></a></div></div>
        <p><strong>Figure 12.</strong> A dot.</p><p>More.</p>"""
    soup = make_pdf.BeautifulSoup(make_site.finish(html), "html.parser")
    figure = soup.select_one("figure#figure-12")
    assert (
        figure.figcaption.get_text() == "Figure 12. A dot."
        and figure.a["href"] == "../a.png"
        and figure.img["alt"] == "A"
    )
    assert len(figure.find_all("a")) == 1 and figure.a["aria-label"] == "Enlarge figure 12"
    assert soup.find_all("p")[-1].get_text() == "More." and not soup.summary.attrs


def test_boxes_quizzes_and_rows_have_names():
    html = """<div class="cell"><div class="cell_input"><div class="highlight"><pre>1 + 1</pre></div></div>
        <div class="cell_output"><div class="highlight"><pre>2</pre></div></div></div>
        <details><summary>Solution</summary><div class="highlight"><pre>1 + 1</pre></div></details>
        <div class="course-quiz"><p>One?</p><details>a</details><details>b</details><p>Two?</p><details>c</details></div>
        <h2>Sizes<a>#</a></h2><div class="pst-scrollable-table-container"><table><thead><tr><th>n</th><th>x</th></tr></thead>
        <tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>
        <div class="pst-scrollable-table-container"><table><thead><tr><th>m</th></tr></thead></table></div>"""
    soup = make_pdf.BeautifulSoup(make_site.finish(html), "html.parser")
    names = [box["aria-label"] for box in soup.select("pre, .pst-scrollable-table-container")]
    assert names == ["Code", "Output", "Code", "Table: Sizes", "Table: Sizes, m"]
    groups = soup.select(".course-quiz > [role=group]")
    assert [[tag.get_text() for tag in group.children] for group in groups] == [["One?", "a", "b"], ["Two?", "c"]]
    assert [soup.find(id=group["aria-labelledby"]).get_text() for group in groups] == ["One?", "Two?"]
    assert [(cell.name, cell.get("scope")) for cell in soup.select("tbody tr > *")] == [("th", "row"), ("td", None)]


# --- The scoreboard ---------------------------------------------------------------------------------------------------


def test_the_scoreboard_takes_what_stands_beside_a_published_number(notebook):
    hinton, kl = scoreboard.scores(notebook)
    assert (hinton["what"], hinton["ours"], hinton["low"], hinton["high"]) == (
        "PCA with 30 numbers",
        "13.87",
        "13.86",
        "13.88",
    )
    assert hinton["published"] == "Hinton and Salakhutdinov 2006: 13.87" and hinton["seconds"] == "109"
    assert (kl["what"], kl["low"], kl["high"]) == ("KL: a, b", "-24", "27")
    assert (kl["published"], kl["repeated"]) == ("PyTorch example: 24.9", "seeds 0–4 on JAX 0.10.2")
    page = scoreboard.page({"01_x": notebook})
    assert page.count("\n| [01 · 2. The *yardsticks*](notebooks/01_x.ipynb#2-the-yardsticks)") == 2


def test_every_line_of_within_can_be_read():
    """Else a published number could be missing on the scoreboard without anybody noticing."""
    rows = 0
    for path in links.lessons([]):
        stored = json.loads(path.read_text(encoding="utf-8"))
        printed = "".join(
            "".join(output.get("text", "")) for cell in stored["cells"] for output in cell.get("outputs", [])
        )
        for line in printed.splitlines():
            assert not re.match(r"✓ .*\(expected", line) or scoreboard.WITHIN.match(line), line
        rows += len(scoreboard.scores(stored))
    assert rows >= 4


# --- All pages --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "source"
    make_site.prepare(folder)
    return folder


def test_every_page_is_in_the_contents_and_every_link_leads_to_one(sources):
    pages = {path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.suffix in (".md", ".ipynb")}
    listed = {"index"}
    for path in sources.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"```{toctree}\n(.*?)```", text, re.S):
            listed |= {line.lstrip("/") for line in block.splitlines() if line and not line.startswith(":")}
        assert not re.search(r"!\[[^\]]*\]\(http|<(img|script|link|iframe)\b[^>]*http", text), (
            f"{path.name} fetches from elsewhere"
        )
        for target in re.findall(r"(?<!`)\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)):
            if "://" not in target and not target.startswith("#"):
                assert (path.parent / target.split("#")[0]).exists(), f"{path.name}: {target}"
    assert listed == {page.rsplit(".", 1)[0] for page in pages}
    assert {f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")} <= pages
    assert not re.search(r"%\w+%", (sources / "index.md").read_text(encoding="utf-8"))


def test_the_reference_names_everything_public_in_the_package(sources):
    import ast

    for path in ROOT.glob("course_utils/*.py"):
        if path.stem != "__init__":
            page = (sources / "api" / f"{path.stem}.md").read_text(encoding="utf-8")
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    assert re.search(rf"{{py:\w+}} {node.name}\(", page), node.name


def test_a_docstring_becomes_markdown():
    new = reference.prose("Give *x* and `a_b`.\n\nname  one\n      two\nother, more   three\n\n    code = 1")
    assert (
        new
        == r"Give \*x\* and `a_b`." + "\n\n`name`\n: one\n  two\n\n`other, more`\n: three\n\n```python\ncode = 1\n```"
    )


def test_explorers_that_are_there_are_listed_with_their_lessons(tmp_path):
    folder = tmp_path / "docs/explorers/dots"
    folder.mkdir(parents=True)
    page = '<title>Dots &amp; lines</title><a href="x/01_a.ipynb">…</a><p class="lead">Drag <b>a</b>\n dot.</p>'
    (folder / "index.html").write_text(page, encoding="utf-8")
    (one,) = make_site.explorers(tmp_path)
    assert one == {"name": "dots", "title": "Dots & lines", "about": "Drag a dot.", "lessons": ["01_a"]}
    assert "explorers/dots/index.html" in make_site.explorer_list([one])
    make_site.copy_explorers(tmp_path / "site", tmp_path)
    assert 'href="../../notebooks/01_a.html"' in (tmp_path / "site/dots/index.html").read_text(encoding="utf-8")


def test_pages_link_to_slides_and_handouts_that_were_made(tmp_path):
    site = tmp_path / "site"
    (site / "notebooks").mkdir(parents=True)
    for page in ("index.html", "notebooks/01_a.html"):
        (site / page).write_text('<span class="course-made">old</span>', encoding="utf-8")
    for made in ("pdf/01_a.pdf", "pdf/book.pdf", "slides/index.html"):
        (tmp_path / "build" / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / made).write_bytes(b"made")
    for _ in range(2):
        make_site.take_in(site, tmp_path)
        new = (site / "notebooks/01_a.html").read_text(encoding="utf-8")
        assert new == '<span class="course-made"><a href="../pdf/01_a.pdf">Handout (PDF)</a></span>'
        home = (site / "index.html").read_text(encoding="utf-8")
        assert 'href="pdf/book.pdf"' in home and 'href="slides/index.html"' in home


# --- Handouts ---------------------------------------------------------------------------------------------------------

LESSON = """<article class="bd-article"><h1 id="t">01 · A<a class="headerlink" href="#t">#</a></h1>
<nav class="course-links">…</nav>
<p><a href="02_b.html#s">b</a> <a href="#t">t</a> <a href="03_c.html">c</a>
<a href="../explorers/d/index.html">d</a></p>
<div class="cell"><details class="hide"><summary>Code</summary>import</details></div>
<div class="cell"><details class="hide"><summary>Code</summary>plot()</details>
<figure><a class="course-enlarge" href="x"><img alt="A" src="../_images/a.png"/></a></figure></div>
<div class="course-quiz"><p><strong>Quiz.</strong> Which? <em>Choose, then open your choice.</em></p>
<details><summary>This</summary><p>✗ No. Not this.</p></details>
<details><summary>That</summary><p>✓ Yes. That.</p></details></div>
<details><summary>Hint: x</summary><p>Think.</p></details><details><summary>Solution: x</summary><p>42</p></details>
<div class="course-flashcards"><details><summary>code</summary><p>z</p></details></div></article>"""


def test_a_handout_has_no_folds_and_the_answers_stand_at_its_end():
    soup = make_pdf.BeautifulSoup(make_pdf.lesson(make_site.finish(LESSON), "01_a", ["01_a", "02_b"]), "html.parser")
    text = soup.get_text(" ", strip=True)
    assert not soup.select("details, nav, .headerlink") and "plot()" not in text and "import" not in text
    body, end = text.split("Hints, solutions, answers")
    assert "Not this" not in body and "42" not in body and "At the end of the lesson: → Hint: x · Solution: x" in body
    assert re.search(r"Quiz 1\. Which\? A: ✗ No\. Not this\. B: ✓ Yes\. That\.", end) and "Hint: x Think." in end
    assert [dt.get_text() for dt in soup.select("dt")] == ["code"] and soup.dd.get_text() == "z"
    assert soup.h1["id"] == "01_a--t" and soup.img["src"] == "../site/_images/a.png"
    explorer = f"{links.site()}/explorers/d/index.html"
    assert [a["href"] for a in soup.select("a")] == ["#02_b--s", "#01_a--t", explorer]  # lesson 03 is not in this book


# --- Versions and workflows -------------------------------------------------------------------------------------------


def test_the_lock_of_the_site_satisfies_the_ranges_and_holds_no_addresses():
    text = (ROOT / "requirements-site.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w-]+)==([^\s;]+)", text, re.M))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for requirement in map(Requirement, extras["site"]):
        assert pins[requirement.name.lower()] in requirement.specifier, requirement
    assert "://" not in text


def test_colabs_own_list_renews_the_pins_that_it_names():
    pins = "# jax==1\njax==0.7.2\njupyter_client==7.4.9\ngone==1\n"
    new, told = colab_pins.renewed(pins, "jax==0.9.0\njupyter-client==8.0\nother==3\ntorch @ https://x/y.whl\n")
    assert new == "# jax==1\njax==0.9.0\njupyter_client==8.0\ngone==1\n"
    assert told == ["jax 0.7.2 → 0.9.0", "jupyter_client 7.4.9 → 8.0", "gone 1 is not in the list"]


WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_workflows_call_what_there_is(path):
    """They cannot be run here: their form, their make targets and the commands that README.md gives for Windows."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    readme = [line.strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    assert {"name", True, "permissions", "jobs"} <= set(workflow)  # YAML reads the key `on` as True
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps"} <= set(job) and set(job.get("needs", [])) <= set(workflow["jobs"])
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            run = step.get("run", "")
            if run.startswith("make"):
                assert run.split()[1] in targets, run
            elif job["runs-on"].startswith("windows") and "run_notebooks" not in run and run:
                assert run in readme, run
            elif "run_notebooks" in run:
                names = run.split("run_notebooks.py")[1].split()
                assert len(links.lessons(names)) == len(names)


def test_workflows_have_the_form_that_github_asks_for():
    program = ROOT / ".venv-site/bin/check-jsonschema"
    if not program.exists():
        pytest.skip("not held against GitHub's schema: there is no .venv-site (make site)")
    command = [program, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]
    checked = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert checked.returncode == 0, checked.stdout + checked.stderr


# --- In the browser ---------------------------------------------------------------------------------------------------


def test_pages_in_the_browser():
    """A few pages; `make check-site` opens all."""
    python = ROOT / ".venv-site/bin/python"
    lacking = [
        what
        for what, there in (
            ("a Chromium", os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")),
            ("build/site (make site)", (ROOT / "build/site/index.html").exists()),
            (".venv-site (make site)", python.exists()),
        )
        if not there
    ]
    if lacking:
        pytest.skip(f"not looked at in a browser: there is no {', no '.join(lacking)}")
    names = ["index.html", "notebooks/01_one_hot_toy.html", "scoreboard.html"]
    names = [name for name in names if (ROOT / "build/site" / name).exists()]
    checked = subprocess.run([python, ROOT / "tools/site_check.py", *names], capture_output=True, encoding="utf-8")
    assert checked.returncode == 0, checked.stdout + checked.stderr
