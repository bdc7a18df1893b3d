"""How the tests share the cores, and the wheel that several of them install."""

import subprocess
import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent


LONGEST = ["11", "07", "05", "06", "04", "12", "test_homework.py"]  # what a file's name begins with


def pytest_collection_modifyitems(items):
    """The longest first, so that no core waits at the end: runs of whole notebooks, then nbval's, then the rest."""

    def rank(item):
        place = next((i for i, begin in enumerate(LONGEST) if item.path.name.startswith(begin)), len(LONGEST))
        return "test_runs_alone" not in item.name, item.path.suffix != ".ipynb", place

    items.sort(key=rank)


class OneFileOneCore(LoadScopeScheduling):
    """The tests of a file (the cells of a notebook) stay together; only runs of whole notebooks go where there is room."""

    def _split_scope(self, nodeid):
        return nodeid if "test_runs_alone" in nodeid else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config, log):
    return OneFileOneCore(config, log)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The course as a wheel, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--quiet", "--wheel-dir", str(folder)], check=True)
    (path,) = folder.glob("*.whl")
    return path
