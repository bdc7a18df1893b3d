"""Training: one compiled call per epoch.

A Python loop over training steps spends most of its time on Python, not on the network. `fit` therefore compiles
a whole epoch (shuffle, all minibatches, test loss) into one function and calls that. Lesson 00 measures the
difference, lesson 04 takes the code below apart line by line.
"""

import contextlib
import dataclasses
import functools
import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm.auto import tqdm

STEPS_PER_CALL = 250  # very short epochs are grouped, so that one compiled call does about this many steps


@dataclasses.dataclass(repr=False)
class History:
    """What `fit` recorded, in the units of its loss (nats, or squared error, per example).

    loss         float [epochs]: training loss, averaged over the steps of each epoch while the weights moved
    step_loss    float [epochs, steps]: training loss of every single step
    test_loss    float [epochs]: loss on `x_test` after each epoch, in eval mode; empty without `x_test`
    seconds      wall-clock time of the whole training, compilation included
    interrupted  True if the reader stopped the training; the arrays then hold the epochs that were finished
    """

    loss: np.ndarray
    step_loss: np.ndarray
    test_loss: np.ndarray
    seconds: float
    interrupted: bool

    def __repr__(self):
        if len(self.loss) == 0:
            return "History(interrupted before the first epoch was finished)"
        text = f"{len(self.loss)} epochs, loss {self.loss[0]:.4g} → {self.loss[-1]:.4g}"
        if len(self.test_loss):
            text += f", test loss {self.test_loss[0]:.4g} → {self.test_loss[-1]:.4g}"
        return f"History({text}{', interrupted' if self.interrupted else ''})"


def fit(model, loss_fn, x, *, optimizer, epochs, key, batch_size=128, x_test=None):
    """Train `model` in place on minibatches of `x`; return the `History` of its losses.

    model       an `nnx.Module`. Its `nnx.Param` variables are trained; all other state (dropout keys, running
                averages) is carried along. It is left in eval mode.
    loss_fn     `loss_fn(model, batch, key)` → one number: summed over the dimensions of an example, averaged over
                the batch. `batch` is float [batch_size, ...]; `key` is fresh at every step.
    x           uint8 or float [n, ...], the training examples. Bytes stay bytes in memory; the compiled step
                divides them by 255. Each epoch sees them in a new order and leaves out the last n % batch_size.
                Or a tuple of arrays that belong together, such as (images, labels); `batch` is then a tuple too,
                and whole numbers in it stay whole numbers.
    optimizer   an Optax optimiser, such as `optax.adam(1e-3)`.
    epochs      how many times to go through `x`.
    key         a key from `jax.random.key`. Same key, same machine: same result.
    batch_size  examples per step.
    x_test      like `x`; all of it is evaluated after every epoch, in eval mode.

    An interrupt (the ■ button, Ctrl-C) ends the training after the compiled call that is running. The model keeps
    what it has learned by then, and `history.interrupted` is True.

    Raises TypeError or ValueError for unusable arguments, before anything is compiled. Raises FloatingPointError,
    with epoch and step, when the loss is not finite; the model then keeps the weights it had before `fit`.
    """
    _check_arguments(model, optimizer, epochs, key, batch_size)
    x = _checked_examples("x", x)
    n = _length(x)
    if batch_size > n:
        raise ValueError(f"a batch of {batch_size} needs at least {batch_size} examples, but x has {n}: "
                         f"pass batch_size={n} or less")  # fmt: skip
    if x_test is not None:
        x_test = _checked_examples("x_test", x_test)
        if _kind(x_test) != _kind(x):
            raise ValueError(f"x_test holds {_kind(x_test)} examples, but x holds {_kind(x)}")
    steps = n // batch_size
    first_batch = jax.tree.map(lambda part: part[:batch_size], x)

    model.train()
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    model.eval()
    eval_graph = nnx.graphdef(model)
    if not jax.tree.leaves(params):
        raise ValueError("the model has no nnx.Param to train")
    _check_loss(loss_fn, graph, params, rest, first_batch, key)

    step = _make_step(loss_fn, optimizer, graph)
    evaluate = _make_evaluate(loss_fn, eval_graph, batch_size)
    # A compiled call overwrites the state it is given (donated buffers), so it gets a copy of the model's.
    state = jax.tree.map(jnp.copy, (params, optimizer.init(params), rest))
    one_by_one = jax.default_backend() == "cpu" and _has_convolution(step, state, first_batch, key)
    epochs_per_call = 1 if one_by_one else max(1, STEPS_PER_CALL // steps)

    start = time.perf_counter()
    losses, tests = [], []
    silent = os.environ.get("TQDM_DISABLE", "0") != "0"  # tqdm's own switch, which its notebook bar overlooks
    with _interrupt_flag() as stop, tqdm(total=epochs, unit="epoch", disable=silent) as bar:
        run = _run_step_by_step(step, evaluate, stop) if one_by_one else _run_compiled(step, evaluate)
        while len(losses) < epochs and not stop.is_set():
            numbers = np.arange(len(losses), min(len(losses) + epochs_per_call, epochs))
            state, new_losses, new_tests = run(state, numbers, key, x, x_test, batch_size)
            _check_finite(new_losses, len(losses))
            losses.extend(new_losses)
            tests.extend(new_tests)
            bar.update(len(new_losses))
            if losses:
                bar.set_postfix(loss=f"{losses[-1].mean():.4g}", **({"test": f"{tests[-1]:.4g}"} if tests else {}))

    params, _, rest = state
    nnx.update(model, params, rest)
    if stop.is_set():
        print(f"Interrupted: the model keeps what it has learned; {len(losses)} of {epochs} epochs are complete.")
    step_loss = np.array(losses).reshape(len(losses), steps)
    seconds = time.perf_counter() - start
    return History(step_loss.mean(axis=1), step_loss, np.array(tests), seconds, stop.is_set())


# --- the pieces that are compiled -------------------------------------------------------------------------------


def to_float(batch):
    """Bytes as numbers between 0 and 1: uint8 is divided by 255, everything else passes through unchanged.

    batch: an array of any shape, or a tuple of arrays.
    """
    return jax.tree.map(lambda part: part.astype(jnp.float32) / 255 if part.dtype == jnp.uint8 else part, batch)


def _loss_and_rest(loss_fn, graph):
    """The loss as a pure function: parameters and other state go in, the loss and the new other state come out."""

    def loss_and_rest(params, rest, batch, key):
        # The copy gives this trace variables of its own, which it may change (dropout counts its masks there).
        model = nnx.merge(graph, params, jax.tree.map(lambda value: value, rest))
        loss = loss_fn(model, to_float(batch), key)
        return loss, nnx.split(model, nnx.Param, ...)[2]

    return loss_and_rest


def _make_step(loss_fn, optimizer, graph):
    """One optimiser step, `step(state, (batch, key))` → new state, loss; the form that `lax.scan` wants."""
    value_and_grad = jax.value_and_grad(_loss_and_rest(loss_fn, graph), has_aux=True)

    def step(state, batch_and_key):
        params, optimizer_state, rest = state
        (loss, rest), gradients = value_and_grad(params, rest, *batch_and_key)
        updates, optimizer_state = optimizer.update(gradients, optimizer_state, params)
        return (optax.apply_updates(params, updates), optimizer_state, rest), loss

    return step


def _make_evaluate(loss_fn, graph, batch_size):
    """`evaluate(state, x_test, key)` → the mean loss over all of x_test, the last incomplete batch included."""
    loss_and_rest = _loss_and_rest(loss_fn, graph)

    def evaluate(state, x_test, key):
        params, _, rest = state
        n = _length(x_test)
        size = min(batch_size, n)
        whole = n // size
        keys = jax.random.split(key, whole + 1)
        batches, left_over = _batches(x_test, whole, size), jax.tree.map(lambda part: part[whole * size :], x_test)
        losses = jax.lax.map(lambda batch_and_key: loss_and_rest(params, rest, *batch_and_key)[0], (batches, keys[1:]))
        total = size * losses.sum()
        if n > whole * size:
            total += (n - whole * size) * loss_and_rest(params, rest, left_over, keys[0])[0]
        return total / n

    return evaluate


def _length(x):
    return len(jax.tree.leaves(x)[0])


def _batches(x, number, size):
    return jax.tree.map(lambda part: part[: number * size].reshape(number, size, *part.shape[1:]), x)


def _shuffled_batches(x, key, batch_size):
    """A new order, cut into batches, and a key for each: [steps, batch_size, ...] and [steps]."""
    order_key, steps_key = jax.random.split(key)
    n = _length(x)
    steps = n // batch_size
    if batch_size == n:  # one batch holds everything: its order does not matter
        return _batches(x, 1, n), jax.random.split(steps_key, 1)
    order = _batches(jax.random.permutation(order_key, n), steps, batch_size)
    return jax.tree.map(lambda part: part[order], x), jax.random.split(steps_key, steps)


def _run_compiled(step, evaluate):
    """`run` trains the epochs of the given numbers → new state, losses [epochs, steps], test losses [epochs or 0]."""

    @functools.partial(jax.jit, donate_argnums=0, static_argnums=5)
    def run(state, numbers, key, x, x_test, batch_size):
        def epoch(state, number):
            train_key, test_key = jax.random.split(jax.random.fold_in(key, number))
            state, losses = jax.lax.scan(step, state, _shuffled_batches(x, train_key, batch_size))
            return state, (losses, None if x_test is None else evaluate(state, x_test, test_key))

        return jax.lax.scan(epoch, state, numbers)

    def run_and_wait(*arguments):
        state, (losses, tests) = run(*arguments)
        return state, np.asarray(losses), [] if tests is None else np.asarray(tests)

    return run_and_wait


def _run_step_by_step(step, evaluate, stop):
    """The same for convolutions on a CPU, whose gradients XLA makes slow inside a compiled loop.

    Every step is a compiled call of its own. See github.com/jax-ml/jax/issues/12868; lesson 07 measures it.
    """
    step = jax.jit(step, donate_argnums=0)
    shuffled_batches = jax.jit(_shuffled_batches, static_argnums=2)
    evaluate = jax.jit(evaluate)

    def run(state, numbers, key, x, x_test, batch_size):
        losses = []
        train_key, test_key = jax.random.split(jax.random.fold_in(key, numbers[0]))
        for batch_and_key in zip(*shuffled_batches(x, train_key, batch_size)):
            state, loss = step(state, batch_and_key)
            losses.append(float(loss))
            if stop.is_set():
                return state, [], []
        return state, np.array([losses]), [] if x_test is None else [float(evaluate(state, x_test, test_key))]

    return run


def _has_convolution(step, state, batch, key):
    return "conv_general_dilated" in str(jax.make_jaxpr(step)(state, (batch, key)))


# --- interrupts and errors --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _interrupt_flag():
    """Turn an interrupt into a flag while training runs, so that none can fall between a step and its result."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread receives interrupts
        return
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _check_arguments(model, optimizer, epochs, key, batch_size):
    if not isinstance(model, nnx.Module):
        raise TypeError(f"model must be an nnx.Module, not {type(model).__name__}")
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TypeError(f"optimizer must come from Optax, such as optax.adam(1e-3), not {type(optimizer).__name__}")
    if not (hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()):
        raise TypeError("key must be one key, made by jax.random.key(0) or taken from jax.random.split")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be a whole number, not {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


def _checked_examples(name, x):
    """x as an array on the device (or a tuple of arrays), or an error that says what is wrong with it."""
    if not isinstance(x, tuple):
        x = _checked_array(name, x)
        if x.dtype != jnp.uint8 and not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"{name} must be uint8 (0 to 255) or float, not {x.dtype}; "
                            f"convert it, for example with {name}.astype('float32')")  # fmt: skip
        if x.ndim < 2:
            raise ValueError(f"{name} must be [examples, ...], one row an example; its shape is {list(x.shape)}")
        return x
    if not x:
        raise ValueError(f"{name} is an empty tuple")
    parts = tuple(_checked_array(f"{name}[{number}]", part) for number, part in enumerate(x))
    if len({len(part) for part in parts}) != 1:
        raise ValueError(f"the arrays of {name} have different lengths: {[len(part) for part in parts]}")
    return parts


def _checked_array(name, x):
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    if x.dtype.kind in "OSU":
        raise TypeError(f"{name} must hold numbers, not {x.dtype}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{name} is empty: its shape is {list(x.shape)}")
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.floating) and not bool(jnp.isfinite(x).all()):
        raise ValueError(f"{name} holds NaN or infinite values")
    return x


def _kind(x):
    """What one example is, such as `uint8 [28, 28]`; of a tuple, each part."""
    return ", ".join(f"{part.dtype} {list(part.shape[1:])}" for part in jax.tree.leaves(x))


def _check_loss(loss_fn, graph, params, rest, batch, key):
    loss = jax.eval_shape(_loss_and_rest(loss_fn, graph), params, rest, batch, key)[0]
    if not hasattr(loss, "shape") or loss.shape != () or not jnp.issubdtype(loss.dtype, jnp.floating):
        shape = f"{loss.dtype}{list(loss.shape)}" if hasattr(loss, "shape") else type(loss).__name__
        raise ValueError(f"loss_fn must return one number for a batch, but it returns {shape}: "
                         "sum over the dimensions of an example, then take the mean over the batch")  # fmt: skip


def _check_finite(losses, epochs_before):
    for number, epoch_losses in enumerate(losses, start=epochs_before + 1):
        if not np.isfinite(epoch_losses).all():
            at = int(np.argmin(np.isfinite(epoch_losses)))
            raise FloatingPointError(
                f"the loss became {epoch_losses[at]} in epoch {number}, step {at + 1} of {len(epoch_losses)}. "
                "Usual causes: a learning rate that is too high, a logarithm or a division of zero, pixels that "
                "were not scaled to 0–1. The model has kept the weights it had before fit."
            )
