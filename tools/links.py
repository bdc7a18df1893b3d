"""Write the repository's address, which stands in pyproject.toml, into the badges and set-up cells that carry it.

    python tools/links.py           rewrite the notebooks, README.md and environment.yml where they differ
    python tools/links.py --check   change nothing; name the files that differ and fail
"""

import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The set-up cell of every lesson. In a checkout, the package beside the notebook is used, whatever the kernel holds.
# Elsewhere it is installed where it is lacking; COURSE_SOURCE may name a wheel or a checkout to install instead.
SETUP_CELL = """\
# Set-up. In a checkout this is instant; alone, as in Colab, it first installs the course.
import importlib.util, os, pathlib, shutil, subprocess, sys
COURSE = "git+{address}"
folders = [pathlib.Path.cwd(), *pathlib.Path.cwd().parents]
checkout = [str(f) for f in folders if (f / "course_utils/plots.py").is_file()][:1]
sys.path[:0] = checkout
needed = "course_utils jax flax optax numpy scipy matplotlib tqdm".split()
if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if importlib.util.find_spec("pip") is None:
        pip = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    install = pip + (checkout or [os.environ.get("COURSE_SOURCE", COURSE)])
    if checkout or shutil.which(pip[0]) is None:
        command = subprocess.list2cmdline(install)  # uv: see docs.astral.sh/uv
        raise ImportError(f"This kernel lacks {{', '.join(missing)}}. In a terminal, run: {{command}}")
    subprocess.run(install, check=True)
    importlib.invalidate_caches()
from course_utils import plots
plots.use_style()"""

BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repo}/blob/main/notebooks/{name})"
)
A_BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
AN_EXPLORER = re.compile(r"https://[\w-]+\.github\.io/[\w.-]+(?=/explorers/)")

# Where an address shows: in the links of badges and in the set-up cell's source.
AN_ADDRESS = re.compile(
    r"(?:colab\.research\.google\.com/github/|mybinder\.org/v2/gh/|git\+https://github\.com/)([\w-]+/[\w.-]*\w)"
)


def address(root=ROOT):
    """The repository's address, such as https://github.com/owner/name."""
    with open(root / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"].rstrip("/")


def repo(root=ROOT):
    """The repository's owner/name."""
    return "/".join(address(root).split("/")[-2:])


def site(root=ROOT):
    """Where GitHub Pages publishes the site: https://owner.github.io/name. Lessons link to its explorers."""
    owner, name = repo(root).split("/")
    return f"https://{owner}.github.io/{name}"


def setup_cell(root=ROOT):
    return SETUP_CELL.format(address=address(root))


def badge(name, root=ROOT):
    return BADGE.format(repo=repo(root), name=name)


def lessons(names, root=ROOT):
    """The notebooks of these names (notebooks/01_x.ipynb or 01_x), all without a name; a wrong one ends the program."""
    there = sorted(root.glob("notebooks/*.ipynb"))
    paths = [Path(name) if Path(name).is_file() else root / "notebooks" / f"{Path(name).stem}.ipynb" for name in names]
    for path in paths:
        if not path.is_file():
            sys.exit(f"There is no lesson {path.stem}. The lessons are: {', '.join(path.stem for path in there)}")
    return paths or there


def dump(notebook):
    """A notebook's JSON text, in the one format in which notebooks are stored here."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def rewritten_notebook(path, root):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    before = json.dumps(notebook)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = AN_EXPLORER.sub(site(root), A_BADGE.sub(badge(path.name, root), source))
        elif "setup" in cell["metadata"].get("tags", []):
            source = setup_cell(root)
            grader = cell["metadata"].get("nbgrader", {})
            if "checksum" in grader:  # as nbgrader makes it, for a cell that is locked, no grade and no solution
                summed = f"{source}codeFalseFalseTrue{grader['grade_id']}"
                grader["checksum"] = hashlib.md5(summed.encode()).hexdigest()
        if source != "".join(cell["source"]):
            cell["source"] = source.splitlines(keepends=True)
    return text if json.dumps(notebook) == before else dump(notebook)


def rewritten_text(path, root, old_repos):
    text = path.read_text(encoding="utf-8")
    for old in old_repos | set(AN_ADDRESS.findall(text)):
        text = re.sub(rf"(github\.com/|/github/|/gh/){re.escape(old)}(?![\w-])", rf"\g<1>{repo(root)}", text)
    return text


def rewrite(root=ROOT, check=False):
    """Rewrite the files below root and return the paths of those that differed."""
    folders = ("notebooks", "notebooks/homework/source/*", "notebooks/homework/release/*")
    notebooks = sorted(path for folder in folders for path in root.glob(f"{folder}/*.ipynb"))
    # The addresses in use until now; other texts may link to them without a badge.
    old_repos = {old for path in notebooks for old in AN_ADDRESS.findall(path.read_text(encoding="utf-8"))}
    new = {path: rewritten_notebook(path, root) for path in notebooks}
    for path in (root / "README.md", root / "environment.yml"):
        if path.exists():
            new[path] = rewritten_text(path, root, old_repos)
    differing = [path for path, text in new.items() if text != path.read_text(encoding="utf-8")]
    if not check:
        for path in differing:
            path.write_text(new[path], encoding="utf-8", newline="\n")
    return differing


if __name__ == "__main__":
    check = sys.argv[1:] == ["--check"]
    differing = rewrite(check=check)
    for path in differing:
        print(("differs: " if check else "rewritten: ") + str(path.relative_to(ROOT)))
    if not differing:
        print(f"All badges and set-up cells agree with {address()}.")
    sys.exit(check and bool(differing))
