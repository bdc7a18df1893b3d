"""What the lessons have derived, ready to import: data, losses, training, plots and checks."""

import importlib.metadata
import importlib.util
import os

import jax

# Flags of XLA count if they are set before JAX computes for the first time. What a user has set counts more.
_jaxlib = tuple(map(int, importlib.metadata.version("jaxlib").split(".")[:2]))
_flags = []

# On a CPU, jaxlib 0.7 and 0.8 multiply by a matrix that they have seen before at the same place in memory, instead of
# the new one that lies there now: `x @ (2 * W)`, in a loop over several W, is wrong now and then. The fault is in the
# library XNNPACK, or in how it is called; without it all is right. It was seen in 0.7.2 and 0.8.1, not in 0.9.0 and
# 0.10.2. tests/test_training.py tries it.
if _jaxlib < (0, 9):
    _flags.append("--xla_cpu_use_xnnpack=false")

# On a CPU, LLVM's first level of optimisation (the default is the third) saves 6 to 30 % of the time to compile a
# lesson. With jaxlib 0.10.2 what it compiles ran as fast, and gave the same bits in three trainings; in those of lesson
# 15 it rounds otherwise, as another machine may. With 0.7.2 it ran 5 % slower. Where a GPU may be at hand, nothing was
# measured, so nothing is changed. A flag that a release does not know would end Python: hence the upper bound.
if (0, 9) <= _jaxlib < (0, 11) and importlib.util.find_spec("jax_plugins") is None:
    _flags.append("--xla_backend_optimization_level=1")

os.environ["XLA_FLAGS"] = " ".join([*_flags, os.environ.get("XLA_FLAGS", "")])

# By default, newer GPUs and TPUs round what they multiply in a matrix product, to 11 or 8 significant bits in place of
# float32's 24. Lessons compare with more digits than that: on an H200, lesson 04's two ways to write the same network
# differed by 4e-4. On a CPU this changes nothing.
if jax.config.jax_default_matmul_precision is None:  # what a user has chosen counts more
    jax.config.update("jax_default_matmul_precision", "highest")
