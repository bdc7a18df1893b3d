"""Training: one compiled call per epoch.

A Python loop over training steps spends most of its time on Python, not on the network. `fit` therefore compiles
a whole epoch (all minibatches, in a new order, and the test loss) into one function and calls that. Lesson 00 measures
the difference, lesson 04 takes the code below apart line by line.
"""

import contextlib
import ctypes
import dataclasses
import hashlib
import inspect
import math
import os
import re
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm.std import tqdm

STEPS_PER_CALL = 250  # very short epochs are grouped, so that one compiled call does about this many steps
MOST_PROGRAMS = 8  # so many compiled programs are kept for the next `fit`; a small VAE's takes about 2 MB


@dataclasses.dataclass(repr=False)
class History:
    """What `fit` recorded, in the units of its loss (nats, or squared error, per example).

    loss         float [epochs]: training loss, averaged over the steps of each epoch while the weights moved
    step_loss    float [epochs, steps]: training loss of every single step
    test_loss    float [epochs]: loss on `x_test` after each epoch, in eval mode; empty without `x_test`
    seconds      wall-clock time of the whole training, compilation included
    """

    loss: np.ndarray
    step_loss: np.ndarray
    test_loss: np.ndarray
    seconds: float

    def __repr__(self):
        text = f"{len(self.loss)} epochs, loss {self.loss[0]:.4g} → {self.loss[-1]:.4g}"
        if len(self.test_loss):
            text += f", test loss {self.test_loss[0]:.4g} → {self.test_loss[-1]:.4g}"
        return f"History({text})"


def fit(model, loss_fn, x, *, optimizer, epochs, key, batch_size=128, x_test=None, name=None):
    """Train `model` in place on minibatches of `x`; return the `History` of its losses.

    model       an `nnx.Module`. Its `nnx.Param` variables are trained; all other state (dropout keys, running
                averages) is carried along. It is left in eval mode.
    loss_fn     `loss_fn(model, batch, key)` → one number: summed over the dimensions of an example, averaged over
                the batch. `batch` is float [batch_size, ...]; `key` is fresh at every step.
    x           uint8 or float [n, ...], the training examples. Each epoch sees them in a new order and leaves out
                the last n % batch_size. Or a tuple of arrays that belong together, such as (images, labels); `batch`
                is then a tuple too. uint8 means pixels from 0 to 255: they stay bytes in memory, and the compiled
                step divides them by 255. That is so for x, or for the first array of a tuple, if it is [n, d, ...].
                Every other array of a tuple is taken as it is (labels, masks and one-hot rows in uint8, too).
    optimizer   an Optax optimiser, such as `optax.adam(1e-3)`.
    epochs      how many times to go through `x`.
    key         a key from `jax.random.key`. Same key, same machine: same result.
    batch_size  examples per step.
    x_test      like `x`; all of it is evaluated after every epoch, in eval mode.
    name        what the progress bar calls the model; by default its class.

    An interrupt (the ■ button, Ctrl-C) ends the training after the compiled call that is running. The model keeps
    what it has learned by then, and KeyboardInterrupt stops the cell, and with it a "Run All".

    Raises TypeError or ValueError for unusable arguments, before anything is compiled: also for numbers that look
    like pixels but are not scaled (uint8 that is only 0 and 1; floats that are whole numbers up to 255). Raises
    FloatingPointError when the loss or a weight is not finite; the model then keeps the weights it had before `fit`.
    """
    _check_arguments(model, loss_fn, optimizer, epochs, key, batch_size)
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
    name = type(model).__name__ if name is None else str(name)

    model.train()
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    model.eval()
    eval_graph = nnx.graphdef(model)
    if not jax.tree.leaves(params):
        raise ValueError("the model has no nnx.Param to train")
    optimizer_state = _checked_start(optimizer, params)
    has_convolution = _check_loss(loss_fn, graph, params, rest, jax.tree.map(lambda part: part[:batch_size], x), key)

    # A compiled call overwrites the state it is given (donated buffers), so it gets a copy of the model's. `jnp.copy`
    # would compile a program for each shape.
    copy = partial(jax.device_put, may_alias=False)
    state, form = jax.tree.flatten(jax.tree.map(copy, (params, optimizer_state, rest)))  # a list of arrays
    step = _make_step(loss_fn, optimizer, graph)
    evaluate = None if x_test is None else _make_evaluate(loss_fn, eval_graph, batch_size)
    one_by_one = has_convolution and jax.default_backend() == "cpu"
    epochs_per_call = 1 if one_by_one else _epochs_per_call(epochs, steps)

    start = time.perf_counter()
    losses, tests = [], []
    silent = os.environ.get("TQDM_DISABLE", "0") != "0"  # tqdm's own switch
    silent |= threading.current_thread() is not threading.main_thread()  # there `side_by_side` has a bar for all
    bar = tqdm(total=epochs, desc=name, unit="epoch", disable=silent, file=sys.stdout)  # as text, which can be stored
    with _interrupt_flag() as stop, bar:
        run = (_run_step_by_step if one_by_one else _run_compiled)(step, evaluate, form, batch_size, stop)
        while len(losses) < epochs and not stop.is_set():
            numbers = np.arange(len(losses), min(len(losses) + epochs_per_call, epochs))
            chance = _chance(key, numbers, n, batch_size, 0 if x_test is None else _length(x_test))
            state, new_losses, new_tests = run(state, chance, x, x_test)
            _check_finite(new_losses, len(losses))
            losses.extend(new_losses)
            tests.extend(new_tests)
            bar.update(len(new_losses))
            if losses:
                bar.set_postfix(loss=f"{losses[-1].mean():.4g}", **({"test": f"{tests[-1]:.4g}"} if tests else {}))

    params, _, rest = jax.tree.unflatten(form, state)
    _check_finite_weights(params)
    nnx.update(model, params, rest)
    if stop.is_set():
        print(f"Interrupted: {name} keeps what it has learned; {len(losses)} of {epochs} epochs are complete.\n"
              "Run the next cell to go on with this model, or this cell again to train once more.")  # fmt: skip
        raise KeyboardInterrupt(f"the training of {name} was stopped") from None
    step_loss = np.array(losses)
    return History(step_loss.mean(axis=1), step_loss, np.array(tests), time.perf_counter() - start)


def side_by_side(function, *arguments, name="side by side"):
    """[function(*one) for one in zip(*arguments)]: the same results in the same order, as many at a time as there are
    processor cores. For several small trainings, each of which cannot keep all cores busy.

    function    anything that spends its time in compiled JAX or in NumPy, which leave Python's lock to the others: it
                may call `fit` (whose own progress bar then stays away). It must not draw figures or print.
    arguments   sequences of equal length, one for each argument of `function`, as for `map`.
    name        what the progress bar says.

    Raises ValueError for sequences of different lengths. An error in one call, or an interrupt, is raised as soon as
    those calls that are running have ended; the others are not begun.
    """
    calls = list(zip(*arguments, strict=True))
    ready = lambda call: jax.block_until_ready(function(*call))  # else JAX queues what should run side by side
    silent = os.environ.get("TQDM_DISABLE", "0") != "0"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(tqdm(pool.map(ready, calls), desc=name, total=len(calls), disable=silent, file=sys.stdout))


def for_seeds(function, values, seeds, name="side by side"):
    """[[function(value, seed) for seed in seeds] for value in values], computed by `side_by_side`."""
    values, seeds = list(values), list(seeds)
    flat = side_by_side(function, [value for value in values for _ in seeds], seeds * len(values), name=name)
    return [flat[k : k + len(seeds)] for k in range(0, len(flat), len(seeds))]


# --- the pieces that are compiled -------------------------------------------------------------------------------


def to_float(batch):
    """Bytes as numbers between 0 and 1: pixels, uint8 [n, d, ...], are divided by 255; all else passes unchanged.

    batch: an array; or a tuple of arrays, of which only the first may be pixels (the others are labels and the like).
    """
    if isinstance(batch, tuple):
        return to_float(batch[0]), *batch[1:]
    return batch.astype(jnp.float32) / 255 if batch.dtype == jnp.uint8 and batch.ndim > 1 else batch


def _loss_and_model(loss_fn, graph, params, rest, batch, key):
    """The loss, and the model after it was computed."""
    # The copy gives this trace variables of its own, which it may change (dropout counts its masks there).
    model = nnx.merge(graph, *jax.tree.map(lambda value: value, (params, rest)))
    return loss_fn(model, to_float(batch), key), model


def _loss_and_rest(loss_fn, graph):
    """The loss as a pure function: parameters and other state go in, the loss and the new other state come out."""

    def loss_and_rest(params, rest, batch, key):
        loss, model = _loss_and_model(loss_fn, graph, params, rest, batch, key)
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
    """`evaluate(state, x_test, keys)` → the mean loss over all of x_test, the last incomplete batch included."""
    loss_and_rest = _loss_and_rest(loss_fn, graph)

    def evaluate(state, x_test, keys):
        params, _, rest = state
        n = _length(x_test)
        size = min(batch_size, n)
        whole = n // size
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


@partial(jax.jit, static_argnums=(2, 3, 4))
def _chance(key, numbers, n, batch_size, n_test):
    """What chance decides in the epochs of these numbers, for n examples and n_test to test: a tuple of

    orders     int32 [epochs, steps, batch_size]: which examples each step takes; None if it takes all of them
    keys       [epochs, steps]: a key for each step
    test_keys  [epochs, batches + 1]: a key for each test batch, that of the incomplete one first; None without a test

    A program of its own, since all networks that learn from n examples can share it.
    """

    def of_epoch(number):
        train_key, test_key = jax.random.split(jax.random.fold_in(key, number))
        order_key, steps_key = jax.random.split(train_key)
        steps = n // batch_size
        order = None if batch_size == n else _batches(jax.random.permutation(order_key, n), steps, batch_size)
        test_keys = jax.random.split(test_key, n_test // min(batch_size, n_test) + 1) if n_test else None
        return order, jax.random.split(steps_key, steps), test_keys

    return jax.lax.map(of_epoch, numbers)


def _epochs_per_call(epochs, steps):
    """About STEPS_PER_CALL steps; a divisor of `epochs` if there is one near: a shorter last call is a program more."""
    most = max(1, STEPS_PER_CALL // steps)
    divisor = max(number for number in range(1, min(most, epochs) + 1) if epochs % number == 0)
    return divisor if 2 * divisor >= most or divisor == epochs else most


def _run_compiled(step, evaluate, form, batch_size, stop):
    """`run` trains the epochs of the given chance → new state, losses [epochs, steps], test losses [epochs or 0].

    The state is a list of arrays here; `form` makes of it again what `step` and `evaluate` want.
    """

    def epochs(state, chance, x, x_test):
        def step_of_x(state, order_and_key):
            order, key = order_and_key
            return step(state, (x if order is None else jax.tree.map(lambda part: part[order], x), key))

        def epoch(state, chance):
            *orders_and_keys, test_keys = chance
            state, losses = jax.lax.scan(step_of_x, state, orders_and_keys)
            return state, (losses, evaluate and evaluate(state, x_test, test_keys))

        state, results = jax.lax.scan(epoch, jax.tree.unflatten(form, state), chance)
        return jax.tree.leaves(state), results

    programs = {}  # one, or two if the last call has fewer epochs

    def run(state, chance, *examples):
        number = _length(chance)
        if number not in programs:
            programs[number] = _compiled(epochs, state, chance, *examples)
        state, (losses, tests) = programs[number](state, chance, *examples)
        return state, np.asarray(losses), [] if tests is None else np.asarray(tests)

    return run


def _run_step_by_step(step, evaluate, form, batch_size, stop):
    """The same for convolutions on a CPU, whose gradients XLA makes slow inside a compiled loop.

    Every step is a compiled call of its own. See github.com/jax-ml/jax/issues/12868; lesson 07 measures it.
    """

    def one_step(state, number, orders, keys, x):
        batch = x if orders is None else jax.tree.map(lambda part: part[orders[0, number]], x)
        state, loss = step(jax.tree.unflatten(form, state), (batch, keys[0, number]))
        return jax.tree.leaves(state), loss

    def test(state, x_test, keys):
        return evaluate(jax.tree.unflatten(form, state), x_test, keys[0])

    programs = []  # the compiled step, and the compiled test

    def run(state, chance, x, x_test):
        orders, keys, test_keys = chance  # of one epoch
        if not programs:
            programs.append(_compiled(one_step, state, np.int32(0), orders, keys, x))
            programs.append(None if x_test is None else _compiled(test, state, x_test, test_keys, donate=False))
        losses = []
        for number in range(keys.shape[1]):
            state, loss = programs[0](state, np.int32(number), orders, keys, x)
            losses.append(float(loss))
            if stop.is_set():
                return state, [], []
        return state, np.array([losses]), [] if x_test is None else [float(programs[1](state, x_test, test_keys))]

    return run


_programs = {}  # what was compiled, the latest use last
_one_compiles = threading.Lock()  # two trainings side by side need the same program once


def _compiled(function, state, *inputs, donate=True):
    """`function(state, *inputs)`, compiled for such arguments; it may overwrite `state`, unless donate is False.

    What an earlier `fit` compiled is used again. That it is the same cannot be seen in the function: it may read a β
    that has changed since. So JAX traces it anew, which is quick, and the text of the program that comes out, with
    all numbers written into it, decides. Compiling, the slow part, is done for a new text only.
    """
    if jax.config.jax_disable_jit:  # for somebody who looks for a mistake, step by step
        return function
    traced = jax.jit(function, donate_argnums=0 if donate else (), keep_unused=True).lower(state, *inputs)
    text = traced.as_text()
    if "callback" in text:  # it calls Python functions, which the text does not show
        return traced.compile()
    places = tuple(part.sharding for part in jax.tree.leaves((state, inputs)) if isinstance(part, jax.Array))
    name = hashlib.sha256(text.encode()).digest(), jax.tree.structure((state, inputs)), places
    with _one_compiles:
        program = _programs.pop(name, None) or traced.compile()
        _programs[name] = program
        if len(_programs) > MOST_PROGRAMS:
            del _programs[next(iter(_programs))]  # the one that was not used for the longest time
        _give_memory_back()
    return program


def _give_memory_back():
    """The compiler frees some hundred megabytes that Linux's C library (glibc) hands back only when it is asked to."""
    with contextlib.suppress(Exception):  # other systems have no malloc_trim, and need none
        ctypes.CDLL(None).malloc_trim(0)


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


def _check_arguments(model, loss_fn, optimizer, epochs, key, batch_size):
    if not isinstance(model, nnx.Module):
        raise TypeError(f"model must be an nnx.Module, not {type(model).__name__}")
    if not callable(loss_fn):
        raise TypeError(f"loss_fn must be a function of (model, batch, key), not {type(loss_fn).__name__}")
    if isinstance(optimizer, optax.MultiSteps):
        raise TypeError("of an optax.MultiSteps, pass optimizer.gradient_transformation()")
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TypeError(f"optimizer must come from Optax, such as optax.adam(1e-3), not {type(optimizer).__name__}")
    if isinstance(key, nnx.Rngs):
        raise TypeError("key must be one key, not an nnx.Rngs: take a key from it, key=rngs()")
    if not (hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()):
        raise TypeError("key must be one key, made by jax.random.key(0) or taken from jax.random.split")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be a whole number, not {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


def _checked_examples(name, x):
    """x as an array on the device (or a tuple of arrays), or an error that says what is wrong with it."""
    if isinstance(x, dict):
        raise TypeError(f"{name} is a dict: pass the arrays as a tuple, ({', '.join(map(str, x))})")
    if isinstance(x, list) and any(hasattr(part, "shape") for part in x):
        raise TypeError(f"{name} is a list of arrays: pass a tuple, such as (images, labels), if they belong together; "
                        f"np.stack({name}) if each is one example")  # fmt: skip
    if not isinstance(x, tuple):
        x = _checked_array(name, x, may_be_pixels=True)
        if x.dtype != jnp.uint8 and not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"{name} must be uint8 (pixels from 0 to 255, which fit divides by 255) or float, not {x.dtype}"
                            f": use {name}.astype('uint8') for pixels, .astype('float32') for the rest")  # fmt: skip
        if x.ndim < 2:
            raise ValueError(f"{name} must be [examples, ...], one row an example; its shape is {list(x.shape)}")
        return x
    if not x:
        raise ValueError(f"{name} is an empty tuple")
    parts = tuple(_checked_array(f"{name}[{number}]", part, number == 0) for number, part in enumerate(x))
    if len({len(part) for part in parts}) != 1:
        raise ValueError(f"the arrays of {name} have different lengths: {[len(part) for part in parts]}")
    return parts


def _checked_array(name, x, may_be_pixels):
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    if x.dtype.kind in "OSU":
        raise TypeError(f"{name} must hold numbers, not {x.dtype}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{name} is empty: its shape is {list(x.shape)}")
    if jnp.issubdtype(x.dtype, jnp.floating) or jnp.issubdtype(x.dtype, jnp.integer):
        values = np.asarray(x)
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{name} holds NaN or infinite values")
        if x.ndim > 1:
            _check_scale(name, values, low, high, may_be_pixels)
    return jnp.asarray(x)


def _check_scale(name, values, low, high, may_be_pixels):
    """An error where 0 to 255 and 0 to 1 were probably taken for one another."""
    if values.dtype == np.uint8:
        if may_be_pixels and high == 1:
            raise ValueError(f"{name} is uint8, which fit would divide by 255, but it holds only 0 and 1: "
                             f"use {name}.astype('float32')")  # fmt: skip
        if not may_be_pixels and high > 1:
            raise ValueError(f"{name} is uint8, with values up to {high:.0f}, but fit divides only the first array by "
                             "255: for pixels use .astype('float32') / 255, for the rest .astype('int32')")  # fmt: skip
    elif may_be_pixels and 0 <= low and 200 < high <= 255 and (values == np.rint(values)).all():
        raise ValueError(f"{name} seems to hold pixels from 0 to 255: divide them by 255, or use "
                         f"{name}.astype('uint8'), which fit divides by 255")  # fmt: skip


def _kind(x):
    """What one example is, such as `uint8 [28, 28]`; of a tuple, each part."""
    return ", ".join(f"{part.dtype} {list(part.shape[1:])}" for part in jax.tree.leaves(x))


def _checked_start(optimizer, params):
    """The optimiser's first state, or an error if it needs more than gradients."""
    state = optimizer.init(params)
    if isinstance(optimizer, optax.GradientTransformationExtraArgs):
        try:
            jax.eval_shape(optimizer.update, params, state, params)
        except TypeError as error:
            raise TypeError("this optimizer needs more than gradients, as optax.lbfgs does; "
                            f"fit can use those that do not, such as optax.adam(1e-3) ({error})") from None  # fmt: skip
    return state


def _check_loss(loss_fn, graph, params, rest, batch, key):
    """Trace the loss of one batch: True if it holds a convolution, or an error that says what is wrong."""
    changes = []

    def try_it(params, rest, batch, key):
        loss, model = _loss_and_model(loss_fn, graph, params, rest, batch, key)
        before, after = _describe((params, rest)), _describe(nnx.split(model, nnx.Param, ...)[1:])
        changes.extend(sorted(place for place in before | after if before.get(place) != after.get(place)))
        return loss

    try:
        inspect.signature(loss_fn).bind(None, batch, key)
    except TypeError:
        raise TypeError("loss_fn is called with three arguments, loss_fn(model, batch, key), but yours is "
                        f"{getattr(loss_fn, '__name__', 'loss_fn')}{inspect.signature(loss_fn)}") from None  # fmt: skip
    except ValueError:
        pass  # Python does not know its arguments
    try:
        program, loss = jax.make_jaxpr(try_it, return_shape=True)(params, rest, batch, key)
    except TypeError as error:
        numbers = re.search(r"got \((\d+),\) and \((\d+),\)", str(error))
        shape = jax.tree.leaves(batch)[0].shape[1:]
        if numbers and len(shape) > 1 and int(numbers[2]) == math.prod(shape):
            raise ValueError(f"a layer for {numbers[2]} inputs got {numbers[1]}: the examples of x have the shape "
                             f"{list(shape)}; flatten them, x.reshape(len(x), -1)") from error  # fmt: skip
        raise
    if loss is None:
        raise ValueError("loss_fn returns None; does its last line lack a `return`?")
    if not hasattr(loss, "shape") or loss.shape != () or not jnp.issubdtype(loss.dtype, jnp.floating):
        shape = f"{loss.dtype}{list(loss.shape)}" if hasattr(loss, "shape") else type(loss).__name__
        raise ValueError(f"loss_fn must return one number for a batch, but it returns {shape}: "
                         "sum over the dimensions of an example, then take the mean over the batch")  # fmt: skip
    if changes:
        raise ValueError(f"calling the model changed the form of its state ({', '.join(changes)}): make all variables "
                         "in __init__; what `sow` adds, take out in loss_fn, nnx.pop(model, nnx.Intermediate)")  # fmt: skip
    return "conv_general_dilated" in str(program)


def _describe(states):
    """{path of a variable: shapes and dtypes}."""
    variables = {".".join(map(str, path)): value for state in states for path, value in nnx.to_flat_state(state)}
    return {path: [(part.shape, part.dtype) for part in jax.tree.leaves(value)] for path, value in variables.items()}


def _check_finite(losses, epochs_before):
    for number, epoch_losses in enumerate(losses, start=epochs_before + 1):
        if not np.isfinite(epoch_losses).all():
            at = int(np.argmin(np.isfinite(epoch_losses)))
            raise FloatingPointError(
                f"the loss became {epoch_losses[at]} in epoch {number}, step {at + 1} of {len(epoch_losses)}. {_CAUSES}"
            )


def _check_finite_weights(params):
    """The loss of a step is computed before its weights change, so the last step's own weights are in no loss."""
    if not all(np.isfinite(np.asarray(array)).all() for array in jax.tree.leaves(params)):
        raise FloatingPointError(f"a weight became NaN or infinite in the last step, after its loss. {_CAUSES}")


_CAUSES = (
    "Usual causes: a learning rate that is too high, a logarithm or a division of zero, pixels that were not scaled "
    "to 0–1. The model has kept the weights it had before fit."
)
