"""The files around the lessons agree with each other, and setting up fails with a sentence that helps."""

import functools
import importlib.metadata
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def ranges(requirements):
    """{name: range} of a list of requirements."""
    parsed = [Requirement(text) for text in requirements]
    return {requirement.name: requirement.specifier for requirement in parsed}


def pins(path):
    """{name: [versions]} of a file with one pinned package a line; there may be one version per Python version."""
    found = {}
    for line in path.read_text().splitlines():
        if line and not line.lstrip().startswith("#"):
            name, version = line.split(";")[0].strip().split("==")
            found.setdefault(canonicalize_name(name), []).append(version)
    return found


# --- Versions ---------------------------------------------------------------------------------------------------------


def test_environment_yml_has_the_packages_and_ranges_of_pyproject():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (from_pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    conda = ranges(entry for entry in listed if isinstance(entry, str))
    conda["matplotlib"] = conda.pop("matplotlib-base")  # conda's name for matplotlib without a window system
    conda.pop("pip")
    python = str(conda.pop("python"))
    assert PROJECT["requires-python"] in python.split(",")
    assert "--editable ." in from_pip  # the course itself
    both = conda | ranges(entry for entry in from_pip if not entry.startswith("-"))
    assert both == ranges(PROJECT["dependencies"] + EXTRAS["lab"] + EXTRAS["test"])


def test_lower_bounds_are_colabs_versions():
    colab = pins(ROOT / "tests/colab-pins.txt")
    for name, range_ in ranges(PROJECT["dependencies"]).items():
        if name in colab:
            assert f">={colab[name][0]}" in str(range_).split(","), name


def test_the_lock_satisfies_the_ranges_and_holds_no_addresses():
    lock = pins(ROOT / "requirements.lock")
    for name, range_ in ranges(PROJECT["dependencies"] + EXTRAS["lab"] + EXTRAS["test"]).items():
        assert all(version in range_ for version in lock[name]), name
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_installed_versions_are_those_that_this_environment_is_made_of():
    colab = Path(sys.prefix).name == ".venv-colab"
    if not colab and Path(sys.prefix).name != ".venv":
        pytest.skip("neither .venv nor .venv-colab")
    for name, versions in pins(ROOT / ("tests/colab-pins.txt" if colab else "requirements.lock")).items():
        try:
            assert importlib.metadata.version(name) in versions, name
        except importlib.metadata.PackageNotFoundError:
            assert not colab, name  # the lock also names packages for other systems


def test_the_wheel_carries_the_package_and_the_data(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("course_utils/")}
    for folder, prefix in (("course_utils", "course_utils"), ("data", "course_utils/_data")):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"{prefix}/{file.relative_to(ROOT / folder).as_posix()}" in inside


# --- The repository's address -----------------------------------------------------------------------------------------


def test_badges_and_setup_cells_carry_the_address_of_pyproject():
    assert links.rewrite(check=True) == [], "run: make links"


def test_links_follow_a_fork(tmp_path):
    for file in ("pyproject.toml", "README.md", "environment.yml"):
        if (ROOT / file).exists():
            shutil.copy(ROOT / file, tmp_path)
    old = links.repo()
    text = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace(links.address(), "https://github.com/some-one/her.fork"))
    with open(tmp_path / "README.md", "a") as file:
        file.write(f"\nClone https://github.com/{old}.git\n{links.badge('01_x.ipynb')}\nhttps://github.com/{old}-b\n")
    title = {"cell_type": "markdown", "metadata": {}, "source": ["# Ünder test\n", "\n", links.badge("wrong.ipynb")]}
    setup = {"cell_type": "code", "metadata": {"tags": ["setup"]}, "source": [links.setup_cell()]}
    other = {"cell_type": "code", "metadata": {}, "source": ["1 + 1  # ½"]}
    cells = [title, setup | {"outputs": [], "execution_count": 1}, other | {"outputs": [], "execution_count": 2}]
    notebook = tmp_path / "notebooks" / "01_x.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(links.dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    assert {path.name for path in links.rewrite(tmp_path, check=True)} >= {"01_x.ipynb", "README.md"}
    links.rewrite(tmp_path)

    assert links.rewrite(tmp_path, check=True) == []
    text = notebook.read_text()
    new = json.loads(text)
    assert "".join(new["cells"][0]["source"]) == "# Ünder test\n\n" + links.badge("01_x.ipynb", tmp_path)
    assert "some-one/her.fork/blob/main/notebooks/01_x.ipynb" in text
    assert "".join(new["cells"][1]["source"]) == links.setup_cell(tmp_path)
    assert '"git+https://github.com/some-one/her.fork"' in links.setup_cell(tmp_path)
    assert new["cells"][2] == cells[2]
    assert text == json.dumps(new, indent=1, ensure_ascii=False) + "\n"
    readme = (tmp_path / "README.md").read_text()
    assert "Clone https://github.com/some-one/her.fork.git" in readme
    assert readme.count(old) == 1 and f"https://github.com/{old}-b" in readme  # another repository stays


# --- Comparing outputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "printed, masked",
    [
        ("✓ loss: 105.7 (expected 104.5–107; Kingma)", "✓ loss: MEASURED (expected 104.5–107; Kingma)"),
        ("✓ a: b: -1.2e-05 (expected 0–1)", "✓ a: b: MEASURED (expected 0–1)"),
        ("one step: 12.3 ms, all: 4.5 s or 1.23 µs", "one step: DURATION, all: DURATION or DURATION"),
        ("loss: 105.7", "loss: 105.7"),
        ("shape (4, 2), 4 symbols, 3 seeds", "shape (4, 2), 4 symbols, 3 seeds"),
    ],
)
def test_only_measurements_are_masked(printed, masked):
    rules = (ROOT / "tests/nbval_sanitize.cfg").read_text()
    for regex, replace in re.findall("^regex: (.*)$\n^replace: (.*)$", rules, re.M):  # as nbval reads the file
        printed = re.sub(regex, replace, printed)
    assert printed == masked


# --- Setting up -------------------------------------------------------------------------------------------------------

STUB = "exit 127\n"  # such as a version manager leaves on the PATH


def fake(minor, has_venv=True, makes_venv="exit 1"):
    """A shell script that answers setup.sh's questions like Python 3.<minor>."""
    return f"""case "$*" in
    *version_info*) echo {minor} ;;
    *ensurepip*) exit {0 if has_venv else 1} ;;
    *"-m venv"*) {makes_venv} ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def fresh(tmp_path):
    """A fresh checkout in a folder with a space, and a PATH without any Python. Gives a function that sets up."""
    checkout, programs = tmp_path / "a checkout", tmp_path / "bin"
    (checkout / "tools").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(ROOT / "tools/setup.sh", checkout / "tools")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    for name in ("sh", "cat", "dirname", "find", "mkdir", "rm", "sleep"):
        (programs / name).symlink_to(shutil.which(name))

    def set_up(**pythons):
        for name, script in pythons.items():
            file = programs / name.replace("_", ".")
            file.write_text("#!/bin/sh\n" + script)
            file.chmod(0o755)
        command = [str(programs / "sh"), "tools/setup.sh"]
        heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
        return subprocess.Popen(
            command, cwd=checkout, env={"PATH": str(programs)}, text=True, stderr=subprocess.PIPE, preexec_fn=heed
        )

    set_up.venv = checkout / ".venv"
    return set_up


@pytest.mark.parametrize(
    "pythons, sentence",
    [
        ({}, "No Python was found: install Python 3.11 or newer"),
        ({"python3": STUB, "python": STUB}, "No Python was found: install Python 3.11 or newer"),
        ({"python3": fake(9)}, "too old (python3 is 3.9): install Python 3.11 or newer"),
        ({"python3": fake(99)}, "too new (python3 is 3.99) for the pinned packages: install Python 3."),
        ({"python3": fake(12, has_venv=False)}, "install its venv module (on Debian or Ubuntu: sudo apt install python3 python3-venv)"),
    ],
    ids=["none", "stubs", "old", "new", "without venv"],
)
def test_one_sentence_says_what_to_install(fresh, pythons, sentence):
    process = fresh(**pythons)
    message = process.communicate()[1]
    assert process.returncode == 1
    assert sentence in message and message.count("\n") == 1
    assert not fresh.venv.exists()


def test_the_first_python_that_fits_is_taken_and_a_failure_leaves_nothing_behind(fresh):
    half_made = "mkdir .venv; echo this one >&2; exit 1"
    process = fresh(python3=fake(9), python=STUB, python3_13=fake(13, has_venv=False), python3_12=fake(12, makes_venv=half_made))
    message = process.communicate()[1]
    assert process.returncode == 1
    assert message.startswith("this one") and "retry" in message
    assert not fresh.venv.exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(fresh, sent):
    process = fresh(python3=fake(12, makes_venv="mkdir .venv; exec sleep 4"))
    while not fresh.venv.exists():
        time.sleep(0.01)
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == 128 + sent
    assert not fresh.venv.exists()
