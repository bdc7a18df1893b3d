"""The explorers: their JavaScript gives the numbers of the course's Python, and their files are what they should be.

The same .js files that the pages load are run by Node on inputs that Python evaluates, too. Without Node these tests
are skipped, and say so.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from course_utils import data, faces, losses, metrics, models

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import export_explorers as export  # noqa: E402

FOLDER = ROOT / "docs" / "explorers"
LESSONS = {
    "square": "01_one_hot_toy",
    "blobs": "09_elbo_and_kl",
    "plane": "11_variational_autoencoder",
    "faces": "12_beta_vae",
}
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed: the explorers' JavaScript was not run")


def javascript(explorer, expression, **values):
    """The value of a JavaScript expression that may use M (the explorer's model.js), DATA (data.js) and `values`."""
    script = f"""
        require({json.dumps(str(FOLDER / explorer / "data.js"))});
        const M = require({json.dumps(str(FOLDER / explorer / "model.js"))}), DATA = globalThis.EXPLORER_DATA;
        const {{ {", ".join(values)} }} = JSON.parse(require("fs").readFileSync(0, "utf-8"));
        const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
        process.stdout.write(JSON.stringify({expression}, plain));
    """
    listed = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in values.items()}
    run = subprocess.run([NODE, "-e", script], input=json.dumps(listed), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def close(ours, theirs, tolerance=1e-3):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=0, atol=tolerance)


# --- Files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LESSONS)
def test_data_file(name):
    about, _ = export.read(name)  # raises if the checksum is wrong
    assert (FOLDER / name / "data.js").stat().st_size <= 300_000
    assert about["versions"]["jax"] and about["seed"] == 0 and about["recipe"]


def test_a_damaged_file_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "square").mkdir()
    script = (FOLDER / "square" / "data.js").read_text(encoding="utf-8")
    place = script.index("`") + 40
    letter = "B" if script[place] == "A" else "A"
    (tmp_path / "square" / "data.js").write_text(script[:place] + letter + script[place + 1 :], encoding="utf-8")
    monkeypatch.setattr(export, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="SHA-256"):
        export.read("square")


@pytest.mark.parametrize("name", LESSONS)
def test_page(name):
    page = (FOLDER / name / "index.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page and 'name="viewport"' in page and 'aria-live="polite"' in page
    assert page.count("<h1>") == 1 and "<summary>What this shows</summary>" in page
    lead = re.search(r'<p class="lead">(.*?)</p>', page)[1]
    assert len(re.findall(r"[.?!](?=\s|$)", lead)) == 3, "three sentences"
    assert f'data-lesson="{LESSONS[name]}"' in page and (ROOT / "notebooks" / f"{LESSONS[name]}.ipynb").exists()
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address == "data:," or f"{LESSONS[name]}.html" in address or (FOLDER / name / address).is_file(), address
    for path in [*(FOLDER / name).iterdir(), *(FOLDER / "shared").iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|import\(|@import|url\(", text), (
            f"{path.name} may ask for something"
        )


# --- The square (lesson 01) -----------------------------------------------------------------------------------------


def toy(n):
    """The lesson's own functions for n symbols."""
    space = export.lesson("01", "def sigmoid", "def encode", "def decode", "def loss_and_gradient", "def train(weights")
    space["x"] = np.eye(n)
    return space


def flat(weights):
    return {"W": weights[0].ravel(), "b": weights[1], "V": weights[2].ravel(), "c": weights[3]}


STEPS = """(() => {
    const w = M.weights(n, W, V); w.b.set(b); w.c.set(c);
    const first = M.lossAndGradient(w), out = M.forward(w), memory = {};
    for (let step = 0; step < steps; step += 1) if (adam) M.adam(w, memory); else M.descend(w);
    return { loss: first.loss, gradient: first.gradient, z: out.z, y: out.y, right: M.right(out), after: w };
})()"""


@needs_node
@pytest.mark.parametrize("n", [4, 8])
def test_square_loss_gradient_and_descent(n):
    random, space = np.random.default_rng(n), toy(n)
    weights = random.normal(size=(n, 2)), random.normal(size=2), random.normal(size=(2, n)), random.normal(size=n)
    found = javascript("square", STEPS, n=n, steps=300, adam=False, **flat(weights))
    z = space["encode"](weights, space["x"])
    loss, gradient = space["loss_and_gradient"](weights, space["x"])
    close(found["loss"], loss, 1e-9)
    close(found["z"], z.ravel(), 1e-9)
    close(found["y"], space["decode"](weights, z).ravel(), 1e-9)
    trained, _, _ = space["train"](weights, steps=300)
    for part, slope, after in zip(("W", "b", "V", "c"), gradient, trained):
        close(found["gradient"][part], slope.ravel(), 1e-9)
        close(found["after"][part], after.ravel())


@needs_node
def test_square_adam_is_that_of_optax():
    random, space = np.random.default_rng(1), toy(4)
    weights = random.normal(size=(4, 2)), np.zeros(2), random.normal(size=(2, 4)), np.zeros(4)
    found = javascript("square", STEPS, n=4, steps=20, adam=True, **flat(weights))
    optimizer = optax.adam(0.1)
    memory, update = optimizer.init(weights), jax.jit(optimizer.update)
    for _ in range(20):
        _, gradient = space["loss_and_gradient"](weights, space["x"])
        changes, memory = update(gradient, memory)
        weights = tuple(np.asarray(w + c, float) for w, c in zip(weights, changes))
    for part, array in flat(weights).items():
        close(found["after"][part], array)


@needs_node
def test_square_starts_and_hand_made_weights():
    marks = "def sigmoid", "def encode", "def decode", "random = np", "codes = np.array", "W_hat = 20"
    space = export.lesson("01", *marks,
                          space={"np": np, "x": np.eye(4), "within": lambda *_: None})  # fmt: skip
    _, arrays = export.read("square")
    close(arrays["4 symbols, start 0, W"], space["untrained"][0], 1e-6)
    close(arrays["4 symbols, start 0, W_hat"], space["untrained"][2], 1e-6)
    four, eight = javascript(
        "square", "[4, 8].map((n) => ({ ...M.byHand(n), right: M.right(M.forward(M.byHand(n))) }))"
    )
    for part, array in flat(space["by_hand"]).items():
        close(four[part], array, 1e-9)
    assert four["right"]["symbols"] == 4 and eight["right"]["symbols"] == 8


@needs_node
def test_square_what_the_page_says_of_its_starts():
    """Eight symbols, 5,000 steps: descent reaches the goal from two of the ten starts, Adam from all."""
    passed = javascript("square", """(() => { const arrays = require(network).arrays(DATA);
        return [false, true].map((adam) => Array.from({ length: DATA.starts }, (_, start) => {
            const parts = ["W", "W_hat"].map((part) => arrays[`8 symbols, start ${start}, ${part}`]);
            const w = M.weights(8, ...parts), memory = {};
            for (let step = 0; step < 5000; step += 1) if (adam) M.adam(w, memory); else M.descend(w);
            return M.right(M.forward(w)).symbols === 8; })); })()""",
        network=str(FOLDER / "shared" / "network.js"))  # fmt: skip
    page = (FOLDER / "square" / "index.html").read_text(encoding="utf-8")
    assert (sum(passed[0]), sum(passed[1])) == (2, 10)
    assert "from two of the ten starts" in page and "Adam from all ten" in page


@needs_node
def test_square_geometry():
    from scipy.spatial import ConvexHull

    lesson = export.lesson("01", "def in_convex_position", space={"np": np, "ConvexHull": ConvexHull})
    points = np.random.default_rng(3).uniform(size=(200, 4, 2))
    found = javascript("square", "points.map((four) => M.convex(four.flat()))", points=points)
    assert found == [lesson["in_convex_position"](four) for four in points] and 0 < sum(found) < 200
    # A line set by hand goes through its point, and its normal points to the side of "yes".
    placed = javascript(
        "square",
        """(() => { const w = M.byHand(4); M.placeLine(w, 2, [0.3, 0.6], [0.6, 0.8], 7);
        M.placeCode(w, 1, [0.25, 0.75]);
        return { line: M.line(w, 2), z: M.forward(w).z, ends: M.ends(M.line(w, 2), 0, 1) }; })()""",
    )
    close(placed["line"]["offset"], -(0.6 * 0.3 + 0.8 * 0.6), 1e-9)
    close(placed["z"][2:4], [0.25, 0.75], 1e-9)
    close(np.array(placed["ends"]) @ [0.6, 0.8] + placed["line"]["offset"], [0, 0], 1e-9)


# --- The plane (lesson 11) ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plane():
    about, arrays = export.read("plane")
    mnist = data.mnist()
    networks = {
        "vae": models.VAE(about["sizes"], nnx.Rngs(0)),
        "plain": models.Autoencoder(about["sizes"], nnx.Rngs(0)),
    }
    return about, arrays, mnist, {name: export.load(model, arrays, name) for name, model in networks.items()}


@needs_node
def test_plane_codes_and_pictures(plane):
    _, arrays, mnist, networks = plane
    kept, images = arrays["kept"], mnist.x_test[:20].reshape(20, 784) / 255
    for name, model in networks.items():
        codes = model.encode(jnp.asarray(images[:, kept], jnp.float32))
        mu, sigma = (codes[0], jnp.exp(0.5 * codes[1])) if name == "vae" else (codes, None)
        spots = np.concatenate([np.asarray(mu), np.random.default_rng(0).normal(size=(20, 2))])
        pictures = np.zeros((40, 784))
        pictures[:, kept] = nnx.sigmoid(model.decoder(jnp.asarray(spots, jnp.float32)))
        found = javascript("plane", """(() => { const net = M.open(DATA).networks[name];
            return { codes: images.map((image) => M.encode(net, image)),
                     pictures: spots.map((z) => M.decode(net, z)) }; })()""",
            name=name, images=images, spots=spots)  # fmt: skip
        scale = max(1, float(np.abs(mu).max()))
        close(np.array([code["mu"] for code in found["codes"]]) / scale, np.asarray(mu) / scale)
        close(found["pictures"], pictures)
        if sigma is not None:
            close([code["sigma"] for code in found["codes"]], sigma)
        close(arrays[f"{name} codes"][:20] / scale, np.asarray(mu) / scale)


def test_plane_numbers(plane):
    about, arrays, mnist, networks = plane
    pixels = jnp.asarray(mnist.x_test.reshape(-1, 784)[:, arrays["kept"]] / np.float32(255))
    space = export.lesson("11", "from functools", "def vae_loss", "def plain_loss")
    for name, loss in {"vae": space["vae_loss"], "plain": space["plain_loss"]}.items():
        close(export.test_loss(networks[name], loss, pixels), about[name]["test loss"], 0.01)
        assert about[name]["test loss"] < about[name]["test loss before the weights were rounded"] + 0.5
    assert (arrays["labels"] == mnist.y_test[: len(arrays["labels"])]).all()


@needs_node
def test_plane_centres_a_drawing_as_mnist_does(plane):
    """A test image, enlarged and put into a corner, comes out nearly as it was: 20 pixels large, centred by mass."""
    _, _, mnist, _ = plane
    drawing = np.zeros((140, 140))
    drawing[:112, 25:137] = np.kron(mnist.x_test[0] / 255, np.ones((4, 4)))
    image, nothing = javascript("plane", "[M.centre(ink, 140), M.centre(ink.map(() => 0), 140)]", ink=drawing.ravel())
    image = np.array(image).reshape(28, 28)
    rows, columns = np.mgrid[:28, :28] + 0.5
    close([(image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()], [14, 14], 0.05)
    inked = np.argwhere(image > 0.05)
    assert 19 <= (np.ptp(inked, axis=0) + 1).max() <= 22 and nothing is None
    close(image.sum(), mnist.x_test[0].sum() / 255, 12)


# --- The faces (lesson 12) ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def networks_of_faces():
    about, arrays = export.read("faces")
    nets = [models.VAE(about["sizes"], nnx.Rngs(0)) for _ in about["networks"]]
    return about, arrays, [export.load(net, arrays, f"β {row['beta']:g}") for net, row in zip(nets, about["networks"])]


@needs_node
def test_faces_are_drawn_alike():
    factors = np.concatenate([np.random.default_rng(0).random((60, 6)), np.eye(6), 1 - np.eye(6)])
    shrink = export.lesson("12", "def shrink", space={"np": np})["shrink"]
    found = javascript(
        "faces", "factors.map((six) => M.draw(six)).map((image) => ({ image, half: M.shrink(image) }))", factors=factors
    )
    images = faces.draw(factors)
    theirs = np.array([face["image"] for face in found]).reshape(-1, 32, 32, 3)
    assert np.abs(theirs - images.astype(int)).max() <= 1 and (theirs != images).mean() < 1e-4
    close([face["half"] for face in found], shrink(images))


@needs_node
def test_faces_codes_and_pictures(networks_of_faces):
    about, arrays, nets = networks_of_faces
    shrink = export.lesson("12", "def shrink", space={"np": np})["shrink"]
    halves = shrink(data.faces(8, seed=5).images).astype(float)
    spots = np.random.default_rng(0).normal(size=(8, 6)) * 1.5
    found = javascript("faces", """M.open(DATA).map((net) => ({ codes: halves.map((half) => M.encode(net, half)),
        pictures: spots.map((z) => M.decode(net, z)) }))""", halves=halves, spots=spots)  # fmt: skip
    for net, theirs in zip(nets, found):
        mu, log_var = net.encode(jnp.asarray(halves[:, arrays["kept"]], jnp.float32))
        close([code["mu"] for code in theirs["codes"]], mu)
        close([code["logVar"] for code in theirs["codes"]], log_var)
        pictures = np.tile(arrays["paper"], (8, 1))
        pictures[:, arrays["kept"]] = nnx.sigmoid(net.decode(jnp.asarray(spots, jnp.float32)))
        close(theirs["pictures"], pictures)


def test_faces_numbers(networks_of_faces):
    about, arrays, nets = networks_of_faces
    test = data.faces(4000, seed=1)
    shrink = export.lesson("12", "def shrink", space={"np": np})["shrink"]
    x_test = jnp.asarray(shrink(test.images)[:, arrays["kept"]])
    for net, row in zip(nets, about["networks"]):
        again = export.measured(net, row["beta"], {"x_test": x_test, "test": test}, [0, 1])
        close(again["mig"], row["mig"])
        close(again["kl"], row["kl"])
        close(again["distortion"], row["distortion"])
        close(again["information"], row["information"])
        low, high = row["mig of ten seeds"]
        assert low - 0.01 <= row["mig"] <= high + 0.01  # it is one of the ten, but for the rounding of its weights
    counts = [np.bincount(column) / 4000 for column in test.factors.T]
    close(about["entropy"], [-(p * np.log(p)).sum() for p in counts])


# --- The blobs (lesson 09) ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson_09():
    with export.double_precision():
        return export.lesson("09", "def kl_formula", "points, weights", "def forces", "def balance")


def as_model(flat_model):
    shapes = {"mu": (4, 2), "log_sigma": (4, 2), "W": (2, 4), "b": (4,)}
    return {name: jnp.asarray(flat_model[name], jnp.float64).reshape(shape) for name, shape in shapes.items()}


@needs_node
def test_blobs_costs_and_forces(lesson_09):
    random = np.random.default_rng(0)
    given = [{"mu": random.normal(size=8), "log_sigma": random.normal(size=8) * 0.5 - 0.5,
              "W": random.normal(size=8) * 3, "b": random.normal(size=4)} for _ in range(3)]  # fmt: skip
    found = javascript("blobs", """given.map((raw) => {
        const model = M.copy(raw), now = M.evaluate(model, M.nodes(DATA));
        const better = M.copy(raw); M.fitDecoder(better, M.nodes(DATA), 12);
        return { now, forces: M.forces(model, now), better }; })""",
        given=[{name: array.tolist() for name, array in model.items()} for model in given])  # fmt: skip
    slope = jax.jit(jax.grad(lambda model: lesson_09["reconstruction_cost"](model).mean()))
    with export.double_precision():
        for raw, theirs in zip(given, found):
            model = as_model(raw)
            close(theirs["now"]["cost"], lesson_09["reconstruction_cost"](model), 1e-6)
            close(theirs["now"]["kl"], lesson_09["kl_cost"](model), 1e-6)
            slopes = slope(model)
            for part in slopes:
                close(theirs["now"]["costSlopes"][part], np.ravel(slopes[part]), 1e-6)
            for name, cost in {"cost": lesson_09["reconstruction_cost"], "kl": lesson_09["kl_cost"]}.items():
                on_mu, on_sigma = lesson_09["forces"](cost, model)
                close(theirs["forces"][name]["mu"], np.ravel(on_mu), 1e-6)
                close(theirs["forces"][name]["sigma"], np.ravel(on_sigma), 1e-6)
            at_best = slope(as_model(theirs["better"]))
            assert max(float(jnp.abs(at_best[part]).max()) for part in ("W", "b")) < 1e-3


@needs_node
def test_blobs_find_the_balance_of_the_lesson(lesson_09):
    about, _ = export.read("blobs")
    betas = [0.5, 1.0, 1.2, 1.4]
    found = javascript("blobs", """betas.map((beta) => {
        const model = M.copy(DATA.start), nodes = M.nodes(DATA), memory = {};
        for (let step = 0; step < 4000; step += 1) M.step(model, beta, nodes, memory);
        const { cost, kl } = M.evaluate(model, nodes);
        return { model, cost: M.mean(cost), kl: M.mean(kl) }; })""", betas=betas)  # fmt: skip
    for beta, theirs in zip(betas, found):
        at = int(np.argmin(np.abs(np.array(about["betas"]) - beta)))
        close([theirs["cost"], theirs["kl"]], [about["cost"][at], about["kl"][at]])
    with export.double_precision():
        model, _ = lesson_09["balance"](as_model({name: np.ravel(part) for name, part in about["start"].items()}), 1.0)
        close(lesson_09["blob_loss"](model, 1.0), found[1]["cost"] + found[1]["kl"])
        for part in ("mu", "log_sigma", "b"):
            close(found[1]["model"][part], np.ravel(model[part]))
    collapse = [row["kl"] < 1e-3 for row in found]
    assert collapse == [False, False, False, True]  # 4/3 lies between 1.2 and 1.4
