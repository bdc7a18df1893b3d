"""How the tests share the cores, and the wheel that several of them install."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Long tests first. The tests of a file stay together on one core, but every run of a notebook may go elsewhere."""

    def rank(item):
        return 0 if item.get_closest_marker("slow") else 1 if item.path.suffix == ".ipynb" else 2

    items.sort(key=rank)
    for item in items:
        group = item.name.replace("]", "") if rank(item) == 0 else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The course as a wheel, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--quiet", "--wheel-dir", str(folder)], check=True)
    (path,) = folder.glob("*.whl")
    return path
