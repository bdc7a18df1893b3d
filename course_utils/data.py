"""The data sets of the course, as plain NumPy arrays.

    from course_utils import data

    digits = data.mnist()
    digits.x_train          # uint8 [60000, 28, 28], 0 = background, 255 = full ink
    digits.y_train          # int32 [60000], the digit
    data.names()[:2]        # ["aaban", "aabriella"]
    data.ecg()              # float32 [108000], millivolts
    data.movielens().stars  # float32 [100004], 0.5 to 5
    data.molecules()[:1]    # ["BrC1(Br)C2COCOCC21"]
    codes = data.one_hot(4) # float32 [4, 4]

The files ship with the course (`data/README.md` tells where they come from) and are
read without the network. Every call checks the SHA-256 of what it read and returns
fresh arrays, yours to write into. Nothing is ever written to disk.
"""

import gzip
import hashlib
import operator
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.faces import FACTORS, LEVELS, draw

__all__ = [
    "DataError", "Dataset", "Faces", "Ratings", "ecg", "faces", "fashion_mnist", "mnist", "molecules", "movielens", "names",
    "one_hot",
]  # fmt: skip

# Where to look, first hit wins: inside an installed package, then beside it in a checkout.
FOLDERS = (Path(__file__).parent / "_data", Path(__file__).parent.parent / "data")

# SHA-256 of each file's uncompressed content. This is the one place that holds them.
SHA256 = {
    "mnist/train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "mnist/train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "mnist/t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "mnist/t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "fashion_mnist/train-images-idx3-ubyte.gz": "f675812a188eaff57e6cc99252d4b1fa2d27bc3e00cec09f67474894e24358ad",
    "fashion_mnist/train-labels-idx1-ubyte.gz": "c1d29b30febfce7b7c5d4dfc17d6ab9f9f8e49101ae51e79e3b24d5df6a1317e",
    "fashion_mnist/t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "fashion_mnist/t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "judge/weights-float16.gz": "c5c5d68c4dec01afbe84557cc924d9ed6e7f2994b3889f39f999cca6a0d59502",
    "ecg/mit-bih-208.gz": "45cbec844577d9c7e2117b2011a5d524ab6dd49d93c29f5f5aea690772681b8f",
    "molecules/long-run-float16.gz": "b446c2c1a8f10659b64f11e6c2f336f3b64175a98951e08b9381ef00f2baf9ea",
    "molecules/moses-40000.txt.gz": "a06cbd8d1587097d1b937e76f1951f982254bb017ed10be7f5069b0734bd0f73",
    "movielens/films.txt.gz": "73db55aeee923228a55b3baaf17bfd260690d7d2c1fdf32aa40c3aa7f315cbe1",
    "movielens/ratings.gz": "af3c9ba6a0708cca15404c6d65ba7dbbb3674ab6507e22cdc2274c7faad6c7b3",
    "names/names-2017.txt.gz": "d4636ea6df909ad1e4880eb0781a5441b03776b97fc2312ed81641e4a558afa9",
}


class DataError(RuntimeError):
    """A data file is missing or damaged. The message names the file and the repair."""


class Dataset(NamedTuple):
    """Labelled grey images, split into training and test set.

    x_train, x_test: uint8 [n, 28, 28], 0 (background) to 255.
    y_train, y_test: int32 [n], the index of the image's class.
    classes: the names of the classes, `classes[y]` is the name of class y.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]

    def __repr__(self):
        arrays = [f"{k}: {a.dtype} {list(a.shape)}" for k, a in self._asdict().items() if k != "classes"]
        return f"Dataset({', '.join(arrays)}, {len(self.classes)} classes)"


def mnist() -> Dataset:
    """Handwritten digits: 60,000 to train and 10,000 to test, all of MNIST.

    Returns a `Dataset`: images uint8 [60000, 28, 28] and [10000, 28, 28], labels int32,
    classes "0" to "9".
    Raises `DataError` if a file is missing or damaged.
    Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
    """
    return _load("mnist", tuple("0123456789"))


def fashion_mnist() -> Dataset:
    """Pictures of clothes: the first 20,000 training and all 10,000 test images of Fashion-MNIST.

    Returns a `Dataset`: images uint8 [20000, 28, 28] and [10000, 28, 28], labels int32,
    classes "T-shirt/top" to "Ankle boot".
    Raises `DataError` if a file is missing or damaged.
    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747.
    """
    return _load("fashion_mnist", (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ))  # fmt: skip


def names() -> list[str]:
    """The 29,910 first names that at least five children born in the United States in 2017 were given.

    Returns new strings in alphabetical order, each once: 2 to 15 letters, a to z in lower case; whatever the names
    had of spaces, hyphens and accents is lost in the source. Raises `DataError` if the file is missing or damaged.
    Source: US Social Security Administration, national data on given names (public domain).
    """
    return read("names/names-2017.txt.gz").decode("ascii").split()


def ecg() -> np.ndarray:
    """Five minutes of an electrocardiogram: millivolts, float32 [108000], 360 values a second.

    Minutes 19:35 to 24:35 of record 208 of the MIT-BIH arrhythmia database, lead MLII, of a woman of 23 years. The
    steps are 0.005 mV. Raises `DataError` if the file is missing or damaged.
    Source: G. B. Moody, R. G. Mark, The impact of the MIT-BIH arrhythmia database, 2001, through PhysioNet.
    """
    readings = np.frombuffer(read("ecg/mit-bih-208.gz"), "<u2")
    return (readings.astype(np.float32) - 1024) / 200  # the converter's zero, and its steps per millivolt


class Ratings(NamedTuple):
    """Who gave which film how many stars: one number of each array for each rating.

    user: int32 [n], from 0. film: int32 [n], from 0; film k is `titles[k]`, of the year `years[k]` (0: unknown), of
    the genres `genres[k]`. stars: float32 [n], 0.5 to 5 in steps of a half.
    """

    user: np.ndarray
    film: np.ndarray
    stars: np.ndarray
    titles: tuple[str, ...]
    years: tuple[int, ...]
    genres: tuple[tuple[str, ...], ...]

    def __repr__(self):
        return f"Ratings({len(self.user)} ratings, {self.user.max() + 1} users, {len(self.titles)} films)"


def movielens() -> Ratings:
    """100,004 ratings of 9,066 films by 671 users: MovieLens latest-small of October 2016.

    Returns `Ratings`, sorted by user, and each user's ratings as they were given, the first one first. Film 0 has the
    most ratings. Not for commercial use (`data/README.md`). Raises `DataError` if a file is missing or damaged.
    Source: F. M. Harper, J. A. Konstan, The MovieLens Datasets: History and Context, 2015.
    """
    user, film, stars = np.frombuffer(read("movielens/ratings.gz"), "<u2").reshape(3, -1)
    lines = read("movielens/films.txt.gz").decode("utf-8").splitlines()
    titles, years, genres = zip(*(line.split("\t") for line in lines), strict=True)
    split = tuple(() if names == "(no genres listed)" else tuple(names.split("|")) for names in genres)
    return Ratings(user.astype(np.int32), film.astype(np.int32), stars.astype(np.float32) / 2,
                   titles, tuple(int(year or 0) for year in years), split)  # fmt: skip


def molecules() -> list[str]:
    """40,000 molecules of the kind that medicines begin with, as texts in SMILES.

    Returns new strings in the order of their characters, each once: 16 to 54 characters of 25 kinds, drawn at random
    from the 1,584,663 of the training list of MOSES. Raises `DataError` if the file is missing or damaged.
    Source: D. Polykovskiy and others, Molecular Sets (MOSES), 2020, from the ZINC database.
    """
    return read("molecules/moses-40000.txt.gz").decode("ascii").split()


def one_hot(n: int) -> np.ndarray:
    """The n one-hot vectors of length n, one a row: the identity, float32 [n, n].

    Raises `TypeError` if n is not an integer and `ValueError` if n < 1.
    """
    if isinstance(n, (bool, np.bool_)) or not hasattr(n, "__index__"):
        raise TypeError(f"one_hot(n) needs an integer n, got {n!r} ({type(n).__name__})")
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"one_hot(n) needs n of at least 1, got {n}")
    return np.eye(n, dtype=np.float32)


class Faces(NamedTuple):
    """Drawn faces and the factors they were drawn from.

    images: uint8 [n, 32, 32, 3], red, green, blue. factors: int32 [n, 6], from 0 to `levels[j]` − 1.
    names, levels: the name of each factor, and how many values it takes.
    """

    images: np.ndarray
    factors: np.ndarray
    names: tuple[str, ...]
    levels: tuple[int, ...]


def faces(n: int, seed: int = 0) -> Faces:
    """n faces whose six factors are drawn independently and uniformly; a second for about 5,000.

    Same n and seed: same faces. `course_utils.faces.draw` draws faces of chosen factors. Raises ValueError if n < 1.
    """
    if n < 1:
        raise ValueError(f"faces(n) needs n of at least 1, got {n}")
    factors = np.random.default_rng(seed).integers(0, LEVELS, (n, len(LEVELS)), dtype=np.int32)
    return Faces(draw(factors / (np.array(LEVELS) - 1)), factors, FACTORS, LEVELS)


def _load(name, classes):
    x_train = _read_idx(f"{name}/train-images-idx3-ubyte.gz")
    y_train = _read_idx(f"{name}/train-labels-idx1-ubyte.gz").astype(np.int32)
    x_test = _read_idx(f"{name}/t10k-images-idx3-ubyte.gz")
    y_test = _read_idx(f"{name}/t10k-labels-idx1-ubyte.gz").astype(np.int32)
    return Dataset(x_train, y_train, x_test, y_test, classes)


def read(name):
    """The uncompressed content of the file `name`, one of `SHA256`, checked: bytes. Raises `DataError`."""
    repair = (
        f"In a checkout of the course, run `git checkout -- data/{name}` in its folder (without git, download the "
        "course again); without one, install the package again (`pip install --force-reinstall …`, or, without pip, "
        "`uv pip install --reinstall …`)."
    )
    path = next((f / name for f in FOLDERS if (f / name).exists()), None)
    if path is None:
        raise DataError(f"The data file {name} is missing. {repair}")
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"The data file {path} cannot be read ({error}). {repair}") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(f"The data file {path} does not hold the data it should (SHA-256 differs). {repair}")
    return content


def _read_idx(name):
    """The array in the IDX file `name`: a header (0, 0, 8 for uint8, rank; sizes), then the values."""
    content = read(name)
    rank = content[3]
    shape = np.frombuffer(content, ">i4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()
