"""`fit` against a hand-written loop, and everything that can go wrong while training."""

import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import training
from course_utils.losses import squared_error
from course_utils.training import fit, to_float

KEY = jax.random.key(0)
X = np.random.default_rng(0).random((50, 6), dtype=np.float32)


class AutoEncoder(nnx.Module):
    def __init__(self, rngs, size=6):
        self.encoder = nnx.Linear(size, 3, rngs=rngs)
        self.decoder = nnx.Linear(3, size, rngs=rngs)

    def __call__(self, x):
        return self.decoder(nnx.tanh(self.encoder(x)))


class Convolutional(nnx.Module):
    def __init__(self, rngs):
        self.down = nnx.Conv(1, 3, (3, 3), strides=2, rngs=rngs)
        self.up = nnx.ConvTranspose(3, 1, (3, 3), strides=(2, 2), rngs=rngs)

    def __call__(self, x):
        return self.up(nnx.relu(self.down(x)))


class Stateful(nnx.Module):
    """Dropout has a counter, batch normalisation has running averages: both must change, and only in training."""

    def __init__(self, rngs):
        self.linear = nnx.Linear(6, 32, rngs=rngs)
        self.norm = nnx.BatchNorm(32, momentum=0.5, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.out = nnx.Linear(32, 6, rngs=rngs)

    def __call__(self, x):
        return self.out(self.dropout(nnx.relu(self.norm(self.linear(x)))))


def reconstruction(model, batch, key):
    return squared_error(batch, model(batch))


def weights(model):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]


def close(a, b, tolerance=1e-5):
    return all(np.allclose(left, right, rtol=tolerance, atol=tolerance) for left, right in zip(a, b, strict=True))


def small_fit(model=None, x=X, **changes):
    arguments = dict(optimizer=optax.adam(0.01), epochs=3, key=KEY, batch_size=8) | changes
    loss_fn = arguments.pop("loss_fn", reconstruction)
    return fit(AutoEncoder(nnx.Rngs(0)) if model is None else model, loss_fn, x, **arguments)


def test_full_batch_training_equals_a_hand_written_loop():
    fitted, by_hand = AutoEncoder(nnx.Rngs(0)), AutoEncoder(nnx.Rngs(0))
    history = small_fit(fitted, batch_size=50, epochs=20)
    optimizer = nnx.Optimizer(by_hand, optax.adam(0.01), wrt=nnx.Param)
    losses = []
    for _ in range(20):
        loss, gradients = nnx.value_and_grad(reconstruction)(by_hand, jnp.asarray(X), KEY)
        optimizer.update(by_hand, gradients)
        losses.append(loss)
    assert close(weights(fitted), weights(by_hand))
    np.testing.assert_allclose(history.loss, losses, rtol=1e-5)


def test_minibatch_training_equals_a_hand_written_loop_over_the_same_batches():
    fitted, by_hand = AutoEncoder(nnx.Rngs(0)), AutoEncoder(nnx.Rngs(0))
    history = small_fit(fitted)
    optimizer = nnx.Optimizer(by_hand, optax.adam(0.01), wrt=nnx.Param)
    for epoch in range(3):
        train_key, _ = jax.random.split(jax.random.fold_in(KEY, epoch))
        for step, batch in enumerate(training._shuffled_batches(jnp.asarray(X), train_key, 8)[0]):
            loss, gradients = nnx.value_and_grad(reconstruction)(by_hand, batch, KEY)
            optimizer.update(by_hand, gradients)
            np.testing.assert_allclose(history.step_loss[epoch, step], loss, rtol=1e-5)
    assert close(weights(fitted), weights(by_hand))


def test_every_epoch_shuffles_anew_and_no_example_comes_twice():
    numbers = jnp.arange(50.0)[:, None]
    orders = [np.asarray(training._shuffled_batches(numbers, jax.random.key(seed), 8)[0]).ravel() for seed in (1, 2)]
    assert all(len(set(order)) == 48 for order in orders)
    assert not np.array_equal(*orders)


def test_every_step_gets_its_own_key():
    noises = []

    def noisy(model, batch, key):
        noise = jax.random.normal(key)
        jax.debug.callback(lambda value: noises.append(float(value)), noise)
        return reconstruction(model, batch, key) + 0 * noise

    small_fit(loss_fn=noisy)
    jax.effects_barrier()
    assert len(set(noises)) == len(noises) == 3 * 6


def test_same_key_same_numbers_other_key_other_numbers():
    models = [AutoEncoder(nnx.Rngs(0)) for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2)):
        small_fit(model, key=jax.random.key(seed))
    assert all(np.array_equal(a, b) for a, b in zip(weights(models[0]), weights(models[1])))
    assert not close(weights(models[0]), weights(models[2]))


def test_grouped_epochs_change_nothing(monkeypatch):
    grouped, single = AutoEncoder(nnx.Rngs(0)), AutoEncoder(nnx.Rngs(0))
    small_fit(grouped, epochs=7)
    monkeypatch.setattr(training, "STEPS_PER_CALL", 1)
    small_fit(single, epochs=7)
    assert close(weights(grouped), weights(single))


def test_bytes_are_scaled_inside_the_step():
    pixels = (X * 255).astype(np.uint8)
    from_bytes, from_floats = AutoEncoder(nnx.Rngs(0)), AutoEncoder(nnx.Rngs(0))
    small_fit(from_bytes, pixels)
    small_fit(from_floats, pixels.astype(np.float32) / 255)
    assert close(weights(from_bytes), weights(from_floats))
    assert to_float(jnp.array([0, 255], jnp.uint8)).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("n_test", [3, 8, 21])
def test_the_test_loss_covers_every_example_once(n_test):
    model = AutoEncoder(nnx.Rngs(0))
    x_test = np.random.default_rng(1).random((n_test, 6), dtype=np.float32)
    history = small_fit(model, x_test=x_test)
    assert history.test_loss.shape == (3,)
    np.testing.assert_allclose(history.test_loss[-1], squared_error(x_test, model(x_test)), rtol=1e-5)


def test_arrays_that_belong_together_stay_together():
    labels = np.arange(50)
    pixels = np.tile(labels[:, None], (1, 6)).astype(np.uint8)  # every image holds its own label
    seen = []

    def compare(model, batch, key):
        images, numbers = batch
        assert images.dtype == jnp.float32 and jnp.issubdtype(numbers.dtype, jnp.integer)
        jax.debug.callback(lambda *pair: seen.append(pair), images[:, 0], numbers)
        return squared_error(images, model(images))

    history = small_fit(x=(pixels, labels), x_test=(pixels[:11], labels[:11]), loss_fn=compare)
    jax.effects_barrier()
    assert len(seen) == 3 * (6 + 2) and history.test_loss.shape == (3,)
    for images, numbers in seen:
        np.testing.assert_allclose(images * 255, numbers, atol=1e-4)


def test_state_is_carried_in_training_and_left_alone_in_evaluation():
    model = Stateful(nnx.Rngs(0))
    history = small_fit(model, x_test=X)
    masks = [int(leaf) for path, leaf in nnx.to_flat_state(nnx.state(model, nnx.RngCount)) if "dropout" in path]
    assert masks == [3 * 6]  # one mask a training step, none in evaluation
    assert not np.allclose(jax.tree.leaves(nnx.state(model, nnx.BatchStat))[0], 0)
    # left in eval mode: no randomness, and the running averages instead of the batch's own
    np.testing.assert_allclose(history.test_loss[-1], squared_error(X, model(X)), rtol=1e-4)
    np.testing.assert_allclose(model(X)[:5], model(X[:5]), rtol=1e-4, atol=1e-5)


def test_running_averages_equal_those_of_a_hand_written_loop():
    fitted, by_hand = Stateful(nnx.Rngs(0)), Stateful(nnx.Rngs(0))
    for model in (fitted, by_hand):
        model.dropout.rate = 0.0
    # Plain gradient descent: the bias before a batch norm has gradient 0, and Adam would blow up its rounding noise.
    small_fit(fitted, batch_size=50, epochs=5, optimizer=optax.sgd(0.01))
    optimizer = nnx.Optimizer(by_hand, optax.sgd(0.01), wrt=nnx.Param)
    by_hand.train()
    for _ in range(5):
        gradients = nnx.grad(reconstruction)(by_hand, jnp.asarray(X), KEY)
        optimizer.update(by_hand, gradients)
    statistics = [jax.tree.leaves(nnx.state(model, nnx.BatchStat)) for model in (fitted, by_hand)]
    assert close(*statistics, tolerance=1e-4)


def test_convolutions_step_by_step_and_in_one_scan_give_the_same_parameters(monkeypatch):
    images = np.random.default_rng(0).random((20, 8, 8, 1), dtype=np.float32)
    models, histories, ways = [], [], []
    for answer in (True, False):
        for name in ("_run_step_by_step", "_run_compiled"):
            make = getattr(training, name)
            monkeypatch.setattr(training, name, lambda *a, make=make, name=name: ways.append(name) or make(*a))
        monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
        monkeypatch.setattr(training, "_has_convolution", lambda *a, answer=answer: answer)
        models.append(Convolutional(nnx.Rngs(0)))
        histories.append(small_fit(models[-1], images, x_test=images[:11]))
        monkeypatch.undo()
    assert ways == ["_run_step_by_step", "_run_compiled"]
    assert close(*map(weights, models))
    np.testing.assert_allclose(histories[0].test_loss, histories[1].test_loss, rtol=1e-4)


def test_convolutions_are_found_in_the_step_and_dense_networks_have_none():
    found = []
    for model, x in ((Convolutional(nnx.Rngs(0)), jnp.zeros((4, 8, 8, 1))), (AutoEncoder(nnx.Rngs(0)), jnp.zeros((4, 6)))):
        graph, params, rest = nnx.split(model, nnx.Param, ...)
        step = training._make_step(reconstruction, optax.sgd(0.1), graph)
        found.append(training._has_convolution(step, (params, optax.sgd(0.1).init(params), rest), x, KEY))
    assert found == [True, False]


def test_a_nan_stops_with_epoch_step_and_causes_and_keeps_the_model():
    model = AutoEncoder(nnx.Rngs(0))
    before = weights(model)

    def breaks(model, batch, key):  # NaN from the moment the weights have moved away from where they began
        moved = jnp.abs(model.encoder.bias[...]).sum() > 0
        return jnp.where(moved, jnp.nan, reconstruction(model, batch, key))

    with pytest.raises(FloatingPointError, match=r"nan in epoch 1, step 2 of 6.*learning rate"):
        small_fit(model, loss_fn=breaks)
    assert close(before, weights(model), tolerance=0)
    assert np.isfinite(model(X)).all()


def test_the_epoch_of_a_late_nan_is_named(monkeypatch):
    monkeypatch.setattr(training, "STEPS_PER_CALL", 1)
    losses = [np.ones((1, 6)), np.ones((1, 6)), np.array([[1, 1, 1, np.inf, 1, 1]])]
    monkeypatch.setattr(training, "_run_compiled", lambda *_: lambda state, *_: (state, losses.pop(0), []))
    with pytest.raises(FloatingPointError, match="inf in epoch 3, step 4 of 6"):
        small_fit()


@pytest.mark.parametrize("convolutional", [False, True])
def test_an_interrupt_keeps_what_was_trained(convolutional, capsys, monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(training, "_has_convolution", lambda *_: convolutional)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    model = AutoEncoder(nnx.Rngs(0))
    before = weights(model)
    started = threading.Event()

    def slow(model, batch, key):  # tells when the first step runs, so that the interrupt falls into the training
        jax.debug.callback(lambda: started.set() or time.sleep(0.001))
        return reconstruction(model, batch, key)

    thread = threading.Thread(target=lambda: started.wait(60) and os.kill(os.getpid(), signal.SIGINT))
    thread.start()
    history = small_fit(model, loss_fn=slow, epochs=100_000)
    thread.join()
    assert history.interrupted and len(history.loss) < 100_000
    assert history.step_loss.shape == (len(history.loss), 6)
    assert "Interrupted" in capsys.readouterr().out and "interrupted" in repr(history)
    assert not close(before, weights(model)) and np.isfinite(model(X)).all()
    assert signal.getsignal(signal.SIGINT) is handler
    assert not small_fit(model, epochs=1).interrupted  # and training can go on


def test_training_in_another_thread_works():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(small_fit()))
    thread.start()
    thread.join()
    assert len(histories[0].loss) == 3


def test_history_tells_its_story():
    assert repr(small_fit(x_test=X)).startswith("History(3 epochs, loss ")
    assert ", test loss " in repr(small_fit(x_test=X))
    empty = training.History(np.zeros(0), np.zeros((0, 6)), np.zeros(0), 0.1, True)
    assert repr(empty) == "History(interrupted before the first epoch was finished)"
    history = small_fit()
    assert history.step_loss.shape == (3, 6) and history.test_loss.shape == (0,) and history.seconds > 0
    np.testing.assert_allclose(history.loss, history.step_loss.mean(axis=1))
    assert history.loss[-1] < history.loss[0]


def test_the_progress_bar_counts_epochs(capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    bars = []
    monkeypatch.setattr(training, "tqdm", lambda **options: bars.append(Bar(**options)) or bars[-1])
    small_fit(x_test=X, epochs=5)
    assert (bars[0].total, bars[0].done) == (5, 5) and set(bars[0].postfix) == {"loss", "test"}
    monkeypatch.setenv("TQDM_DISABLE", "1")
    small_fit()
    assert [bar.disable for bar in bars] == [False, True]


class Bar:
    def __init__(self, total, unit, disable):
        self.total, self.unit, self.disable, self.done = total, unit, disable, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, n):
        self.done += n

    def set_postfix(self, **postfix):
        self.postfix = postfix


@pytest.mark.parametrize(
    "changes, error, words",
    [
        (dict(model=lambda x: x), TypeError, "nnx.Module, not function"),
        (dict(model=nnx.Dropout(0.5, rngs=nnx.Rngs(0))), ValueError, "no nnx.Param"),
        (dict(optimizer=0.01), TypeError, "optax.adam"),
        (dict(key=0), TypeError, "jax.random.key"),
        (dict(key=jax.random.split(KEY)), TypeError, "one key"),
        (dict(epochs=0), ValueError, "epochs must be at least 1"),
        (dict(epochs=1.5), TypeError, "whole number"),
        (dict(epochs=True), TypeError, "whole number"),
        (dict(batch_size=0), ValueError, "batch_size must be at least 1"),
        (dict(batch_size=51), ValueError, "at least 51 examples, but x has 50"),
        (dict(x=X[:0]), ValueError, r"empty: its shape is \[0, 6\]"),
        (dict(x=X[0]), ValueError, "one row an example"),
        (dict(x=X.astype(np.int64)), TypeError, "not int"),
        (dict(x=X > 0.5), TypeError, "not bool"),
        (dict(x=[["a", "b"]]), TypeError, "must hold numbers"),
        (dict(x=(X, np.arange(49))), ValueError, r"different lengths: \[50, 49\]"),
        (dict(x=(X, np.array(["a"] * 50))), TypeError, r"x\[1\] must hold numbers"),
        (dict(x=(X, np.float32(1))), ValueError, r"x\[1\] is empty"),
        (dict(x=()), ValueError, "x is an empty tuple"),
        (dict(x=(X, np.arange(50)), x_test=X), ValueError, r"x holds float32 \[6\], int32 \[\]"),
        (dict(x=np.where(X > 0.9, np.nan, X)), ValueError, "NaN or infinite"),
        (dict(x_test=X[:, :5]), ValueError, r"float32 \[5\] examples"),
        (dict(x_test=(X * 255).astype(np.uint8)), ValueError, "uint8"),
        (dict(x_test=X[:0]), ValueError, "x_test is empty"),
        (dict(loss_fn=lambda model, batch, key: ((batch - model(batch)) ** 2).sum(1)), ValueError, r"float32\[8\]"),
        (dict(loss_fn=lambda model, batch, key: (batch.mean(), batch.max())), ValueError, "returns tuple"),
    ],
)
def test_bad_input_is_named_before_anything_is_compiled(changes, error, words, monkeypatch):
    monkeypatch.setattr(training, "_run_compiled", lambda *_: pytest.fail("compiled first"))
    with pytest.raises(error, match=words):
        small_fit(**changes)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 40), batch_size=st.integers(1, 40), size=st.integers(1, 9))
def test_any_sensible_shape_trains(n, batch_size, size):
    x = np.random.default_rng(n).random((n, size), dtype=np.float32)
    arguments = dict(model=AutoEncoder(nnx.Rngs(0), size), x=x, batch_size=batch_size, epochs=1, x_test=x)
    if batch_size > n:
        with pytest.raises(ValueError, match="at least"):
            small_fit(**arguments)
    else:
        history = small_fit(**arguments)
        assert history.step_loss.shape == (1, n // batch_size) and np.isfinite(history.test_loss).all()
