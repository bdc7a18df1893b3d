"""Run lessons from top to bottom in fresh kernels and store them with clean outputs.

    python tools/run_notebooks.py [01_one_hot_toy …]      without a name: all lessons
"""

import base64
import io
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

import links

WIDGET = "application/vnd.jupyter.widget-view+json"


def peak_memory(pid):
    """The most memory that a process has held so far, in MB (None where the system has no /proc)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def smaller(png):
    """The same picture, base64 in and out, with at most 256 colours: figures need no more, and notebooks stay light."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(256)
    with io.BytesIO() as file:
        picture.save(file, format="PNG", optimize=True)
        return base64.b64encode(file.getvalue()).decode()


LETTERS = {"hat": " hat", "bar": " bar", "tilde": " tilde"}  # many voices leave the accents themselves out
HIGH = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
SYMBOLS = {
    **dict(alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ε", varepsilon="ε", theta="θ", lambda_="λ", mu="μ"),
    **dict(rho="ρ", sigma="σ", phi="φ", varphi="φ", Sigma="Σ", sum="Σ", partial="∂", nabla="∇", infty="∞", pm="±"),
    **dict(cdot="·", times="×", le="≤", ge="≥", leq="≤", geq="≥", ne="≠", approx="≈", to="→", mid="|", sim="~"),
    **dict(text="", mathrm="", mathbf="", mathcal=""),
    **dict(top="ᵀ", ldots="…", dots="…", ell="ℓ", Vert="‖", lVert="‖", rVert="‖", quad=" ", qquad=" ", sqrt="√"),
}


def plain(markdown):
    """Markdown with formulas as plain text, for those who hear a picture instead of seeing it."""
    signed = lambda formula: re.sub(r"\\text{[^{}]*}|-", lambda part: "−" if part[0] == "-" else part[0], formula[0])
    text = re.sub(r"\$[^$]+\$", signed, markdown)  # a hyphen before a letter is not spoken, a minus is
    text = re.sub(r"\\[td]?frac\s*(?:{([^{}]*)}|(\d))\s*(?:{([^{}]*)}|(\d))", r"\1\2/\3\4", text)
    for name, accent in LETTERS.items():
        text = re.sub(rf"\\{name}\s*(?:{{([^{{}}]*)}}|(\\?\w))", rf"\1\2{accent}", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda match: SYMBOLS.get(match[1].replace("lambda", "lambda_"), match[1]), text)
    text = re.sub(r"\^(?:{([\d−-]+)}|(\d))", lambda match: (match[1] or match[2]).translate(HIGH), text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\*+|[$`{}\\]|^> ?", "", text, flags=re.M)
    return " ".join(text.replace("x\u0302", "x hat").split())


def describe_pictures(notebook):
    """Give every picture the caption below it as alternative text, where MyST-NB and nbconvert look for it."""
    for i, cell in enumerate(notebook.cells):
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        if pictures:
            caption = next((later.source for later in notebook.cells[i + 1 :] if later.cell_type == "markdown"), "")
            alt = plain(caption.split("\n\n")[0])
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
            for picture in pictures:
                picture.metadata.setdefault("image/png", {})["alt"] = alt


def clean(notebook):
    """Remove from a notebook what would change with every run or machine; describe its pictures."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        kept = ("tags", "slideshow", "jupyter", "cellView")
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in kept}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)  # the text beside it stays
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
            if "metadata" in output:  # of a picture, the size at which it is shown
                output.metadata = {mime: output.metadata[mime] for mime in output.metadata if mime == "image/png"}
    describe_pictures(notebook)
    return notebook


def run(notebook, folder, kernel_name="python3", **kernel_options):
    """Run all cells of a notebook in `folder`; return the kernel's peak memory in MB. An error in a cell is raised."""
    peak = []
    client = NotebookClient(
        notebook, kernel_name=kernel_name, timeout=1800, coalesce_streams=True, resources={"metadata": {"path": str(folder)}}
    )

    def note_memory(**_):
        peak.append(peak_memory(client.km.provisioner.pid))

    client.on_cell_executed = note_memory
    client.execute(**kernel_options)
    return peak[-1] if peak else None


def warnings_in(notebook):
    """What cells wrote to stderr."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == "stderr")


def main(paths):
    """Run and store the notebooks; one that fails or warns stays as it was. Returns the number of failures."""
    os.environ["TQDM_DISABLE"] = "1"  # progress bars would leave traces in the outputs
    failures = 0
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        try:
            memory = run(notebook, path.parent)
            problem = warnings_in(notebook)
        except Exception as error:
            problem = str(error) or repr(error)
        if problem:
            failures += 1
            print(f"{path.name}: FAILED, left as it was\n{problem}", file=sys.stderr)
        else:
            path.write_text(nbformat.writes(clean(notebook)) + "\n", encoding="utf-8", newline="\n")
            print(f"{path.name}: {time.perf_counter() - start:.0f} s, at most {memory or float('nan'):.0f} MB", flush=True)
    return failures


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # not every console knows every letter
    sys.exit(main(links.lessons(sys.argv[1:])))
