"""`fit` against a hand-written loop, and everything that can go wrong while training."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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
from course_utils.training import fit, for_seeds, side_by_side, to_float

KEY = jax.random.key(0)
X = np.random.default_rng(0).random((50, 6), dtype=np.float32)
BYTES = np.rint(255 * X).astype(np.uint8)


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
    orders = training._chance(KEY, np.arange(3), len(X), 8, 0)[0]
    for epoch, order in enumerate(orders):
        for step, batch in enumerate(X[order]):
            loss, gradients = nnx.value_and_grad(reconstruction)(by_hand, batch, KEY)
            optimizer.update(by_hand, gradients)
            np.testing.assert_allclose(history.step_loss[epoch, step], loss, rtol=1e-5)
    assert close(weights(fitted), weights(by_hand))


def test_every_epoch_shuffles_anew_and_no_example_comes_twice():
    orders, keys, test_keys = training._chance(KEY, np.arange(4), 50, 8, 20)
    orders = np.asarray(orders).reshape(4, 48)
    assert all(len(set(order)) == 48 for order in orders) and orders.min() >= 0 and orders.max() < 50
    assert len({tuple(order) for order in orders}) == 4
    everything = np.concatenate([np.reshape(jax.random.key_data(part), (-1, 2)) for part in (keys, test_keys)])
    assert keys.shape == (4, 6) and test_keys.shape == (4, 3)
    assert len({tuple(key) for key in everything}) == 4 * 6 + 4 * 3


def test_an_epoch_has_the_same_chance_however_epochs_are_grouped():
    together = training._chance(KEY, np.arange(4), 50, 8, 20)
    alone = training._chance(KEY, np.array([2]), 50, 8, 20)
    assert np.array_equal(together[0][2], alone[0][0])
    assert all(jnp.array_equal(a[2], b[0]) for a, b in zip(together[1:], alone[1:]))


@pytest.mark.parametrize("epochs, steps, expected", [(5, 156, 1), (5, 100, 1), (6, 100, 2), (2000, 1, 250), (997, 1, 250), (30, 10, 15), (7, 6, 7), (3, 600, 1)])
def test_epochs_are_grouped_so_that_the_last_call_is_like_the_others(epochs, steps, expected):
    assert training._epochs_per_call(epochs, steps) == expected


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
    assert close(to_float(jnp.array([[0, 255]], jnp.uint8)), [[0, 1]])  # a GPU multiplies by 1/255: 0.99999994


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 6), (50, 4, 4)])
def test_labels_masks_and_one_hot_rows_in_bytes_stay_whole_numbers(shape):
    """Beside images, in training and in evaluation; labels may also be larger than 1."""
    labels = np.arange(50, dtype=np.uint8) if len(shape) == 1 else (np.random.default_rng(1).random(shape) < 0.5).astype(np.uint8)
    most = []

    def loss(model, batch, key):
        images, labels = batch
        assert images.dtype == jnp.float32 and labels.dtype == jnp.uint8
        jax.debug.callback(lambda *pair: most.append(pair), images.max(), labels.max())
        return squared_error(images, model(images))

    small_fit(x=(BYTES, labels), x_test=(BYTES, labels), loss_fn=loss)
    jax.effects_barrier()
    images, labels_seen = np.array(most, float).T
    assert images.max() <= 1 and labels_seen.max() == labels.max()


def test_numbers_that_only_look_a_little_like_pixels_are_trained():
    for x in (3 * X - 1, 255 * X, np.rint(9 * X), BYTES - 128.0, 2 * BYTES.astype(np.float32)):
        small_fit(x=np.asarray(x, np.float32), optimizer=optax.sgd(1e-9))
    small_fit(x=(X, BYTES.astype(np.int32), BYTES.astype(np.float32)), loss_fn=lambda m, batch, key: DOT(m, batch[0], key))


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


DOT = lambda model, batch, key: squared_error(batch, model(batch))  # another function, the same loss


class Remat(AutoEncoder):
    @nnx.remat
    def __call__(self, x):
        return self.decoder(nnx.tanh(self.encoder(x)))


class Vmap(AutoEncoder):
    def __call__(self, x):
        one = nnx.vmap(lambda layer, row: layer(row), in_axes=(None, 0))
        return one(self.decoder, nnx.tanh(one(self.encoder, x)))


class Scan(AutoEncoder):
    def __init__(self, rngs):
        super().__init__(rngs)
        two = nnx.split_rngs(splits=2)(nnx.vmap(lambda rngs: nnx.Linear(3, 3, rngs=rngs)))
        self.middle = two(rngs)

    def __call__(self, x):
        through = nnx.scan(lambda h, layer: nnx.tanh(layer(h)), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        return self.decoder(through(self.encoder(x), self.middle))


class Cond(AutoEncoder):
    def __call__(self, x):
        h = nnx.cond(x.sum() > 0, lambda layer, x: layer(x), lambda layer, x: -layer(x), self.encoder, x)
        return self.decoder(nnx.tanh(h))


class Weighted(AutoEncoder):
    def __init__(self, rngs):
        super().__init__(rngs)
        self.encoder = nnx.WeightNorm(self.encoder, rngs=rngs)


class Spectral(AutoEncoder):
    def __init__(self, rngs):
        super().__init__(rngs)
        self.norm = nnx.SpectralNorm(nnx.Linear(6, 6, rngs=rngs), rngs=rngs)

    def __call__(self, x):
        return super().__call__(self.norm(x, update_stats=True))


@pytest.mark.parametrize("kind, needs", [(Remat, "remat"), (Vmap, "vmap"), (Scan, "scan"), (Cond, "cond"),
                                         (Weighted, "WeightNorm"), (Spectral, "SpectralNorm")])  # fmt: skip
def test_models_with_transforms_of_flax_are_trained_and_evaluated(kind, needs):
    if not hasattr(nnx, needs):
        pytest.skip(f"this Flax has no nnx.{needs}")  # 0.11.2 lacks the last two
    model = kind(nnx.Rngs(0))
    before = weights(model)
    history = small_fit(model, x_test=X[:11])  # one whole batch and a rest
    assert np.isfinite(history.test_loss).all() and not close(before, weights(model))


@pytest.mark.parametrize("transform", [nnx.jit, nnx.remat])
def test_losses_with_transforms_of_flax_are_trained_and_evaluated(transform):
    plain, transformed = AutoEncoder(nnx.Rngs(0)), AutoEncoder(nnx.Rngs(0))
    expected = small_fit(plain, x_test=X[:11])
    history = small_fit(transformed, x_test=X[:11], loss_fn=transform(reconstruction))
    np.testing.assert_allclose(history.test_loss, expected.test_loss, rtol=1e-4)


# --- What was compiled is used again ----------------------------------------------------------------------------------


@pytest.fixture
def compiled(monkeypatch):
    """The names of the functions that XLA was asked to compile."""
    names, compile = [], jax.stages.Lowered.compile
    monkeypatch.setattr(training, "_programs", {})
    monkeypatch.setattr(jax.stages.Lowered, "compile", lambda self: names.append(1) or compile(self))
    return names


def test_the_same_training_is_compiled_once(compiled):
    losses = []
    for lr in (0.01, 0.01, 0.02):  # a new model, a new optimiser and a new function each time
        loss = lambda model, batch, key: squared_error(batch, model(batch))
        history = small_fit(x_test=X, loss_fn=loss, optimizer=optax.adam(lr))
        losses.append(history.test_loss)
        assert len(compiled) == (1 if lr == 0.01 else 2)
    np.testing.assert_array_equal(losses[0], losses[1])
    assert not np.allclose(losses[0], losses[2])
    small_fit(x=X[:40], x_test=X), small_fit(batch_size=5), small_fit(epochs=4)
    assert len(compiled) == 5


def test_what_a_loss_reads_from_outside_is_never_stale(compiled):
    """A number, a large array and a layer's setting change; the program of before would give the loss of before."""
    outside = {"beta": 1.0, "weights": np.full((8, 6), 1.0, np.float32), "slope": 0.1}

    def loss(model, batch, key):
        h = nnx.leaky_relu(model.encoder(batch), outside["slope"])
        return outside["beta"] * jnp.mean(outside["weights"] * (batch - model.decoder(h)) ** 2)

    def first_loss():
        return small_fit(loss_fn=loss, epochs=1).step_loss[0, 0]

    start = first_loss()
    outside["beta"] = 2.0
    np.testing.assert_allclose(first_loss(), 2 * start, rtol=1e-5)
    outside["weights"] = np.full((8, 6), 3.0, np.float32)
    outside["weights"][0, 0] += 1e-3
    np.testing.assert_allclose(first_loss(), 6 * start, rtol=1e-3)
    outside["slope"] = 0.9
    assert abs(first_loss() / start - 6) > 0.01
    assert len(compiled) == 4
    outside |= {"beta": 1.0, "weights": np.full((8, 6), 1.0, np.float32), "slope": 0.1}
    assert first_loss() == start and len(compiled) == 4


def test_models_of_other_names_share_a_program_and_keep_their_own_weights(compiled):
    class Renamed(nnx.Module):
        def __init__(self, rngs):
            self.a = nnx.Linear(6, 3, rngs=rngs)
            self.b = nnx.Linear(3, 6, rngs=rngs)

        def __call__(self, x):
            return self.b(nnx.tanh(self.a(x)))

    class Swapped(Renamed):  # the same arrays in another order
        def __init__(self, rngs):
            self.b = nnx.Linear(6, 3, rngs=rngs)
            self.a = nnx.Linear(3, 6, rngs=rngs)

        def __call__(self, x):
            return self.a(nnx.tanh(self.b(x)))

    first, *others = [kind(nnx.Rngs(0)) for kind in (AutoEncoder, Renamed, Swapped)]
    small_fit(first)
    for model in others:
        small_fit(model)
        np.testing.assert_allclose(model(X), first(X), rtol=1e-5)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_unused_arrays_of_the_same_shape_are_not_mixed_up(compiled, monkeypatch, one_by_one):
    """Programs that differ only in which of their inputs they use; the evaluation does not even give them back."""
    monkeypatch.setattr(training, "_check_loss", lambda *_: one_by_one)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")

    class Two(nnx.Module):
        def __init__(self):
            self.a, self.b = nnx.Param(jnp.zeros(6)), nnx.Param(jnp.ones(6))

    def loss_of(name):
        return lambda model, batch, key: squared_error(batch, jnp.broadcast_to(getattr(model, name)[...], batch.shape))

    for name, start in (("a", 0), ("b", 1), ("a", 0)):
        history = small_fit(Two(), loss_fn=loss_of(name), optimizer=optax.sgd(0.0), x_test=X, epochs=1)
        np.testing.assert_allclose(history.test_loss, np.sum((X - start) ** 2, axis=1).mean(), rtol=1e-5)


def test_convolutions_are_compiled_once_too(compiled, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    images = np.random.default_rng(0).random((20, 8, 8, 1), dtype=np.float32)
    for _ in range(2):
        small_fit(Convolutional(nnx.Rngs(0)), images, x_test=images[:11], epochs=2)
    assert len(compiled) == 2  # the step, and the evaluation


def test_few_programs_are_kept(compiled, monkeypatch):
    monkeypatch.setattr(training, "MOST_PROGRAMS", 2)
    for size in (5, 6, 7, 6, 5):
        small_fit(epochs=1, batch_size=size)
        assert len(training._programs) <= 2
    assert len(compiled) == 4  # 6 was still there, 5 was not


def test_functions_that_a_program_calls_back_are_those_of_this_fit():
    for expected in ([1], [2]):
        seen = set()

        def loss(model, batch, key, number=expected[0]):
            jax.debug.callback(lambda: seen.add(number))
            return reconstruction(model, batch, key)

        small_fit(loss_fn=loss)
        jax.effects_barrier()
        assert sorted(seen) == expected


def test_fit_runs_with_jit_switched_off_for_who_looks_for_a_mistake(compiled):
    with jax.disable_jit():
        history = small_fit(x=X[:10], epochs=1)
    assert not compiled
    np.testing.assert_allclose(history.loss, small_fit(x=X[:10], epochs=1).loss, rtol=1e-5)


# --- What a model may and may not do ----------------------------------------------------------------------------------


class Sowing(AutoEncoder):
    def __call__(self, x):
        z = self.encoder(x)
        self.sow(nnx.Intermediate, "codes", z)
        return self.decoder(nnx.tanh(z))


class Lazy(AutoEncoder):
    def __call__(self, x):
        if not hasattr(self, "extra"):
            self.extra = nnx.Linear(6, 6, rngs=nnx.Rngs(0))
        return super().__call__(self.extra(x))


class Growing(AutoEncoder):
    def __init__(self, rngs):
        super().__init__(rngs)
        self.seen = nnx.Variable(jnp.zeros(0))

    def __call__(self, x):
        self.seen = nnx.Variable(jnp.append(self.seen[...], x.mean()))
        return super().__call__(x)


@pytest.mark.parametrize("kind, place", [(Sowing, "codes"), (Lazy, "extra.bias, extra.kernel"), (Growing, "seen")])
def test_state_that_a_call_adds_is_named(kind, place):
    with pytest.raises(ValueError, match=rf"changed the form of its state \({place}\): make all variables in __init__"):
        small_fit(kind(nnx.Rngs(0)))


def test_the_advice_about_sow_and_about_accumulated_gradients_works():
    def loss(model, batch, key):
        x_hat = model(batch)
        codes = nnx.pop(model, nnx.Intermediate)["codes"]
        return squared_error(batch, x_hat) + 0.1 * jnp.mean(jax.tree.leaves(codes)[0] ** 2)

    small_fit(Sowing(nnx.Rngs(0)), loss_fn=loss, x_test=X)
    twice = optax.MultiSteps(optax.sgd(0.01), 2).gradient_transformation()
    history = small_fit(optimizer=twice, batch_size=50, epochs=4)
    assert history.loss[0] == history.loss[1] > history.loss[2] == history.loss[3]


def test_convolutions_step_by_step_and_in_one_scan_give_the_same_parameters(monkeypatch):
    images = np.random.default_rng(0).random((20, 8, 8, 1), dtype=np.float32)
    models, histories, ways = [], [], []
    for answer in (True, False):
        for name in ("_run_step_by_step", "_run_compiled"):
            make = getattr(training, name)
            monkeypatch.setattr(training, name, lambda *a, make=make, name=name: ways.append(name) or make(*a))
        monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
        monkeypatch.setattr(training, "_check_loss", lambda *a, answer=answer: answer)
        models.append(Convolutional(nnx.Rngs(0)))
        histories.append(small_fit(models[-1], images, x_test=images[:11]))
        monkeypatch.undo()
    assert ways == ["_run_step_by_step", "_run_compiled"]
    assert close(*map(weights, models))
    np.testing.assert_allclose(histories[0].test_loss, histories[1].test_loss, rtol=1e-4)


def test_convolutions_are_found_in_the_step_and_dense_networks_have_none():
    found = []
    for model, x in ((Convolutional(nnx.Rngs(0)), jnp.zeros((4, 8, 8, 1))), (AutoEncoder(nnx.Rngs(0)), jnp.zeros((4, 6)))):
        found.append(training._check_loss(reconstruction, *nnx.split(model, nnx.Param, ...), x, KEY))
    assert found == [True, False]


def test_arrays_that_belong_together_stay_together_step_by_step(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    numbers = np.arange(20, dtype=np.float32)
    images = np.tile(numbers[:, None, None, None], (1, 8, 8, 1))
    seen = []

    def compare(model, batch, key):
        jax.debug.callback(lambda *pair: seen.append(pair), batch[0][:, 0, 0, 0], batch[1])
        return squared_error(batch[0], model(batch[0]))

    small_fit(Convolutional(nnx.Rngs(0)), (images, numbers), loss_fn=compare, x_test=(images, numbers))
    jax.effects_barrier()
    assert len(seen) == 3 * (2 + 3)
    for images, numbers in seen:
        np.testing.assert_array_equal(images, numbers)


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


@pytest.mark.parametrize("steps", [1, 6])
def test_a_nan_in_the_weights_of_the_very_last_step_is_noticed(steps):
    """sqrt has the value 0 at 0, and an infinite slope: the loss is finite, what it does to the weights is not."""
    model = AutoEncoder(nnx.Rngs(0))
    before = weights(model)
    only_at = lambda number: jnp.where(number == steps - 1, 0.0, 1.0)

    class Counting(AutoEncoder):
        def __init__(self, rngs):
            super().__init__(rngs)
            self.count = nnx.Variable(jnp.zeros(()))

    def loss(model, batch, key):
        zero = only_at(model.count[...]) * jnp.sum(model.encoder.kernel[...] ** 2)
        model.count[...] += 1
        return reconstruction(model, batch, key) + jnp.sqrt(zero)

    model = Counting(nnx.Rngs(0))
    with pytest.raises(FloatingPointError, match="in the last step.*learning rate"):
        small_fit(model, loss_fn=loss, epochs=1, x=X[: 8 * steps])
    assert close(before, weights(model), tolerance=0)


@pytest.mark.parametrize("convolutional", [False, True])
def test_an_interrupt_keeps_what_was_trained(convolutional, capsys, monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(training, "_check_loss", lambda *_: convolutional)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    model = AutoEncoder(nnx.Rngs(0))
    before = weights(model)
    started = threading.Event()

    def slow(model, batch, key):  # tells when the first step runs, so that the interrupt falls into the training
        jax.debug.callback(lambda: started.set() or time.sleep(0.001))
        return reconstruction(model, batch, key)

    thread = threading.Thread(target=lambda: started.wait(60) and os.kill(os.getpid(), signal.SIGINT))
    thread.start()
    with pytest.raises(KeyboardInterrupt) as raised:  # which stops the cell, and all that would run after it
        small_fit(model, loss_fn=slow, epochs=100_000, name="the small one")
    thread.join()
    assert raised.value.__suppress_context__ and "the small one" in str(raised.value)
    first, second = capsys.readouterr().out.strip().splitlines()[-2:]  # before them, perhaps a progress bar
    assert re.match(r"Interrupted: the small one keeps what it has learned; \d+ of 100000 epochs are complete\.", first)
    assert "next cell" in second and "this cell again" in second
    assert not close(before, weights(model)) and np.isfinite(model(X)).all()
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(small_fit(model, epochs=1).loss) == 1  # and training can go on


def test_training_in_another_thread_works():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(small_fit()))
    thread.start()
    thread.join()
    assert len(histories[0].loss) == 3


@pytest.mark.skipif(os.cpu_count() == 1, reason="one core: nothing runs side by side")
def test_calls_run_at_the_same_time_and_keep_their_order():
    meet = threading.Barrier(2, timeout=20)  # breaks if one call waits for the other to end
    assert side_by_side(lambda a, b: (meet.wait() * 0 + a, b), (1, 2), "xy") == [(1, "x"), (2, "y")]


def test_every_value_meets_every_seed():
    assert for_seeds(lambda value, seed: value + str(seed), "ab", range(3)) == [["a0", "a1", "a2"], ["b0", "b1", "b2"]]
    assert for_seeds(lambda value, seed: 1 / 0, (), range(3)) == []


def test_sequences_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        side_by_side(lambda a, b: a, (1, 2), (1,))


def test_an_error_in_one_call_is_raised_and_the_rest_is_not_begun():
    begun = []

    def one(number):
        begun.append(number)
        if number == 0:
            raise ZeroDivisionError("of the first")
        time.sleep(0.05)

    with pytest.raises(ZeroDivisionError, match="of the first"):
        side_by_side(one, range(100 * os.cpu_count()))
    assert len(begun) < 50 * os.cpu_count()


def test_an_interrupt_is_raised_and_the_rest_is_not_begun():
    begun = []

    def one(number):
        begun.append(number)
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt):
        side_by_side(one, range(100 * os.cpu_count()))
    assert len(begun) < 50 * os.cpu_count()


def test_networks_trained_side_by_side_are_those_trained_alone(compiled, capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")

    def train(size, seed):
        model = AutoEncoder(nnx.Rngs(seed), size)
        fit(model, lambda model, batch, key: squared_error(batch, model(batch)), X[:, :size], optimizer=optax.adam(0.01),
            epochs=3, key=jax.random.key(seed), batch_size=10)  # fmt: skip
        return nnx.state(model, nnx.Param)

    alone = [[train(size, seed) for seed in range(4)] for size in (5, 6)]
    programs = len(compiled)
    capsys.readouterr()
    together = for_seeds(train, (5, 6), range(4), name="eight networks")
    assert len(compiled) == programs  # none was compiled twice
    shown = capsys.readouterr().out
    assert "eight networks: 100%" in shown and "AutoEncoder" not in shown  # one bar, not nine
    jax.tree.map(np.testing.assert_array_equal, together, alone)


def test_history_tells_its_story():
    assert repr(small_fit(x_test=X)).startswith("History(3 epochs, loss ")
    assert ", test loss " in repr(small_fit(x_test=X))
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
    small_fit(name="β = 4")
    assert [bar.disable for bar in bars] == [False, True]
    assert [bar.desc for bar in bars] == ["AutoEncoder", "β = 4"]


def test_the_progress_bar_is_text_on_stdout(capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    small_fit(name="β = 4")
    shown = capsys.readouterr()
    assert "β = 4: 100%" in shown.out and "3/3" in shown.out and "loss=" in shown.out and shown.err == ""
    monkeypatch.setenv("TQDM_DISABLE", "1")
    small_fit()
    assert capsys.readouterr() == ("", "")


class Bar:
    def __init__(self, total, desc, unit, disable, file):
        self.total, self.desc, self.unit, self.disable, self.done = total, desc, unit, disable, 0

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
        (dict(x=X.astype(np.int64)), TypeError, r"not int.*x.astype\('uint8'\) for pixels, .astype\('float32'\)"),
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
        (dict(loss_fn=lambda model, batch, key: None), ValueError, "returns None.*`return`"),
        (dict(loss_fn=0.5), TypeError, r"function of \(model, batch, key\), not float"),
        (dict(loss_fn=lambda batch, key: batch.mean()), TypeError, r"three arguments.*yours is <lambda>\(batch, key\)"),
        (dict(loss_fn=squared_error), TypeError, r"loss_fn\(model, batch, key\), but yours is squared_error\(x, x_hat\)"),
        (dict(key=nnx.Rngs(0)), TypeError, r"nnx.Rngs: .* key=rngs\(\)"),
        (dict(optimizer=optax.lbfgs()), TypeError, "more than gradients.*lbfgs.*optax.adam"),
        (dict(optimizer=optax.MultiSteps(optax.adam(0.01), 2)), TypeError, "gradient_transformation"),
        (dict(x=[X, np.arange(50)]), TypeError, "x is a list of arrays: pass a tuple.*np.stack"),
        (dict(x_test=[X, X]), TypeError, "x_test is a list of arrays"),
        (dict(x={"images": X, "labels": X}), TypeError, r"x is a dict: pass the arrays as a tuple, \(images, labels\)"),
        (dict(x=X.reshape(50, 2, 3)), ValueError, r"6 inputs got 3: .*\[2, 3\]; flatten them, x.reshape\(len\(x\), -1\)"),
        # 0 to 255 and 0 to 1
        (dict(x=(X > 0.5).astype(np.uint8)), ValueError, r"only 0 and 1: use x.astype\('float32'\)"),
        (dict(x=(np.eye(50, dtype=np.uint8), X)), ValueError, r"x\[0\] is uint8.* only 0 and 1"),
        (dict(x=(BYTES, BYTES)), ValueError, r"x\[1\] is uint8.* up to 2\d\d.*only the first"),
        (dict(x=BYTES.astype(np.float32)), ValueError, r"x seems to hold pixels.*x.astype\('uint8'\)"),
        (dict(x=BYTES.astype(np.int64)), ValueError, "x seems to hold pixels.*divide them by 255"),
        (dict(x=(BYTES.astype(np.int32), X)), ValueError, r"x\[0\] seems to hold pixels"),
        (dict(x_test=jnp.asarray(BYTES, jnp.float32)), ValueError, "x_test seems to hold pixels"),
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


def test_a_product_with_a_temporary_matrix_is_right():
    """What course_utils/__init__.py switches off: jaxlib 0.7 and 0.8 get half of these products wrong on a CPU."""
    program = """
import jax.numpy as jnp, numpy as np
import course_utils
rng = np.random.default_rng(0)
x, matrices = rng.random((1000, 784), np.float32), rng.normal(size=(4, 784, 800)).astype(np.float32)
right, on_device = [x @ (2 * W) for W in matrices], [jnp.asarray(W) for W in matrices]
print(sum(not np.allclose(jnp.asarray(x) @ (2 * on_device[k % 4]), right[k % 4], atol=0.1) for k in range(40)))
"""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    wrong = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    assert wrong.strip() == "0", "of 40 products"


@pytest.mark.parametrize("own", ["", "--xla_backend_optimization_level=2"])
def test_xla_takes_our_flags_and_those_of_the_user_count_more(own):
    """XLA ends Python at a flag that it does not know; of a flag that is given twice, the last one counts."""
    program = "import os, course_utils, jax; print(jax.numpy.ones(3).sum(), os.environ['XLA_FLAGS'])"
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "XLA_FLAGS": own}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3.0 ") and done.stdout.strip().endswith(own)


@pytest.mark.parametrize("own", ["", "tensorfloat32"])
def test_matrix_products_have_all_digits_unless_the_user_wants_fewer(own):
    program = "import jax, course_utils; print(jax.config.jax_default_matmul_precision)"
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    env |= {"JAX_DEFAULT_MATMUL_PRECISION": own} if own else {}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (own or "highest")
