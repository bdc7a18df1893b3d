"""Make data/molecules from the training list of the PyPI package `molsets`.

    python tools/make_molecules.py FOLDER_OF_MOSES/dataset/data/train.csv.gz [OUT_FOLDER]

Draws 40,000 of the 1,584,663 molecules at random (seed 0), sorts them, one a line, and writes them as make_data.py
writes the images: gzip without name or time.
"""

import gzip
import random
import sys

from make_data import ROOT, store

NUMBER, LETTERS = 40_000, set("BCFHNOSclnors()[]=#-123456")


def lines(table, number=NUMBER):
    """The content of the file: bytes, from the lines of the table. Stops if this is not a list of molecules."""
    head, *rows = table
    molecules = [row.split(",")[0] for row in rows]
    if head.split(",")[0] != "SMILES" or len(set(molecules)) < number or set("".join(molecules)) - LETTERS:
        sys.exit(f"this is not the list of molecules: {head}, {len(molecules)} lines")
    return "".join(f"{molecule}\n" for molecule in sorted(random.Random(0).sample(molecules, number))).encode("ascii")


def main(source, out=ROOT / "data"):
    with gzip.open(source, "rt", encoding="ascii") as file:
        store(lines(file.read().splitlines()), f"molecules/moses-{NUMBER}.txt.gz", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
