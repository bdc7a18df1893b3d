"""How fast is training, and beside what? Everything is measured side by side: contestants take turns, medians count.

    python tests/test_speed.py     (or: make bench)  one table, about three minutes on two cores

The table has PyTorch's usual loops where PyTorch is installed (`pip install torch`; the course does not need it).
Ratios and shares can be compared between machines; seconds of a busy machine say little.

On two cores of a CPU (Intel Xeon, JAX 0.10.2):

    toy, a step                fit     11 µs   jitted steps 82 times as long
    VAE, an epoch              fit    1.3 s    jitted steps 1.9 times as long
    VAE in fit                 56 % of the speed of the machine's matrix products (273 GFLOP/s)
    first call                 4.7 s, and 2.4 s with what `make lab` keeps

On a GPU (NVIDIA H200, 16 cores, JAX 0.11.2, PyTorch 2.11.0, all in full float32; medians of three rounds, first calls once):

    toy, a step                fit     34 µs   jitted steps 34 times as long   PyTorch 32 times
    VAE, an epoch              fit  0.045 s    jitted steps 36 times as long   PyTorch 26 times, with an indexed tensor 20
    VAE in fit                 10 % of the speed of the machine's matrix products (43 TFLOP/s)
    100 seeds at once          toy 1.2 times as long as one, VAE 20 times
    first call                  19 s, and 5.7 s with what `make lab` keeps

There, most of a first call is compiling. A step of one such VAE does not fill the GPU; 100 of them do, and then they
must move 100 networks' weights and Adam's memories: with products in TensorFloat-32 it was 16.5 times, not 20.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from course_utils import data
from course_utils.losses import bernoulli_nll, gaussian_kl, squared_error
from course_utils.training import _make_step, fit, to_float

try:
    import torch
except ImportError:
    torch = None

KEY = jax.random.key(0)
BATCH, TOY_STEPS, SEEDS = 128, 1000, 100

# The two networks, and what one step costs: the toy of lesson 01, the VAE of pytorch/examples (784-400-20).


class Toy(nnx.Module):
    def __init__(self, rngs):
        self.encoder, self.decoder = nnx.Linear(4, 2, rngs=rngs), nnx.Linear(2, 4, rngs=rngs)

    def __call__(self, x):
        return nnx.sigmoid(self.decoder(nnx.sigmoid(self.encoder(x))))


class VAE(nnx.Module):
    def __init__(self, rngs):
        self.hidden, self.mu, self.log_var = (nnx.Linear(*size, rngs=rngs) for size in [(784, 400), (400, 20), (400, 20)])
        self.decoder = nnx.Sequential(nnx.Linear(20, 400, rngs=rngs), nnx.relu, nnx.Linear(400, 784, rngs=rngs))

    def __call__(self, x, key):
        h = nnx.relu(self.hidden(x))
        mu, log_var = self.mu(h), self.log_var(h)
        return self.decoder(mu + jnp.exp(log_var / 2) * jax.random.normal(key, mu.shape)), mu, log_var


# Multiplications and additions for one image, forwards and backwards: two for each weight and pass. The first layer has
# two passes (its input needs no gradient), the others three. Activations and Adam are left out.
VAE_OPERATIONS = 2 * (2 * 784 * 400 + 3 * (2 * 400 * 20 + 20 * 400 + 400 * 784))


def toy_loss(model, x, key):
    return squared_error(x, model(x))


def negative_elbo(model, x, key):
    x = x.reshape(len(x), -1)
    logits, mu, log_var = model(x, key)
    return bernoulli_nll(x, logits) + gaussian_kl(mu, log_var)


# --- the contestants: each is a function that runs once and returns seconds ---------------------------------------


def seconds(run):
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


def in_fit(make, loss_fn, x, optimizer, batch_size, short, long):
    """Seconds of an epoch inside `fit`: the slope between two lengths, so that neither compiling nor checking counts."""

    def train(epochs):
        model = make(nnx.Rngs(0))
        return seconds(lambda: fit(model, loss_fn, x, optimizer=optimizer, epochs=epochs, batch_size=batch_size, key=KEY).loss)

    return lambda: (train(long) - train(short)) / (long - short)


def in_a_loop(make, loss_fn, optimizer, batches):
    """Seconds of an epoch in a Python loop over jitted steps, as in Flax's own examples."""
    model = make(nnx.Rngs(0))
    state = nnx.Optimizer(model, optimizer, wrt=nnx.Param)

    @nnx.jit
    def step(model, state, batch, key):
        loss, gradients = nnx.value_and_grad(lambda model: loss_fn(model, to_float(batch), key))(model)
        state.update(model, gradients)
        return loss

    def epoch():
        key = KEY
        for batch in batches():
            key, step_key = jax.random.split(key)
            loss = step(model, state, batch, step_key)
        return loss

    return lambda: seconds(epoch)


def shuffled(x):
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order[i : i + BATCH]] for i in range(0, len(x) - BATCH + 1, BATCH))


def in_torch(layers, loss_fn, rate, batches):
    """Seconds of an epoch in PyTorch's usual loop."""
    device = "cuda" if torch.cuda.is_available() and jax.default_backend() == "gpu" else "cpu"
    model = torch.nn.ModuleList(layers).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)

    def epoch():
        for batch in batches():
            optimizer.zero_grad()
            loss = loss_fn(model, batch.to(device))
            loss.backward()
            optimizer.step()
        return loss.item()

    return lambda: seconds(epoch)


def torch_toy_loss(model, x):
    return ((torch.sigmoid(model[1](torch.sigmoid(model[0](x)))) - x) ** 2).sum(dim=1).mean()


def torch_negative_elbo(model, x):
    hidden, to_mu, to_log_var, first, last = model
    x = x.reshape(len(x), -1).float() / 255
    h = torch.relu(hidden(x))
    mu, log_var = to_mu(h), to_log_var(h)
    logits = last(torch.relu(first(mu + torch.exp(log_var / 2) * torch.randn_like(mu))))
    nll = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return (nll + 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum()) / len(x)


def torch_contestants(symbols, images):
    linear, symbols, images = torch.nn.Linear, torch.tensor(symbols), torch.tensor(images)
    vae = lambda: [linear(784, 400), linear(400, 20), linear(400, 20), linear(20, 400), linear(400, 784)]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), BATCH, shuffle=True, drop_last=True)
    by_hand = lambda: (images[rows] for rows in torch.randperm(len(images)).split(BATCH) if len(rows) == BATCH)
    toy = in_torch([linear(4, 2), linear(2, 4)], torch_toy_loss, 0.1, lambda: [symbols] * TOY_STEPS)
    return {
        ("toy", "PyTorch"): lambda: toy() / TOY_STEPS,
        ("VAE", "PyTorch, DataLoader"): in_torch(vae(), torch_negative_elbo, 1e-3, lambda: (batch for (batch,) in loader)),
        ("VAE", "PyTorch, indexed tensor"): in_torch(vae(), torch_negative_elbo, 1e-3, by_hand),
    }


def many_seeds(make, loss_fn, x, steps):
    """Seconds of some steps of one network, and of 100 that start from other seeds, all in one compiled call."""
    optimizer = optax.adam(1e-3)
    step = _make_step(loss_fn, optimizer, nnx.graphdef(make(nnx.Rngs(0))))

    def train(seed):
        params, rest = nnx.state(make(nnx.Rngs(jax.random.key(seed))), nnx.Param, ...)
        batches = jnp.broadcast_to(to_float(x), (steps, *x.shape))
        return jax.lax.scan(step, (params, optimizer.init(params), rest), (batches, jax.random.split(KEY, steps)))[1]

    one, all_seeds = jax.jit(train), jax.jit(jax.vmap(train))
    return lambda: seconds(lambda: one(0)), lambda: seconds(lambda: all_seeds(jnp.arange(SEEDS)))


def contestants(everything):
    symbols, images = data.one_hot(4), data.mnist().x_train
    on_device = jnp.asarray(images)
    epochs = 4 if jax.default_backend() == "cpu" else 41  # on a GPU three epochs are too short to be timed
    toy_loop = in_a_loop(Toy, toy_loss, optax.adam(0.1), lambda: [jnp.asarray(symbols)] * TOY_STEPS)
    found = {
        ("toy", "fit"): in_fit(Toy, toy_loss, symbols, optax.adam(0.1), 4, 2_000, 102_000),
        ("toy", "jitted steps"): lambda: toy_loop() / TOY_STEPS,
        ("VAE", "fit"): in_fit(VAE, negative_elbo, images, optax.adam(1e-3), BATCH, 1, epochs),
        ("VAE", "jitted steps"): in_a_loop(VAE, negative_elbo, optax.adam(1e-3), lambda: shuffled(on_device)),
    }
    if everything:
        found |= torch_contestants(symbols, images) if torch else {}
        n = 4096 if jax.default_backend() == "gpu" else 2048
        square, product = jnp.ones((n, n)), jax.jit(jnp.matmul)
        found["peak", "product"] = lambda: seconds(lambda: product(square, square)) / (2 * n**3)
        groups = {"toy": (Toy, toy_loss, jnp.asarray(symbols), 2000)}
        if jax.default_backend() != "cpu":  # a processor has nothing to gain: it takes 100 times as long, and 1 GB
            groups["VAE"] = VAE, negative_elbo, on_device[:BATCH], 200
        for name, parts in groups.items():
            found[f"{name}, seeds", "one"], found[f"{name}, seeds", "many"] = many_seeds(*parts)
    return found


def measure(rounds, everything):
    """{(what, who): median seconds}; the order turns round after each round."""
    who = contestants(everything)
    for run in who.values():
        run()  # compiles
    times = {name: [] for name in who}
    for number in range(rounds):
        for name in list(who)[:: 1 if number % 2 else -1]:
            times[name].append(who[name]())
    return {name: statistics.median(values) for name, values in times.items()}


# --- the first call ---------------------------------------------------------------------------------------------


PARTS = "Python and imports", "data", "start values", "fit"  # together they are the first call


def first_call(started):
    """Seconds from the start of Python to the end of the first epoch, and where they went. For a fresh process."""
    compiling = []  # seconds of each program, or of finding it in what is kept

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiling.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    at = [time.time()]
    x = data.mnist().x_train[: 100 * BATCH]
    at.append(time.time())
    model, programs = VAE(nnx.Rngs(0)), len(compiling)
    at.append(time.time())
    fit(model, negative_elbo, x, optimizer=optax.adam(1e-3), epochs=1, key=KEY)
    at.append(time.time())
    parts = [*zip(PARTS, np.diff([started, *at])), ("compiling the start values", sum(compiling[:programs]))]
    return dict(parts) | {"compiling in fit": sum(compiling[programs:]), "programs": len(compiling)}


def first_calls(rounds):
    """The same in fresh processes: with nothing compiled before, and with what `make lab` keeps. Medians."""
    found = {"nothing kept": [], "kept": []}
    with tempfile.TemporaryDirectory() as folder:
        kept = {"JAX_COMPILATION_CACHE_DIR": folder, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        for number in range(rounds + 1):
            for name in found:
                environment = {k: v for k, v in os.environ.items() if k not in kept} | (kept if name == "kept" else {})
                command = [sys.executable, __file__, "--first", str(time.time())]
                run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                if number:  # the first round fills the folder
                    found[name].append(json.loads(run.stdout))
    return {name: {part: statistics.median(run[part] for run in runs) for part in runs[0]} for name, runs in found.items()}


# --- what is printed, and what is tested ------------------------------------------------------------------------


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def table():
    times = measure(rounds=5, everything=True)
    own_peak = peak_megabytes()
    print(f"JAX {jax.__version__} on {jax.devices()[0].device_kind}, PyTorch {torch.__version__ if torch else 'is not here'}\n")
    for name, unit, scale in (("toy", "µs a step", 1e6), ("VAE", "s an epoch of 60,000 digits", 1)):
        for (what, who), value in times.items():
            if what == name:
                ratio = value / times[name, "fit"]
                print(f"{name}, {who:24s}{scale * value:10.4g} {unit}, {ratio:6.1f} times fit")
    share = VAE_OPERATIONS * (60_000 // BATCH * BATCH) * times["peak", "product"] / times["VAE", "fit"]
    print(f"\nVAE in fit: {share:.0%} of the speed of this machine's matrix products ({1e-9 / times['peak', 'product']:.0f} GFLOP/s)")
    for what in (what for what, who in times if who == "many"):
        print(f"{what}: {SEEDS} at once take {times[what, 'many'] / times[what, 'one']:.1f} times as long as one")
    print(f"peak memory of all this: {own_peak:.0f} MB\n\nFirst call: a fresh Python to the end of a VAE's first 100 steps, in seconds")
    calls = first_calls(rounds=3)
    for part in calls["kept"]:
        print(f"  {part:36s}" + "".join(f"{name}: {found[part]:5.2f}   " for name, found in calls.items()))
    total = {name: sum(found[part] for part in PARTS) for name, found in calls.items()}
    print(f"  {'all':36s}" + "".join(f"{name}: {value:5.2f}   " for name, value in total.items()))


def test_fit_is_many_times_faster_than_a_loop_of_jitted_steps():
    """On a quiet machine with two cores the ratios are near 85 and 2; a busy one gets three tries and some slack."""
    for _ in range(3):
        run = subprocess.run([sys.executable, __file__, "--quick"], capture_output=True, text=True, check=True)
        found = json.loads(run.stdout)
        if found["toy"] > 50 and found["VAE"] > 1.5 and found["peak memory, MB"] < 1500:
            return
    assert found["toy"] > 50 and found["VAE"] > 1.5 and found["peak memory, MB"] < 1500, found


def test_what_make_lab_keeps_shortens_the_first_call_by_a_third():
    """Without Python's own start and the data: on a quiet machine to three tenths, as a whole to six tenths."""
    calls = first_calls(rounds=1)
    waited = {name: found["start values"] + found["fit"] for name, found in calls.items()}
    assert waited["kept"] < 2 / 3 * waited["nothing kept"], calls


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only what the test compares, as JSON")
    parser.add_argument("--first", type=float, help=argparse.SUPPRESS)  # when this process was started
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"
    if options.first:
        print(json.dumps(first_call(options.first)))
    elif options.quick:
        times = measure(rounds=3, everything=False)
        ratios = {name: times[name, "jitted steps"] / times[name, "fit"] for name in ("toy", "VAE")}
        print(json.dumps(ratios | {"peak memory, MB": peak_megabytes()}))
    else:
        with contextlib.suppress(KeyboardInterrupt):
            table()
