"""The files around the lessons agree with each other, and setting up fails with a sentence that helps."""

import ast
import asyncio
import functools
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import types
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links
import slides

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def ranges(requirements):
    """{name: range} of a list of requirements."""
    parsed = [Requirement(text) for text in requirements]
    return {requirement.name: requirement.specifier for requirement in parsed}


def pins(path):
    """{name: [versions]} of a file with one pinned package a line; there may be one version per Python version."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.lstrip().startswith("#"):
            name, version = line.split(";")[0].strip().split("==")
            found.setdefault(canonicalize_name(name), []).append(version)
    return found


# --- Versions ---------------------------------------------------------------------------------------------------------


def test_environment_yml_has_the_packages_and_ranges_of_pyproject():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (from_pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    conda = ranges(entry for entry in listed if isinstance(entry, str))
    conda["matplotlib"] = conda.pop("matplotlib-base")  # conda's name for matplotlib without a window system
    conda.pop("pip")
    python = str(conda.pop("python"))
    assert PROJECT["requires-python"] in python.split(",")
    assert "--editable ." in from_pip  # the course itself
    both = conda | ranges(entry for entry in from_pip if not entry.startswith("-"))
    assert both == ranges(PROJECT["dependencies"] + EXTRAS["lab"] + EXTRAS["test"] + EXTRAS["grade"])


def test_lower_bounds_are_colabs_versions():
    colab = pins(ROOT / "tests/colab-pins.txt")
    for name, range_ in ranges(PROJECT["dependencies"]).items():
        if name in colab:
            assert f">={colab[name][0]}" in str(range_).split(","), name


def test_the_lock_satisfies_the_ranges_and_holds_no_addresses():
    lock = pins(ROOT / "requirements.lock")
    for name, range_ in ranges(PROJECT["dependencies"] + EXTRAS["lab"] + EXTRAS["test"]).items():
        assert all(version in range_ for version in lock[name]), name
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


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
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace(links.address(), "https://github.com/some-one/her.fork")
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with open(tmp_path / "README.md", "a", encoding="utf-8") as file:
        file.write(f"\nClone https://github.com/{old}.git\n{links.badge('01_x.ipynb')}\nhttps://github.com/{old}-b\n")
    title = {"cell_type": "markdown", "metadata": {}, "source": ["# Ünder test\n", "\n", links.badge("wrong.ipynb")]}
    setup = {"cell_type": "code", "metadata": {"tags": ["setup"]}, "source": [links.setup_cell()]}
    other = {"cell_type": "code", "metadata": {}, "source": ["1 + 1  # ½"]}
    cells = [title, setup | {"outputs": [], "execution_count": 1}, other | {"outputs": [], "execution_count": 2}]
    notebook = tmp_path / "notebooks" / "01_x.ipynb"
    notebook.parent.mkdir()
    text = links.dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    notebook.write_text(text, encoding="utf-8")

    assert {path.name for path in links.rewrite(tmp_path, check=True)} >= {"01_x.ipynb", "README.md"}
    links.rewrite(tmp_path)

    assert links.rewrite(tmp_path, check=True) == []
    text = notebook.read_text(encoding="utf-8")
    new = json.loads(text)
    assert "".join(new["cells"][0]["source"]) == "# Ünder test\n\n" + links.badge("01_x.ipynb", tmp_path)
    assert "some-one/her.fork/blob/main/notebooks/01_x.ipynb" in text
    assert "".join(new["cells"][1]["source"]) == links.setup_cell(tmp_path)
    assert '"git+https://github.com/some-one/her.fork"' in links.setup_cell(tmp_path)
    assert new["cells"][2] == cells[2]
    assert text == json.dumps(new, indent=1, ensure_ascii=False) + "\n"
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "Clone https://github.com/some-one/her.fork.git" in readme
    assert readme.count(old) == 1 and f"https://github.com/{old}-b" in readme  # another repository stays


def test_a_wrong_name_is_answered_with_the_lessons_there_are(tmp_path):
    lessons = links.lessons([])
    assert lessons and links.lessons([lessons[0].stem, str(lessons[1])]) == lessons[:2]
    for program in ("run_notebooks.py", "slides.py"):
        command = [sys.executable, ROOT / "tools" / program, "notebooks/99_not_there.ipynb"]
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path)
        assert answer.returncode == 1
        assert answer.stderr.startswith("There is no lesson 99_not_there. The lessons are: 00_start_here, 01_")
        assert answer.stderr.count("\n") == 1


# --- The set-up cell --------------------------------------------------------------------------------------------------


@pytest.fixture
def kernel(tmp_path):
    """A Python without pip and packages. Gives a function that runs the set-up cell in it and returns the process."""
    venv.create(tmp_path / "kernel", symlinks=True)
    python = tmp_path / "kernel" / "bin" / "python"
    there = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "kernel")}))
    (tmp_path / "bin").mkdir()

    def run(folder, packages=()):
        for name in packages:  # empty ones: the cell only looks whether they are there
            (there / name).mkdir(exist_ok=True)
            (there / name / "__init__.py").touch()
        cell = links.setup_cell() + "\nprint(plots.__file__)"
        env = {"PATH": str(tmp_path / "bin"), "COURSE_SOURCE": "the course.whl"}
        return subprocess.run([python, "-c", cell], cwd=folder, env=env, capture_output=True, encoding="utf-8")

    run.python, run.packages, run.programs = python, there, tmp_path / "bin"
    return run


NEEDED = ["jax", "flax", "optax", "numpy", "scipy", "matplotlib", "tqdm"]


@pytest.fixture
def checkout(tmp_path):
    """The folder of the notebooks in a checkout whose package does nothing."""
    for name in ("course_utils", "notebooks"):
        (tmp_path / "my checkout" / name).mkdir(parents=True)
    (tmp_path / "my checkout" / "course_utils" / "plots.py").write_text("def use_style(): pass", encoding="utf-8")
    return tmp_path / "my checkout" / "notebooks"


def test_in_a_checkout_the_package_beside_the_notebook_is_used(kernel, checkout):
    (kernel.packages / "course_utils").mkdir()  # an older one that was installed some time
    (kernel.packages / "course_utils" / "plots.py").write_text("1 / 0", encoding="utf-8")
    process = kernel(checkout, NEEDED)
    assert process.stdout.strip() == str(checkout.parent / "course_utils" / "plots.py"), process.stderr


@pytest.mark.parametrize("has_pip", [True, False])
def test_in_a_checkout_whose_kernel_lacks_packages_one_sentence_says_what_to_run(kernel, checkout, has_pip):
    process = kernel(checkout, NEEDED[2:] + ["pip"] * has_pip)
    python = kernel.python
    command = f"{python} -m pip install --quiet" if has_pip else f"uv pip install --quiet --python {python}"
    sentence = f'This kernel lacks jax, flax. In a terminal, run: {command} "{checkout.parent}"'
    assert process.stderr.splitlines()[-1] == f"ImportError: {sentence}"


def test_alone_without_pip_uv_installs_the_course(kernel, tmp_path):
    process = kernel(tmp_path, NEEDED)
    sentence = process.stderr.splitlines()[-1]
    assert sentence.startswith("ImportError: This kernel lacks course_utils. In a terminal, run: uv pip install ")
    installs = f'echo "$@"; {shutil.which("mkdir")} "{kernel.packages}/course_utils"\n'
    installs += f'echo "def use_style(): pass" > "{kernel.packages}/course_utils/plots.py"\n'
    (kernel.programs / "uv").write_text("#!/bin/sh\n" + installs, encoding="utf-8")
    (kernel.programs / "uv").chmod(0o755)
    process = kernel(tmp_path, NEEDED)
    said, used = process.stdout.splitlines()
    assert said == f"pip install --quiet --python {kernel.python} the course.whl", process.stderr
    assert used == str(kernel.packages / "course_utils" / "plots.py")


# --- Line ends and letters --------------------------------------------------------------------------------------------


def test_a_clone_with_windows_line_ends_keeps_ours(tmp_path):
    """Whatever core.autocrlf says: sh and make do not understand CRLF, and checksums would change."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git")
    files = ["tools/setup.sh", "Makefile", "requirements.lock", "course_utils/data.py", "notebooks/00_start_here.ipynb"]
    data = ["data/mnist/t10k-labels-idx1-ubyte.gz", "docs/toy.png"]
    source, clone = tmp_path / "source", tmp_path / "clone"
    for name in files + data + [".gitattributes"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=true"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=source, check=True)
    subprocess.run([*git, "clone", "-q", "-c", "core.autocrlf=true", source, clone], check=True)
    for name in files:
        assert b"\r\n" not in (clone / name).read_bytes(), name
    for name in files + data:
        assert (clone / name).read_bytes() == (ROOT / name).read_bytes(), name


def test_every_text_is_read_and_written_as_utf8():
    """A system's own encoding, cp1252 for instance, has neither ✓ nor ε."""
    for path in [*ROOT.glob("tools/*.py"), *ROOT.glob("course_utils/*.py"), *ROOT.glob("tests/**/*.py")]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                function = getattr(call.func, "id", getattr(call.func, "attr", ""))
                text = function in ("read_text", "write_text")
                if isinstance(call.func, ast.Name) and function == "open":
                    modes = call.args[1:2] + [word.value for word in call.keywords if word.arg == "mode"]
                    text = not any("b" in getattr(mode, "value", "") for mode in modes)
                encoded = any(word.arg == "encoding" for word in call.keywords)
                assert encoded or not text, f"{path.name}, line {call.lineno}: {function} without encoding"


# --- Slides -----------------------------------------------------------------------------------------------------------

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@pytest.fixture
def lesson(tmp_path):
    """A small notebook with two pictures, as Colab stores it."""
    told = {"image/png": {"alt": "A «dot»"}}
    pictures = [nbformat.v4.new_output("display_data", {"image/png": DOT}, metadata=m) for m in (told, {})]
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1", outputs=pictures)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"0a1b": {"model_name": "HBoxModel"}}}
    path = tmp_path / "01_dot.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_notebook_from_colab_becomes_slides_and_its_pictures_keep_their_texts(lesson):
    assert slides.slides(lesson).count('alt="A «dot»"') == 1


def test_a_lesson_that_fails_is_named_and_the_others_are_made(lesson, tmp_path, capsys):
    broken = tmp_path / "00_broken.ipynb"
    broken.write_text('{"cells": [', encoding="utf-8")
    assert slides.main([broken, lesson], root=tmp_path) == 1
    said = capsys.readouterr()
    assert said.out == "build/slides/01_dot.slides.html\n" and said.err.startswith("00_broken.ipynb: FAILED")
    assert (tmp_path / "build/slides/01_dot.slides.html").read_text(encoding="utf-8").count("A «dot»") == 1


# --- JupyterLab -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab_config(tmp_path, monkeypatch):
    """What tools/lab_config.py says, run as Jupyter runs it in a copy of the course, and the environment after it."""
    pytest.importorskip("jupyter_server")
    config = types.SimpleNamespace(ServerApp=types.SimpleNamespace(), LabApp=types.SimpleNamespace())
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if not k.startswith("JAX_")})
    file = tmp_path / "course" / "tools" / "lab_config.py"
    exec((ROOT / "tools" / "lab_config.py").read_text(encoding="utf-8"), {"c": config, "__file__": str(file)})
    return config, os.environ


def test_what_jax_compiled_in_the_lab_is_found_again_and_gives_the_same(lab_config, tmp_path):
    _, env = lab_config
    program = """if True:
        import jax, jax.numpy as jnp
        from jax import monitoring
        found = []
        monitoring.register_event_listener(lambda event, **_: found.append(event))
        value = jax.jit(lambda x: jnp.tanh(SLOPE * x).sum())(jnp.arange(1000.0))
        print(float(value), found.count("/jax/compilation_cache/cache_hits") > 0)"""

    def run(slope):
        process = subprocess.run([sys.executable, "-c", program.replace("SLOPE", slope)], env=env, capture_output=True, text=True, check=True)
        assert not process.stderr
        return process.stdout.split()

    first, again = run("0.01"), run("0.01")
    assert first[0] == again[0] and (first[1], again[1]) == ("False", "True")
    assert run("0.02")[0] != first[0]
    assert any((tmp_path / "course" / "build" / "jax-cache").iterdir()) and not (tmp_path / "build").exists()


def test_a_notebook_opens_with_what_jupyterlab_would_add_and_its_file_stays(lab_config, tmp_path):
    """JupyterLab compares the stored language_info, the version included, with the kernel's, and asks to save."""
    from ipykernel.ipkernel import IPythonKernel

    config, _ = lab_config
    contents = config.ServerApp.contents_manager_class(root_dir=str(tmp_path))
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.write(notebook, tmp_path / "a.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "b.ipynb")
    before = (tmp_path / "a.ipynb").read_bytes()
    opened = asyncio.run(contents.get("a.ipynb"))["content"]["metadata"]
    assert opened["language_info"] == IPythonKernel.language_info and opened["language_info"]["version"]
    assert opened["kernelspec"] == {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    assert asyncio.run(contents.get("b.ipynb"))["content"]["metadata"] == {}
    assert asyncio.run(contents.get(""))["type"] == "directory"
    assert (tmp_path / "a.ipynb").read_bytes() == before


# --- Comparing outputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "printed, masked",
    [
        ("✓ loss: 105.7 (expected 104.5 to 107; Kingma)", "✓ loss: MEASURED (expected 104.5 to 107; Kingma)"),
        ("✓ a: b: -1.2e-05 (expected 0 to 1)", "✓ a: b: MEASURED (expected 0 to 1)"),
        ("one step: 12.3 ms, all: 4.5 s or 1.23 µs", "one step: DURATION, all: DURATION or DURATION"),
        ("loss: 105.7", "loss: 105.7"),
        ("shape (4, 2), 4 symbols, 3 seeds", "shape (4, 2), 4 symbols, 3 seeds"),
    ],
)
def test_only_measurements_are_masked(printed, masked):
    rules = (ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8")
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
    for name in ("sh", "cat", "cp", "dirname", "find", "mkdir", "rm", "sleep"):
        (programs / name).symlink_to(shutil.which(name))

    def set_up(**pythons):
        for name, script in pythons.items():
            file = programs / name.replace("_", ".")
            file.write_text("#!/bin/sh\n" + script, encoding="utf-8")
            file.chmod(0o755)
        command = [str(programs / "sh"), "tools/setup.sh"]
        heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
        return subprocess.Popen(
            command,
            cwd=checkout,
            env={"PATH": str(programs)},
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed,
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


def test_setting_up_counts_the_packages_and_fails_when_pip_fails(fresh):
    pip = """case "$*" in
    *requirements.lock*)
        for n in 1 2 3; do echo "Collecting a$n==1"; done
        echo "Installing collected packages"
        exit {} ;;
    *version_info*) echo 12 ;;
esac
"""
    for code in (7, 0):
        shutil.rmtree(fresh.venv, ignore_errors=True)
        inside = fresh.venv.parent / "python for the environment"
        inside.write_text("#!/bin/sh\n" + pip.format(code), encoding="utf-8")
        inside.chmod(0o755)
        process = fresh(python3=fake(12, makes_venv=f'mkdir -p .venv/bin; cp "{inside}" .venv/bin/python; exit 0'))
        said, complaint = process.communicate()
        assert "3 packages looked up" in said
        assert (process.returncode == 0) == (code == 0) == fresh.venv.exists() == ("retry" not in complaint)


def test_make_works_where_home_cannot_be_written(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "show.mk").write_text("include Makefile\nshow: ; @echo $$HOME\n", encoding="utf-8")
    for home, used in ((tmp_path / "none", tmp_path / "build" / "home"), (tmp_path, tmp_path)):
        env = os.environ | {"HOME": str(home)}
        show = ["make", "-s", "-f", "show.mk", "show"]
        run = subprocess.run(show, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8")
        assert run.stdout.strip() == str(used) and used.is_dir(), run.stderr
