"""How `make lab` starts JupyterLab: `jupyter lab --config=tools/lab_config.py`."""

import os
from pathlib import Path

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelspec import get_kernel_dict
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

# What JAX has compiled once it finds again the next time a lesson is run (lesson 10 then took a fifth of its processor time,
# lesson 00, which measures loops, four fifths). The key is the program itself, with the versions and the kind of processor,
# so a changed line is compiled anew. `make clean` empties it.
KEPT = Path(__file__).resolve().parent.parent / "build" / "jax-cache"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(KEPT))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")  # small programs, too: there are hundreds


class Contents(AsyncLargeFileManager):
    """Opens notebooks with the details of this Python, down to its version, which the stored ones do not hold.

    JupyterLab would add them as soon as the kernel has started, and then ask to save a notebook that nobody changed.
    """

    async def get(self, path, *args, **kwargs):
        model = await super().get(path, *args, **kwargs)
        if model["type"] == "notebook" and model["content"]:
            metadata = model["content"]["metadata"]
            if metadata.get("kernelspec", {}).get("name") == "python3":
                kernel = get_kernel_dict()
                metadata["kernelspec"] |= {"display_name": kernel["display_name"], "language": kernel["language"]}
                metadata["language_info"] = dict(IPythonKernel.language_info)
        return model


c.ServerApp.contents_manager_class = Contents  # noqa: F821, Jupyter provides c
c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"  # noqa: F821
