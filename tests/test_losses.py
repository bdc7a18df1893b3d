"""The losses against scipy's distributions, quadrature and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from course_utils.losses import bernoulli_nll, elbo, gaussian_kl, gaussian_nll, iwae_bound, squared_error

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


def test_whole_numbers_neither_wrap_around_nor_overflow():
    """uint8: 3 − 5 is 254, and 20² is 144; int32: 60,000² is too much."""
    bytes_a, bytes_b = np.array([[3, 20]], np.uint8), np.array([[5, 0]], np.uint8)
    assert float(squared_error(bytes_a, bytes_b)) == 4 + 400
    assert float(squared_error(jnp.asarray(bytes_a), jnp.asarray(bytes_b))) == 404
    np.testing.assert_allclose(squared_error(np.array([[60_000]]), np.array([[0]])), 3.6e9, rtol=1e-6)
    np.testing.assert_allclose(squared_error(np.array([[2**40]]), np.array([[2**40 + 2**30]])), 2.0**60, rtol=1e-6)
    assert float(squared_error(np.array([[True, False]]), np.array([[False, False]]))) == 1
    assert squared_error(jnp.ones((1, 2), jnp.bfloat16), jnp.ones((1, 2), jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("loss", [bernoulli_nll, lambda x, logits: elbo(x, logits, np.zeros((2, 1)), np.zeros((2, 1)))])
def test_bernoulli_pixels_outside_0_to_1_are_refused(loss):
    logits = np.zeros((2, 3), np.float32)
    for x in (np.full((2, 3), 255.0), np.full((2, 3), 255, np.uint8), jnp.full((2, 3), 7)):
        with pytest.raises(ValueError, match="between 0 and 1, but it goes from .* divide pixels from 0 to 255 by 255"):
            loss(x, logits)
    for x in (np.full((2, 3), -1.0), np.full((2, 3), 1.5e4), np.full((2, 3), np.nan)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            loss(x, logits)
    with pytest.raises(ValueError, match="between 0 and 1"):  # also where the logits are differentiated, and x is not
        jax.grad(lambda logits: loss(np.full((2, 3), 255.0), logits))(logits)
    for x in (np.ones((2, 3), np.uint8), np.ones((2, 3), bool), np.full((2, 3), 1 + 1e-6)):
        assert np.isfinite(loss(x, logits))
    assert np.isfinite(jax.jit(loss)(np.full((2, 3), 255.0), logits))  # not seen there


# --- The bounds of a VAE ----------------------------------------------------------------------------------------------


def test_elbo_is_likelihood_minus_kl():
    x, logits = RNG.uniform(size=(5, 7)), RNG.normal(size=(5, 7))
    mu, log_var = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))
    parts = float(bernoulli_nll(x, logits)), float(gaussian_kl(mu, log_var))
    np.testing.assert_allclose(elbo(x, logits, mu, log_var), -parts[0] - parts[1], rtol=1e-6)
    np.testing.assert_allclose(elbo(x, logits, mu, log_var, beta=4.0), -parts[0] - 4 * parts[1], rtol=1e-6)
    with pytest.raises(ValueError, match="5 examples, but mu holds 4"):
        elbo(x, logits, mu[:4], log_var[:4])


def test_elbo_is_a_lower_bound_whose_gap_is_the_kl_to_the_posterior():
    """One pixel, one code number: log p(x) by quadrature."""
    z = np.linspace(-10, 10, 20_001)
    dz, logits = z[1] - z[0], 2.0 * z - 0.5
    joint = stats.norm.pdf(z) / (1 + np.exp(-logits))  # x = 1
    evidence = np.log(joint.sum() * dz)
    mu, sigma = 0.4, 0.8
    q = stats.norm.pdf(z, mu, sigma)
    posterior = joint / np.exp(evidence)
    gap = np.sum(q * np.log(q / posterior)) * dz
    samples = RNG.normal(mu, sigma, 200_000)
    n = len(samples)
    bound = elbo(np.ones((n, 1)), (2.0 * samples - 0.5)[:, None], np.full((n, 1), mu), np.full((n, 1), 2 * np.log(sigma)))
    assert gap > 0.005
    np.testing.assert_allclose(bound, evidence - gap, atol=0.003)


def test_iwae_bound_is_the_mean_logarithm_of_the_mean_weight():
    log_weights = RNG.normal(size=(6, 4))
    np.testing.assert_allclose(iwae_bound(log_weights), np.log(np.exp(log_weights).mean(axis=0)).mean(), rtol=1e-5)
    np.testing.assert_allclose(iwae_bound(log_weights[:1]), log_weights[0].mean(), rtol=1e-5)
    np.testing.assert_allclose(iwae_bound(log_weights - 2000), iwae_bound(log_weights) - 2000, rtol=1e-6)  # no underflow
    np.testing.assert_allclose(iwae_bound(np.full((50, 3), -7.0)), -7, rtol=1e-6)


def test_iwae_bound_grows_with_k_towards_the_evidence():
    """Weights exp(s·n − s²/2) have mean 1, so log p = 0, and the ELBO is −s²/2."""
    s = 1.2
    log_weights = s * RNG.normal(size=(64, 20_000)) - s**2 / 2
    bounds = [float(iwae_bound(log_weights[:k])) for k in (1, 4, 16, 64)]
    assert bounds == sorted(bounds) and -0.05 < bounds[-1] < 0
    np.testing.assert_allclose(bounds[0], -(s**2) / 2, atol=0.04)


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (2, 3, 4)])
def test_iwae_bound_wants_k_times_batch(shape):
    with pytest.raises(ValueError, match=r"must be \[k, batch\]"):
        iwae_bound(np.zeros(shape))
