"""The losses against scipy's distributions, quadrature and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from course_utils.losses import bernoulli_nll, gaussian_kl, gaussian_nll, squared_error

RNG = np.random.default_rng(0)
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))


def draw(*shape):
    return RNG.normal(size=shape).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(SHAPES)
def test_squared_error_sums_over_dimensions_and_averages_over_the_batch(shape):
    x, x_hat = draw(*shape), draw(*shape)
    by_loops = sum(float((a - b) ** 2) for a, b in zip(x.ravel(), x_hat.ravel())) / shape[0]
    np.testing.assert_allclose(squared_error(x, x_hat), by_loops, rtol=1e-4)
    # the same batch twice is the same loss; the same dimensions twice is twice the loss
    np.testing.assert_allclose(squared_error(np.tile(x, (2, 1, 1)), np.tile(x_hat, (2, 1, 1))), by_loops, rtol=1e-4)
    np.testing.assert_allclose(squared_error(np.tile(x, 2), np.tile(x_hat, 2)), 2 * by_loops, rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(SHAPES, st.floats(0.1, 5))
def test_gaussian_nll_is_the_normal_density(shape, sigma):
    x, x_hat = draw(*shape), draw(*shape)
    expected = -stats.norm(x_hat.astype(float), sigma).logpdf(x).sum() / shape[0]
    np.testing.assert_allclose(gaussian_nll(x, x_hat, sigma), expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(SHAPES)
def test_bernoulli_nll_is_the_bernoulli_mass(shape):
    x, logits = (RNG.random(shape) < 0.5).astype(np.float32), 3 * draw(*shape)
    expected = -stats.bernoulli(1 / (1 + np.exp(-logits.astype(float)))).logpmf(x).sum() / shape[0]
    np.testing.assert_allclose(bernoulli_nll(x, logits), expected, rtol=1e-4, atol=1e-5)


def test_bernoulli_nll_stays_finite_at_large_logits_where_probabilities_break():
    x, logits = jnp.array([[0.0, 1.0]]), jnp.array([[200.0, -300.0]])
    naive = -jnp.log(1 - jax.nn.sigmoid(logits[0, 0]))
    assert float(bernoulli_nll(x, logits)) == 500.0 and not np.isfinite(naive)
    assert jax.grad(lambda logits: bernoulli_nll(x, logits))(logits).tolist() == [[1.0, -1.0]]


def test_bernoulli_nll_of_grey_targets_is_least_at_the_targets_and_equals_their_entropy():
    x = jnp.asarray(RNG.uniform(0.05, 0.95, (3, 4)), jnp.float32)
    logits = jnp.log(x / (1 - x))
    entropy = stats.bernoulli(np.asarray(x, float)).entropy().sum() / 3
    np.testing.assert_allclose(bernoulli_nll(x, logits), entropy, rtol=1e-5)
    np.testing.assert_allclose(jax.grad(lambda logits: bernoulli_nll(x, logits))(logits), 0, atol=1e-6)
    assert bernoulli_nll(x, logits + 0.3) > entropy


@pytest.mark.parametrize("mu, sigma", [(0.0, 1.0), (1.5, 0.5), (-0.3, 2.0)])
def test_gaussian_kl_equals_the_integral_that_defines_it(mu, sigma):
    q, p = stats.norm(mu, sigma), stats.norm()
    integral, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mu - 12 * sigma, mu + 12 * sigma)
    kl = gaussian_kl(np.full((7, 3), mu, np.float32), np.full((7, 3), 2 * np.log(sigma), np.float32))
    np.testing.assert_allclose(kl, 3 * integral, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", [squared_error, gaussian_nll, bernoulli_nll, gaussian_kl])
def test_gradients_equal_finite_differences(loss):
    fixed, moving = RNG.uniform(0.1, 0.9, (2, 3)), RNG.normal(size=(2, 3))
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        of_second = lambda flat: float(loss(jnp.asarray(fixed), jnp.asarray(flat.reshape(2, 3))))
        automatic = jax.grad(lambda moving: loss(jnp.asarray(fixed), moving))(jnp.asarray(moving))
        numeric = optimize.approx_fprime(moving.ravel(), of_second, 1e-7).reshape(2, 3)
        np.testing.assert_allclose(automatic, numeric, atol=1e-5)


@pytest.mark.parametrize("loss", [squared_error, gaussian_nll, bernoulli_nll, gaussian_kl])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"shapes differ: .*\[5, 3\].*\[5, 1\]"):
        loss(np.zeros((5, 3)), np.zeros((5, 1)))
    with pytest.raises(ValueError, match=r"\[batch, ...\]"):
        loss(np.zeros(5), np.zeros(5))
