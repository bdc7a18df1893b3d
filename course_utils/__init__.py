"""What the lessons have derived, ready to import: data, losses, training, plots and checks."""

import importlib.metadata
import os

# On a CPU, jaxlib 0.7 and 0.8 multiply by a matrix that they have seen before at the same place in memory, instead of
# the new one that lies there now: `x @ (2 * W)`, in a loop over several W, is wrong now and then. The fault is in the
# library XNNPACK, or in how it is called; without it all is right. It was seen in 0.7.2 and 0.8.1, not in 0.9.0 and
# 0.10.2. The flag counts if it is set before JAX computes for the first time. tests/test_training.py tries it.
if tuple(map(int, importlib.metadata.version("jaxlib").split(".")[:2])) < (0, 9):
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_use_xnnpack=false"
