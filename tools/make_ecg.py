"""Make data/ecg from the wheel of SciPy 1.9.3, the last versions that held it.

    python tools/make_ecg.py FOLDER_OF_SCIPY/misc/ecg.dat [OUT_FOLDER]

The source is a NumPy archive of 108,000 readings of an 11-bit converter. They are written as they are, uint16, low
byte first, as make_data.py writes the images: gzip without name or time.
"""

import sys

import numpy as np
from make_data import ROOT, store


def readings(ecg):
    """The content of the file: bytes. Stops if these are not the 108,000 readings of 11 bits."""
    if ecg.dtype != np.uint16 or ecg.shape != (108_000,) or ecg.max() > 2047:
        sys.exit(f"these are not the readings: {ecg.dtype} {ecg.shape}, largest {ecg.max()}")
    return ecg.astype("<u2").tobytes()


def main(source, out=ROOT / "data"):
    store(readings(np.load(source)["ecg"]), "ecg/mit-bih-208.gz", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
