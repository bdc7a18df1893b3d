"""Start a kernel for a student's code inside bubblewrap, watch over it, and prove that it is shut in.

    python tools/homework/sandbox.py CONNECTION_FILE        what Jupyter starts; HOMEWORK_KERNEL holds settings as JSON

Inside, the file system is read-only and holds the system's and this Python's files and course_utils, nothing else of
the teacher's. Home, /tmp and /dev/shm are small, private and gone afterwards. There is no network, and no process but
the kernel's own. Jupyter speaks to the kernel through sockets in one private folder. From outside, this program ends
everything inside at once when all processes together use too much memory or are too many.
"""

import json
import os
import platform
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = "/home/student"
STRANGERS = "it wrote files among the kernel's sockets"
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of the system call
LIMITS = {
    "memory_mb": 4000,  # all processes of a kernel together
    "processes": 100,
    "file_mb": 100,  # one file
    "scratch_mb": 300,  # all files of each of the three places that can be written
    "cell_seconds": 60,  # of computing; of waiting, five times as much
    "notebook_seconds": 1200,
}


def bwrap(folder, cache=None, fill_cache=False, limits=LIMITS):
    """The bubblewrap command to put before what runs inside.

    `folder` is bound at its place and can be written: the sockets. `cache` holds matplotlib's list of
    fonts; it can be read, and only with `fill_cache`, for the reference solution, also written. (What JAX compiles is
    not kept: a student could run the reference solution's programs.)
    """
    words = "bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --hostname sandbox".split()
    places = [Path(f"/{name}") for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")]
    places += [Path("/etc", name) for name in ("ld.so.cache", "alternatives", "fonts", "localtime")]
    places += [Path(sys.base_prefix), Path(os.path.realpath(sys.executable)).parents[1], Path(sys.prefix)]
    size = str(limits["scratch_mb"] * 2**20)
    words += ["--size", size, "--tmpfs", "/tmp", "--size", size, "--tmpfs", HOME]  # first: the course may lie below
    for path in dict.fromkeys(places + [ROOT / "course_utils", ROOT / "data"]):
        if path.is_symlink() and len(path.parts) == 2:
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path), str(path)]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    words += ["--bind", str(folder), str(folder)]
    env = {"HOME": HOME, "USER": "student", "PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    env |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "TQDM_DISABLE": "1", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if cache:
        fonts = Path(cache, "matplotlib")
        if fill_cache:
            fonts.mkdir(parents=True, exist_ok=True)
            words += ["--bind", str(fonts), f"{HOME}/.cache/matplotlib"]
        for file in [] if fill_cache else fonts.glob("fontlist*"):
            words += ["--ro-bind", str(file), f"{HOME}/.cache/matplotlib/{file.name}"]
    for name, value in env.items():
        words += ["--setenv", name, value]
    return words + ["--chdir", HOME, "--remount-ro", "/"]


PROBE = """
import os, socket, sys
port, home, *secrets = sys.argv[1:]
wrong = [f"it can see {path}" for path in secrets if os.path.exists(path)]
try:
    socket.create_connection(("127.0.0.1", int(port)), 3)
    wrong.append("it reaches the network")
except OSError:
    pass
for path in ("/", "/usr", "/dev", os.path.dirname(os.__file__)):
    try:
        open(os.path.join(path, "homework-probe"), "w")
        wrong.append(f"it can write to {path}")
    except OSError:
        pass
if sum(name.isdigit() for name in os.listdir("/proc")) > 4:
    wrong.append("it sees other processes")
with open(os.path.join(home, "file"), "w"):
    pass
print("isolated" if not wrong else "; ".join(wrong))
"""


def probe(secrets):
    """Try the sandbox; return None if it isolates, else what is wrong. Of `secrets`, existing paths, it may see none."""
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian or Ubuntu: sudo apt install bubblewrap)"
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as folder:
        inside = [sys.executable, "-c", PROBE, str(server.getsockname()[1]), HOME, *map(str, secrets), __file__]
        try:
            told = subprocess.run([*bwrap(folder), *inside], capture_output=True, encoding="utf-8", timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap cannot be started: {error}"
    if told.stdout.strip() == "isolated":
        return None
    return f"bubblewrap does not isolate on this machine: {(told.stdout + told.stderr).strip() or told.returncode}"


def inside_limits(limits):
    """Set in the child, before bubblewrap starts: limits that hold for each process alone, and a keyring of its own."""
    import ctypes
    import resource

    if sys.platform.startswith("linux") and platform.machine() in KEYCTL:
        ctypes.CDLL(None).syscall(KEYCTL[platform.machine()], 1, None)  # KEYCTL_JOIN_SESSION_KEYRING, see keyctl(2)

    def limit(what, most):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))

    limit(resource.RLIMIT_FSIZE, limits["file_mb"] * 2**20)
    limit(resource.RLIMIT_CPU, limits["notebook_seconds"] * (os.cpu_count() or 1))
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 1024)
    if sys.platform.startswith("linux"):  # beyond what it may use, a process may reserve room for its threads
        limit(resource.RLIMIT_DATA, (limits["memory_mb"] + 64 * (os.cpu_count() or 1) + 1000) * 2**20)


def strangers(folder, connection_file):
    """Is there anything in the folder of the sockets but sockets and the connection file? It lies on the real disk."""
    others = [entry for entry in os.scandir(folder) if entry.path != connection_file]
    if os.path.lexists(connection_file):  # a kernel that ends takes it away
        told = os.lstat(connection_file)
        if not stat.S_ISREG(told.st_mode) or told.st_size > 10_000:
            return True
    if len(others) > 10:
        return True
    return any(not stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode) for entry in others)


def watch(connection_file):
    """Run the kernel and return its exit status. What was measured is kept in the file that the settings name."""
    import psutil

    settings = json.loads(os.environ.pop("HOMEWORK_KERNEL"))
    limits, folder = settings["limits"], os.path.dirname(connection_file)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file, "--HistoryManager.hist_file=:memory:"]
    environment = None
    if settings["sandbox"]:
        command = bwrap(folder, settings["cache"], settings["fill_cache"], limits) + command
    else:
        environment = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
    preexec = (lambda: inside_limits(limits)) if os.name == "posix" else None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
    kernel = subprocess.Popen(command, env=environment, preexec_fn=preexec, **quiet)
    parent, peak, computed, ended = os.getppid(), 0, 0, None
    while kernel.poll() is None:
        try:
            processes = psutil.Process(kernel.pid).children(recursive=True)
            used = sum(process.memory_info().rss for process in processes) / 2**20
            spent = sum(sum(process.cpu_times()[:4]) for process in processes)
        except psutil.Error:  # one has just ended
            time.sleep(0.01)
            continue
        if used > limits["memory_mb"]:
            ended = f"its processes used more than {limits['memory_mb']} MB of memory"
        elif len(processes) > limits["processes"]:
            ended = f"it started more than {limits['processes']} processes"
        elif settings["sandbox"] and strangers(folder, connection_file):
            ended = STRANGERS
        if used > peak or spent > computed + 0.5 or ended:
            peak, computed, new = max(peak, used), max(computed, spent), Path(settings["stats"] + ".new")
            new.write_text(json.dumps({"peak_mb": peak, "computed": computed, "ended": ended}), encoding="utf-8")
            new.replace(settings["stats"])
        if ended or os.getppid() != parent:
            break
        time.sleep(0.2)
    kernel.kill()  # and with it all that is inside
    return kernel.wait()


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1]))
