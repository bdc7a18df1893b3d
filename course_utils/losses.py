"""Losses in one convention: summed over the dimensions of an example, averaged over the batch.

Every function takes arrays of shape [batch, ...] and returns one number. The likelihoods are in nats per example;
with the squared error it is squared units of the data per example. Lesson 02 derives the first three, lesson 09 the
KL and the ELBO, lesson 11 the importance-weighted bound.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np


def _per_example(x):
    """Sum over everything but the batch axis: [batch, ...] → [batch]."""
    return jnp.sum(x, axis=tuple(range(1, x.ndim)))


def _same_shape(**arrays):
    shapes = {name: jnp.shape(array) for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError("the shapes differ: " + ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()))
    if len(next(iter(shapes.values()))) < 2:
        raise ValueError(f"need [batch, ...] arrays, but the shape is {list(next(iter(shapes.values())))}")
    return [_as_float(array) for array in arrays.values()]


def _as_float(array):
    """Whole numbers as float32: uint8 would wrap around at 255, and int32 overflow. Floats keep their type."""
    array = array if isinstance(array, (jax.Array, np.ndarray)) else jnp.asarray(array)
    return jnp.asarray(array, None if jnp.issubdtype(array.dtype, jnp.floating) else jnp.float32)


def check_pixels(name, x, slack=1e-3):
    """Raise ValueError if x has values outside [0, 1] by more than `slack`. While JAX traces, x has no values yet."""
    if not isinstance(x, jax.core.Tracer) and np.size(x):
        low, high = float(np.asarray(x).min()), float(np.asarray(x).max())
        if not (-slack <= low and high <= 1 + slack):
            advice = "; divide pixels from 0 to 255 by 255" if 1 < high <= 255 and low >= 0 else ""
            raise ValueError(f"{name} must lie between 0 and 1, but it goes from {low:.4g} to {high:.4g}{advice}")


def squared_error(x, x_hat):
    """Squared error per example: mean over the batch of Σ (x − x̂)².

    x, x_hat: [batch, ...]; whole numbers are taken as float32. Raises ValueError if the shapes differ (broadcasting
    would hide the mistake).
    """
    x, x_hat = _same_shape(x=x, x_hat=x_hat)
    return jnp.mean(_per_example((x - x_hat) ** 2))


def gaussian_nll(x, x_hat, sigma=1.0):
    """Negative log-likelihood of x under N(x̂, σ²I), in nats per example.

    Σ (x − x̂)² / 2σ² + (D/2) log 2πσ² with D dimensions per example. x, x_hat: float [batch, ...]; sigma: one
    positive number, the standard deviation. Raises ValueError if the shapes differ. Bishop 2006, eq. 1.54.
    """
    dimensions = math.prod(jnp.shape(x)[1:])
    return squared_error(x, x_hat) / (2 * sigma**2) + dimensions / 2 * jnp.log(2 * jnp.pi * sigma**2)


def bernoulli_nll(x, logits):
    """Negative log-likelihood of x under Bernoulli(sigmoid(logits)), in nats per example: the binary cross-entropy.

    Computed from logits as Σ softplus(logit) − x · logit, which stays finite where log(sigmoid(·)) does not.
    x: float [batch, ...] in [0, 1]; logits: float [batch, ...]. For grey x it is a cross-entropy whose minimum is
    the entropy of x, not 0. Raises ValueError if the shapes differ or x lies outside [0, 1] (which cannot be seen
    inside a compiled function; there the loss would fall without end). Bishop 2006, eq. 4.90.
    """
    check_pixels("x", x)
    x, logits = _same_shape(x=x, logits=logits)
    return jnp.mean(_per_example(jax.nn.softplus(logits) - x * logits))


def gaussian_kl(mu, log_var):
    """KL(N(μ, σ²) ‖ N(0, I)) for diagonal Gaussians, in nats per example: ½ Σ (μ² + σ² − 1 − log σ²).

    mu, log_var: float [batch, d]; log_var is log σ², not log σ. Raises ValueError if the shapes differ.
    Kingma & Welling 2014, appendix B.
    """
    mu, log_var = _same_shape(mu=mu, log_var=log_var)
    return jnp.mean(_per_example(0.5 * (mu**2 + jnp.exp(log_var) - 1 - log_var)))


def elbo(x, logits, mu, log_var, beta=1.0):
    """Evidence lower bound of a VAE with Bernoulli pixels, in nats per example: log p(x|z) − β KL(q(z|x) ‖ p(z)).

    x: float [batch, ...] in [0, 1]; logits: float [batch, ...], decoded from one sample z of q for each example;
    mu, log_var: float [batch, d], the encoder's Gaussian. The larger the better: −elbo is the loss. With β = 1 its
    mean over z is a lower bound of log p(x) (for x that is 0 or 1). Raises ValueError if shapes do not fit.
    Kingma & Welling 2014, eq. 3; β: Higgins et al. 2017.
    """
    if len(x) != len(mu):
        raise ValueError(f"x holds {len(x)} examples, but mu holds {len(mu)}")
    return -bernoulli_nll(x, logits) - beta * gaussian_kl(mu, log_var)


def iwae_bound(log_weights):
    """Importance-weighted bound of log p(x), in nats per example: mean over the batch of log (1/k Σ w).

    log_weights: float [k, batch], log w = log p(x, z) − log q(z|x) for k samples z of q(z|x) per example. k = 1 gives
    the ELBO; on average the bound grows with k, towards log p(x). Raises ValueError for another shape.
    Burda, Grosse & Salakhutdinov 2016, eq. 8.
    """
    log_weights = jnp.asarray(log_weights)
    if log_weights.ndim != 2 or log_weights.size == 0:
        raise ValueError(f"log_weights must be [k, batch], not {list(log_weights.shape)}")
    return jnp.mean(jax.nn.logsumexp(log_weights, axis=0) - math.log(len(log_weights)))
