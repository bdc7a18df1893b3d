"""Renew the versions in tests/colab-pins.txt from a list that Colab publishes.

    python tools/colab_pins.py pip-freeze.txt

The list is pip-freeze.txt of the public repository googlecolab/backend-info. What is pinned here and not listed there
stays as it is, and is named.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def renewed(pins, freeze):
    """The text of the pins with the versions of the list; and what differs, one text a package."""
    listed = {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;+]+)", freeze, re.M)}
    told = []

    def renew(match):
        name, old = match.groups()
        new = listed.get(canonical(name))
        if new != old:
            told.append(f"{name} {old} → {new}" if new else f"{name} {old} is not in the list")
        return f"{name}=={new or old}"

    return re.sub(r"^([\w.-]+)==(\S+)", renew, pins, flags=re.M), told


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")
    if len(sys.argv) != 2:
        sys.exit("Which list? For instance: make colab-pins LIST=pip-freeze.txt")
    pins = ROOT / "tests/colab-pins.txt"
    text, told = renewed(pins.read_text(encoding="utf-8"), Path(sys.argv[1]).read_text(encoding="utf-8"))
    pins.write_text(text, encoding="utf-8", newline="\n")
    print("\n".join(told) or "All versions are Colab's.")
