"""Run a notebook in a kernel that may do what it likes, and judge its test cells."""

import asyncio
import copy
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_output

from homework import observe, sandbox

HIDDEN = re.compile(r"^[ \t]*#+ *BEGIN HIDDEN TESTS.*?^[ \t]*#+ *END HIDDEN TESTS[^\n]*\n?", re.M | re.S)
OUTPUT_MB = 10  # what one cell may put out; of text, TEXT letters are kept
TEXT = 20_000
DEATHS = 4  # how often a kernel is started anew


class Flood(Exception):
    """A cell puts out too much."""


def measured(stats):
    """What sandbox.py has measured so far."""
    try:
        return json.loads(stats.read_text(encoding="utf-8"))
    except OSError:
        return {"peak_mb": 0, "computed": 0, "ended": None}


class Client(NotebookClient):
    """nbclient, which stops a cell that puts out too much, notices `exit()`, and is patient on a machine that is busy."""

    def __init__(self, notebook, stats, **options):
        patience = {"startup_timeout": 300, "iopub_timeout": 120, "raise_on_iopub_timeout": True}
        super().__init__(notebook, on_cell_executed=self.look_for_exit, allow_errors=True, **patience, **options)
        self.stats = stats

    def begin(self):
        self.received, self.began, self.computed = 0, time.monotonic(), measured(self.stats)["computed"]

    async def _async_handle_timeout(self, timeout, cell=None):
        computed = measured(self.stats)["computed"] - self.computed
        if computed < timeout and time.monotonic() - self.began < 5 * timeout:
            await asyncio.sleep(1)
            return None  # it goes on waiting
        return await super()._async_handle_timeout(timeout, cell)

    def look_for_exit(self, execute_reply, **_):
        if any(payload.get("source") == "ask_exit" for payload in execute_reply["content"].get("payload", [])):
            raise DeadKernelError("exit() was called")

    def process_message(self, msg, cell, cell_index):
        self.received += len(str(msg["content"]))
        if self.received > OUTPUT_MB * 2**20:
            raise Flood
        if msg["msg_type"].startswith(("comm", "update_display_data")):  # widgets; what would change a cell that is done
            return None
        msg["content"].pop("transient", None)
        return super().process_message(msg, cell, cell_index)


class KernelManager(AsyncKernelManager):
    """Starts kernels through sandbox.py, over sockets in a private folder."""

    def __init__(self, folder, **options):
        super().__init__(**options)
        self.transport = "ipc" if os.name == "posix" else "tcp"
        self.connection_file = os.path.join(folder, "kernel.json")
        argv = [sys.executable, sandbox.__file__, "{connection_file}"]
        self._kernel_spec = KernelSpec(argv=argv, display_name="Homework", language="python")
        self.context.setsockopt(zmq.MAXMSGSIZE, 2 * OUTPUT_MB * 2**20)


def nbgrader(cell):
    return cell.metadata.get("nbgrader", {})


def is_test(cell):
    return cell.cell_type == "code" and nbgrader(cell).get("grade", False) and not nbgrader(cell).get("solution", False)


def hidden_tests(source):
    """The hidden region of a test cell; empty if there is none."""
    return "\n".join(HIDDEN.findall(source))


def failure(name, text):
    return new_output("error", ename=name, evalue=text, traceback=[f"\x1b[0;31m{name}\x1b[0m: {text}"])


def error_of(cell):
    return next((output for output in cell.outputs if output.output_type == "error"), None)


class Run:
    """One notebook in one kernel after another: what kills a kernel is left out in the next.

    After `asyncio.run(run.execute())` the cells of `notebook` have their outputs, and there are `observed`
    ({name of a test cell: what its hidden tests sent}), `peak_mb`, `seconds` and `notes`, a list of sentences.
    """

    def __init__(self, notebook, limits=sandbox.LIMITS, shut_in=True, cache=None, fill_cache=False):
        self.notebook, self.limits = notebook, limits
        self.settings = {"sandbox": shut_in, "limits": limits, "fill_cache": fill_cache}
        self.settings["cache"] = str(cache) if cache else None
        self.observed, self.notes, self.peak_mb, self.seconds = {}, [], 0, 0

    async def execute(self):
        start = time.monotonic()
        self.deadline = start + self.limits["notebook_seconds"]
        killers, died = {}, None
        for _ in range(DEATHS):
            for cell in self.notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = [failure("NotRun", "this cell was not reached")]
            died = await self.attempt(killers)
            if died is None:
                break
            number, name, text = died
            if number is None:
                continue
            killers[number] = failure(name, text)
            self.notes.append(f"Cell {number + 1} ended the kernel ({text}); the others were run again without it.")
        if died and died[0] is None:
            raise RuntimeError(f"no kernel could be started: {died[2]}")
        self.seconds = time.monotonic() - start
        return self

    async def attempt(self, killers):
        """Run all cells but the killers in a new kernel; return None, or (number, name, reason) of a cell that ended it.

        The number is None if the kernel did not even start.
        """
        with tempfile.TemporaryDirectory(prefix="hw") as folder:
            sockets, stats = Path(folder, "k"), Path(folder, "stats")
            sockets.mkdir()
            setting = json.dumps(self.settings | {"stats": str(stats)})
            manager = KernelManager(str(sockets))
            client = Client(self.notebook, stats, km=manager)
            number, ended = None, None
            try:
                await client.async_start_new_kernel(env=os.environ | {"HOMEWORK_KERNEL": setting}, cwd=folder)
                await client.async_start_new_kernel_client()
                for number, cell in enumerate(self.notebook.cells):
                    if cell.cell_type != "code":
                        continue
                    if number in killers:
                        cell.outputs = [copy.deepcopy(killers[number])]
                        continue
                    if time.monotonic() > self.deadline:
                        self.notes.append(f"The notebook took more than {self.limits['notebook_seconds']} s.")
                        return None
                    client.timeout = self.limits["cell_seconds"]
                    await self.run_cell(client, cell, number)
                    if self.settings["sandbox"] and sandbox.strangers(sockets, manager.connection_file):
                        raise DeadKernelError(sandbox.STRANGERS)  # now: sandbox.py may see it when a later cell runs
            except (DeadKernelError, RuntimeError) as error:
                reason = str(error) if str(error) == sandbox.STRANGERS else "the kernel's process ended"
                ended = number, "KernelDied", reason
            except (CellTimeoutError, TimeoutError):
                ended = number, "TimeOut", f"it took more than {self.limits['cell_seconds']} s"
            except Flood:
                ended = number, "TooMuchOutput", f"it put out more than {OUTPUT_MB} MB"
            except Exception as error:  # what the kernel sent cannot be read
                ended = number, "KernelFailed", f"its messages cannot be read: {type(error).__name__}"
            finally:
                if client.kc is not None:
                    client.kc.stop_channels()
                if manager.has_kernel:
                    await manager.shutdown_kernel(now=True)
            told = measured(stats)
            self.peak_mb = max(self.peak_mb, told["peak_mb"])
            return (*ended[:2], told["ended"]) if ended and told["ended"] else ended

    async def run_cell(self, client, cell, number):
        """Run a cell, of a test cell the visible part, and if that is passed the hidden one."""
        visible = new_code_cell(HIDDEN.sub("", cell.source) if is_test(cell) else cell.source)
        await self.send(client, visible, number)
        hidden = hidden_tests(cell.source) if is_test(cell) else ""
        cell.outputs = visible.outputs
        if hidden and error_of(visible) is None:
            await self.send(client, new_code_cell(observe.CODE), number)
            tests = new_code_cell(hidden)
            await self.send(client, tests, number)
            sent = [o.data[observe.MIME] for o in tests.outputs if observe.MIME in o.get("data", {})]
            self.observed[nbgrader(cell)["grade_id"]] = sent
            if error := error_of(tests):
                text = f"A hidden test stopped with {error.ename[:40]}"  # what it says might tell the test
                cell.outputs = cell.outputs + [failure("HiddenTest", text)]
        cell.outputs = [output for output in map(tidy, cell.outputs) if output]

    async def send(self, client, cell, number):
        """Execute a cell that need not be in the notebook, in the place of cell `number`."""
        there = self.notebook.cells[number]
        client.begin()
        try:
            whole = 5 * self.limits["cell_seconds"] + 120  # also for a kernel that keeps nbclient busy with its messages
            await asyncio.wait_for(client.async_execute_cell(cell, number, store_history=False), whole)
        finally:
            self.notebook.cells[number] = there


def tidy(output):
    """An output with nothing in it that a browser would run, and not too long; None for what cannot be shown."""
    if output.output_type == "error":
        lines = [shorten(line, TEXT // 10) for line in output.traceback[-20:]]
        return new_output("error", ename=output.ename[:100], evalue=shorten(output.evalue, 1000), traceback=lines)
    if output.output_type == "stream":
        return new_output("stream", name=output.name, text=shorten(output.text))
    data = {mime: text for mime, text in output.get("data", {}).items() if isinstance(text, str)}
    kept = {"text/plain": shorten(data["text/plain"])} if "text/plain" in data else {}
    if re.fullmatch(r"[A-Za-z0-9+/=\s]+", data.get("image/png", "")):
        kept["image/png"] = data["image/png"]
    return new_output("display_data", kept) if kept else None


def shorten(text, most=TEXT):
    return text if len(text) <= most else text[:most] + " … (shortened)"


def judge(run, reference):
    """Write into every test cell whether its hidden tests are passed; `reference` is {test cell: what was sent}.

    Afterwards a test cell holds an error if and only if its part is not solved.
    """
    for cell in run.notebook.cells:
        if not is_test(cell):
            continue
        for output in cell.outputs:
            if output.output_type == "stream":
                output["name"] = "stdout"  # to nbgrader stderr is a failed test
        wanted = reference.get(nbgrader(cell)["grade_id"], [])
        if error_of(cell) is None and wanted:
            sent = run.observed.get(nbgrader(cell)["grade_id"], [])
            if number := observe.first_difference(sent, wanted):
                text = f"hidden test {min(number, len(wanted))} of {len(wanted)} gives another result than it should"
                cell.outputs.append(failure("HiddenTest", text))
