"""Find out what was handed in by whom, in a folder or a zip as an LMS writes it."""

import os
import re
import shutil
import time
import zipfile
from pathlib import Path

from homework import repair

MOST_FILES, UNPACKED_MB = 20_000, 5000


def unpack(archive, folder, depth=2, left=None):
    """Unpack a zip, and those in it, into a folder. Returns sentences about what was left out."""
    said, left = [], left or {"files": MOST_FILES, "bytes": UNPACKED_MB * 2**20}  # for all of them together
    try:
        with zipfile.ZipFile(archive) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
            left["files"] -= len(entries)
            left["bytes"] -= sum(entry.file_size for entry in entries)
            if min(left.values()) < 0:
                return [f"{archive.name}: more than {MOST_FILES} files or {UNPACKED_MB} MB, left out"]
            for entry in entries:
                if entry.filename.count("/") > 20:
                    said.append(f"{entry.filename[:100]}…: too many folders")
                    continue
                if not entry.flag_bits & 0x800:  # some programs write UTF-8 and do not say so
                    try:
                        entry.filename = entry.filename.encode("cp437").decode()
                    except UnicodeError:
                        pass
                try:
                    path = Path(file.extract(entry, folder))
                    when = time.mktime((*entry.date_time, 0, 0, -1))
                    os.utime(path, (when, when))
                except Exception as error:  # a damaged entry, a name that the file system does not bear
                    said.append(f"{entry.filename}: cannot be unpacked ({type(error).__name__})")
                    continue
                if path.suffix.lower() == ".zip" and depth:
                    said += unpack(path, path.with_suffix(""), depth - 1, left)
                    path.unlink()
    except Exception as error:  # a damaged zip, names that are no text, a method that zipfile does not know
        said.append(f"{archive.name}: cannot be unpacked ({type(error).__name__})")
    return said


def notebooks(folder):
    """The notebooks below a folder as (path, path relative to the folder with /), without checkpoints and the like.

    A single folder with several notebooks in it holds everybody's, unless they are called hw1, hw2, …: then it is a
    student's.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() == ".ipynb" and path.is_file() and not path.is_symlink():
            if not any(part.startswith((".", "__MACOSX")) for part in inside.parts):
                found.append((path, inside.as_posix()))
    parents = {path.parent for path, _ in found}
    if len(found) > 1 and len(parents) == 1:
        a_students = all(re.fullmatch(r"(?i)hw\d+", path.stem) for path, _ in found)
        return [(path, f"{path.parent.name}/{path.name}" if a_students else path.name) for path, _ in found]
    return found


def look(path, released):
    """(assignment, None) of a file that can be graded, else (None, why not)."""
    try:
        name = repair.belongs_to(repair.read(path), released)
    except repair.Unreadable as error:
        return None, str(error)
    return name, None if name else "it is not a notebook of this homework"


def choose(found, names, looked, only=None):
    """Decide what counts. found: [(path, inside)]; looked: {path: what `look` said} → ({(student, assignment): file}, said).

    A file is {"path", "problem", "when"}. Of several notebooks of a student for an assignment the newest counts.
    """
    chosen, said = {}, []
    assignments = [only] if only else names.assignments
    for path, inside in found:
        told = names.collect(inside)
        assignment, problem = looked[path]
        guess = next((name for name in names.assignments if re.search(rf"(?i)(?<![a-z0-9]){name}(?!\d)", inside)), None)
        if problem:
            assignment = only if only and guess in (None, only) else guess or only
            if assignment is None:
                said.append(f"{inside}: {problem}; of which assignment it should be is not known")
                continue
        if assignment not in assignments:
            if only and guess in (None, only):  # handed in for this assignment, by its name
                problem, assignment = f"it is a notebook of {assignment}", only
            else:
                continue
        stamp, when = told["timestamp"], path.stat().st_mtime
        try:
            when = time.mktime(time.strptime(stamp, "%Y%m%d%H%M%S")) if stamp else when
        except (ValueError, OverflowError):  # no date
            stamp = None
        new = {"path": path, "problem": problem, "when": when, "stamp": stamp}
        old = chosen.get(key := (told["student_id"], assignment))
        if old is None or (not problem, when) >= (not old["problem"], old["when"]):
            chosen[key] = new
        if old:
            left = old["path"] if chosen[key] is new else path
            said.append(f"{told['student_id']}: several notebooks for {assignment}; {left.name} does not count")
    return chosen, said


def store(file, destination):
    """Copy what was handed in to nbgrader's place for it, and the time when it was handed in, if that is known."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    time_file, target = file["path"].parent / "timestamp.txt", destination.parent / "timestamp.txt"
    if file["path"].resolve() == destination.resolve():
        return
    new = destination.with_suffix(".new")
    shutil.copyfile(file["path"], new)
    new.replace(destination)
    if file["stamp"]:
        target.write_text(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(file["when"])), encoding="utf-8")
    elif time_file.is_file() and time_file.stat().st_size < 100:
        shutil.copyfile(time_file, target)
