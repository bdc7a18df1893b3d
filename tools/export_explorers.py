"""Write what the explorers (docs/explorers) need: start values, trained weights, and numbers measured with them.

    python tools/export_explorers.py [square] [plane] [faces] [blobs]      all four without a name; plane takes minutes

Each becomes docs/explorers/<name>/data.js, at most 300 kB, with the seed, the versions and a SHA-256. The recipes are
the lessons' own: their cells are run, not copied. What is changed for the sake of size stands under "recipe" in the
file: fewer hidden neurons, pixels that never change left out, weights rounded to 8 bits (one scale for each neuron).
All numbers in the file are measured with the rounded weights. Same versions, same machine: same file.

A file holds one list of arrays, all little-endian, one after the other: float32, then int16, int8 and uint8. An array
of whole numbers with a "scale" stands for its entries times the scale of their column.
"""

import ast
import base64
import contextlib
import hashlib
import importlib.metadata
import json
import re
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from course_utils import data, faces, losses, metrics, models  # noqa: E402
from course_utils.training import fit  # noqa: E402

FOLDER = ROOT / "docs" / "explorers"
LIMIT = 300_000  # bytes of one file
TYPES = ("<f4", "<i2", "|i1", "|u1")  # in this order, so that every array starts where its type may start
SEED = 0

# --- Files ----------------------------------------------------------------------------------------------------------


def write(name, about, arrays):
    """docs/explorers/<name>/data.js of `arrays`: {name: array}, or {name: (whole numbers, scale of each column)}."""
    flat = {}
    for key, array in arrays.items():
        if isinstance(array, tuple):
            flat[key], flat[f"{key} scale"] = np.asarray(array[0]), np.asarray(array[1], "<f4")
        else:
            flat[key] = np.asarray(array)
    flat = {key: array.astype("<f4") if array.dtype.kind == "f" else array for key, array in flat.items()}
    flat = dict(sorted(flat.items(), key=lambda item: TYPES.index(item[1].dtype.str)))
    content = b"".join(array.tobytes() for array in flat.values())
    listing = [
        {"name": key, "type": array.dtype.str, "shape": list(array.shape)}
        | ({"scale": f"{key} scale"} if f"{key} scale" in flat else {})
        for key, array in flat.items()
    ]
    versions = {package: importlib.metadata.version(package) for package in ("jax", "flax", "optax", "numpy")}
    about = {
        "seed": SEED,
        "versions": versions,
        **about,
        "sha256": hashlib.sha256(content).hexdigest(),
        "arrays": listing,
    }
    text = base64.b64encode(content).decode()
    lines = "\n".join(text[start : start + 120] for start in range(0, len(text), 120))
    script = (
        f"// Made by tools/export_explorers.py {name}. Do not edit.\n"
        f"globalThis.EXPLORER_DATA = {json.dumps(about, ensure_ascii=False, indent=1)};\n"
        f"globalThis.EXPLORER_DATA.bytes = `\n{lines}\n`;\n"
    )
    size = len(script.encode())
    if size > LIMIT:
        raise ValueError(f"{name}: {size:,} bytes, more than {LIMIT:,}")
    (FOLDER / name / "data.js").write_text(script, encoding="utf-8")
    print(f"{name}: {size:,} bytes")


def read(name):
    """(about, arrays) of docs/explorers/<name>/data.js: float32 arrays; whole numbers without a scale stay."""
    script = (FOLDER / name / "data.js").read_text(encoding="utf-8")
    about = json.loads(re.search(r"EXPLORER_DATA = (\{.*?\n\});\n", script, re.DOTALL)[1])
    content = base64.b64decode(re.search(r"bytes = `(.*?)`", script, re.DOTALL)[1])
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ValueError(f"{name}/data.js does not hold what it should (SHA-256 differs)")
    flat, start = {}, 0
    for entry in about["arrays"]:
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(content, entry["type"], count=count, offset=start).reshape(entry["shape"])
        flat[entry["name"]], start = array, start + array.nbytes
    scales = {entry["name"]: entry["scale"] for entry in about["arrays"] if "scale" in entry}
    return about, {
        name: array * flat[scales[name]] if name in scales else array
        for name, array in flat.items()
        if name not in scales.values()
    }


def rounded(matrix, bits=8):
    """A matrix as whole numbers with one scale for each column: (int8 or int16, float32)."""
    matrix, most = np.asarray(matrix, np.float64), 2 ** (bits - 1) - 1
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12).astype("<f4") / np.float32(most)
    return np.rint(matrix / scale).astype("|i1" if bits == 8 else "<i2"), scale


def weights_of(model, prefix):
    """The weights of a models.Autoencoder or models.VAE as arrays for `write`, matrices rounded to 8 bits."""
    arrays = {}
    for half in ("encoder", "decoder"):
        for number, layer in enumerate(linear_layers(getattr(model, half))):
            arrays[f"{prefix} {half} {number} kernel"] = rounded(layer.kernel[...])
            arrays[f"{prefix} {half} {number} bias"] = np.asarray(layer.bias[...])
    return arrays


def load(model, arrays, prefix):
    """Put the weights that `write` was given (or `read` returned) into a model of the same sizes; return the model."""
    for half in ("encoder", "decoder"):
        for number, layer in enumerate(linear_layers(getattr(model, half))):
            for name in ("kernel", "bias"):
                array = arrays[f"{prefix} {half} {number} {name}"]
                array = array[0].astype("f4") * array[1] if isinstance(array, tuple) else array
                getattr(layer, name)[...] = jnp.asarray(array, jnp.float32)
    return model


def linear_layers(sequential):
    return [layer for layer in sequential.layers if isinstance(layer, nnx.Linear)]


def digits(number, places=5):
    """A number, or a list of them, short enough for a file."""
    return json.loads(json.dumps(np.round(np.asarray(number, np.float64), places).tolist()))


# --- Lessons --------------------------------------------------------------------------------------------------------


def lesson(number, *marks, space=None):
    """Run pieces of a lesson's code, in this order → their namespace, which starts as `space` if one is given.

    Each mark starts one line of the lesson. With "def …" only that function is defined; else the whole cell is run.
    """
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    modules = {"jax": jax, "jnp": jnp, "np": np, "nnx": nnx, "optax": optax, "partial": partial, "data": data}
    space = modules | {"losses": losses, "models": models, "metrics": metrics} if space is None else space
    for mark in marks:
        found = [source for source in sources if any(line.startswith(mark) for line in source.split("\n"))]
        if len(found) != 1:
            raise ValueError(f"{path.name} has {len(found)} cells with a line that starts with {mark!r}, not one")
        tree = ast.parse(found[0])
        if mark.startswith("def "):
            name = re.match(r"def (\w+)", mark)[1]
            tree.body = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.name == name]
        exec(compile(tree, f"{path.name}: {mark}", "exec"), space)
    return space


def double_precision():
    """A context in which JAX counts with 16 digits, as lesson 09 does."""
    if hasattr(jax, "enable_x64"):
        with contextlib.suppress(TypeError):
            return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


# --- The four -------------------------------------------------------------------------------------------------------


def square(starts=10):
    """Start values as in lesson 01, section 2: normal weights, biases 0; for 4 and 8 symbols, two code numbers."""
    arrays = {}
    for n in (4, 8):
        for seed in range(starts):
            random = np.random.default_rng(seed)
            arrays[f"{n} symbols, start {seed}, W"] = random.normal(size=(n, 2))
            arrays[f"{n} symbols, start {seed}, W_hat"] = random.normal(size=(2, n))
    recipe = "numpy.random.default_rng(start).normal, W and then Ŵ, as in lesson 01; b and b̂ are 0"
    write("square", {"recipe": recipe, "starts": starts}, arrays)


PLANE_SIZES, PLANE_EPOCHS, SHOWN = (88, 44, 2), 20, 500
INK = 0.003  # pixels whose mean grey value over the training images is below this are left out


def plane():
    """A VAE and a plain autoencoder with two code numbers, trained as in lessons 11 and 08, but smaller."""
    mnist = data.mnist()
    x_train, x_test = mnist.x_train.reshape(-1, 784), mnist.x_test.reshape(-1, 784)
    kept = np.flatnonzero(x_train.mean(axis=0) / 255 > INK)
    sizes = [len(kept), *PLANE_SIZES]
    space = lesson("11", "from functools", "def vae_loss", "def plain_loss")
    networks = {"vae": (models.VAE, space["vae_loss"]), "plain": (models.Autoencoder, space["plain_loss"])}
    pixels = x_test[:, kept] / np.float32(255)
    first = [int(np.flatnonzero(mnist.y_test == digit)[0]) for digit in range(10)]
    arrays = {
        "kept": kept.astype("<i2"), "labels": mnist.y_test[:SHOWN].astype("|u1"),
        "digits": np.rint(x_test[first] / 17).astype("|u1").reshape(10, 392, 2) @ np.array([16, 1], "|u1"),
    }  # fmt: skip
    about = {"sizes": sizes}
    for name, (kind, loss) in networks.items():
        model = kind(sizes, nnx.Rngs(SEED))
        fit(model, loss, x_train[:, kept], optimizer=optax.adam(1e-3), epochs=PLANE_EPOCHS,
            key=jax.random.key(100 + SEED), batch_size=256, name=name)  # fmt: skip
        before, weights = test_loss(model, loss, pixels), weights_of(model, name)
        after = test_loss(load(model, weights, name), loss, pixels)
        codes = model.encode(pixels)
        codes = np.asarray(codes[0] if isinstance(codes, tuple) else codes)
        arrays |= weights | {f"{name} codes": rounded(codes[:SHOWN], bits=16)}
        about[name] = {
            "test loss": digits(after, 3), "test loss before the weights were rounded": digits(before, 3),
            "range": digits([np.quantile(codes, q, axis=0) for q in (0.005, 0.995)], 3),
        }  # fmt: skip
        print(name, about[name])
    about["recipe"] = (
        f"lessons 11 and 08: Adam 0.001, batches of 256; here {PLANE_EPOCHS} epochs instead of 6, "
        f"layers {'-'.join(map(str, sizes))} instead of 784-400-200-100-2, on the pixels with ink"
    )
    write("plane", about, arrays)


def test_loss(model, loss, pixels):
    return float(loss(model, jnp.asarray(pixels), jax.random.key(7)))


FACES_HIDDEN = 56


def faces_():
    """Seven values of β, as in lesson 12: the networks of its first seed, and the MIG of all ten seeds."""
    space = lesson("12", "from functools", "def shrink", "s = 0.1", "train, test =", "x_train, x_test =")
    full = np.asarray(space["x_train"])
    kept = np.flatnonzero(full.std(axis=0) > 1e-3)  # the others are the same in every face
    space["SIZES"] = [len(kept), FACES_HIDDEN, 6]
    space |= {"x_train": space["x_train"][:, kept], "x_test": space["x_test"][:, kept]}
    lesson("12", "model = models.VAE(SIZES", "BETAS =", "def train_one", "def orders", "def train_all", "seeds =",
           "def evaluate", "for_all =", space=space)  # fmt: skip
    betas, sliders = space["BETAS"], space["test"].factors
    graph, all_weights = space["graph"], space["weights"]
    of_ten = [[metrics.mig(codes, sliders) for codes in row] for row in space["drawn"].transpose(1, 0, 2, 3)]
    arrays, about = {"kept": kept.astype("<i2"), "paper": full[0]}, []
    entropies = [metrics.mutual_information(np.stack([v, v], 1), v[:, None], bins=n)[0, 0] for v, n in
                 zip(sliders.T, faces.LEVELS)]  # fmt: skip
    for b, beta in enumerate(betas):
        model = nnx.merge(graph, jax.tree.map(lambda array: array[0, b], all_weights))
        weights = weights_of(model, f"β {beta:g}")
        load(model, weights, f"β {beta:g}")
        arrays |= weights
        about.append(measured(model, beta, space, of_ten[b]))
        print(about[-1])
    recipe = (
        f"lesson 12: 2,000 steps of Adam, batches of 128, s = 0.1; here layers {len(kept)}-{FACES_HIDDEN}-6 instead of "
        "384-128-6, on the pixels that differ from face to face; the first of ten seeds"
    )
    write("faces", {"recipe": recipe, "sizes": space["SIZES"], "entropy": digits(entropies), "networks": about}, arrays)


def measured(model, beta, space, of_ten):
    """What the page says about one network: the numbers of lesson 12, sections 3 and 5, on its 4,000 test faces."""
    x_test, sliders = space["x_test"], space["test"].factors
    mu, log_var = model.encode(x_test)
    z = models.gaussian_sample(jax.random.key(99), mu, log_var)
    kl = jnp.mean(0.5 * (mu**2 + jnp.exp(log_var) - 1 - log_var), axis=0)
    return {
        "beta": float(beta), "kl": digits(kl),
        "distortion": digits(losses.squared_error(x_test, nnx.sigmoid(model.decode(z)))),
        "mig": digits(metrics.mig(z, sliders)), "mig of ten seeds": digits([min(of_ten), max(of_ten)]),
        "information": digits(metrics.mutual_information(z, sliders)),
    }  # fmt: skip


def blobs():
    """The start of lesson 09's Figure 10, where four values of β lead, and the 21 values of its Figure 12."""
    with double_precision():
        space = lesson("09", "def kl_formula", "def descend", "points, weights", "mu_start", "def balance", "sweep =")
        start = {name: digits(space["start"][name], 9) for name in ("mu", "log_sigma", "W", "b")}
        about = {
            "recipe": "lesson 09, section 8: four blobs set by hand, the decoder alone trained; 4,000 steps for each β",
            "start": start, "betas": digits(space["sweep"]), "cost": digits(space["swept_cost"], 6),
            "kl": digits(space["swept_kl"], 6), "constant": digits(space["collapsed"], 6),
            "points": digits(space["points"], 12), "weights": digits(space["weights"], 12),
        }  # fmt: skip
    write("blobs", about, {})


EXPLORERS = {"square": square, "plane": plane, "faces": faces_, "blobs": blobs}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or EXPLORERS:
        EXPLORERS[wanted]()
