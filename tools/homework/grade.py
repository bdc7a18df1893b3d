"""Grade a class: collect, repair, run, judge, write feedback and tables. What is graded already is not graded again."""

import ctypes
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader

from homework import collect, plugins, sandbox

CHILD_MB = 3000  # what reading and writing one notebook may take


def nbgrader_api(course, options=None):
    """nbgrader's API with the course's configuration; `options` go to SandboxedExecute."""
    config = PyFileConfigLoader("nbgrader_config.py", str(course)).load_config()
    config.SandboxedExecute.update(options or {})
    logging.getLogger("traitlets").handlers = [logging.NullHandler()]
    warnings.filterwarnings("ignore", module="nbgrader|sqlalchemy")
    return NbGraderAPI(config=config, log_level="INFO")


def alone(function, arguments, channel):
    """What a process of its own does: it ends with its parent, and cannot take all memory."""
    if sys.platform.startswith("linux"):
        import resource

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        resource.setrlimit(resource.RLIMIT_DATA, (CHILD_MB * 2**20, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    try:
        channel.send((function(*arguments), None))
    except BaseException as error:
        channel.send((None, f"{type(error).__name__}: {str(error)[:500]}"))
    finally:
        channel.close()


def each_alone(function, tasks, workers, seconds):
    """Call function(*arguments) for {name: arguments}, each in its own process; yield (name, result, error) as they end."""
    context = multiprocessing.get_context("fork" if sys.platform.startswith("linux") else "spawn")
    waiting, running = list(tasks.items()), {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                name, arguments = waiting.pop(0)
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=alone, args=(function, arguments, sender))
                process.start()
                sender.close()
                running[receiver] = name, process, time.monotonic() + seconds
            for receiver in multiprocessing.connection.wait(list(running), timeout=1):
                name, process, _ = running.pop(receiver)
                try:
                    result, error = receiver.recv()
                except (EOFError, OSError):
                    result, error = None, "its process was ended"
                process.join()
                yield name, result, error
            for receiver, (name, process, deadline) in list(running.items()):
                if time.monotonic() > deadline:
                    process.kill()
                    del running[receiver]
                    yield name, None, f"it took more than {seconds} s"
    finally:
        for _, process, _ in running.values():
            process.kill()


def scores(gradebook, assignment, student):
    """(points, highest points, a text that changes with every grade and comment), or None if nothing is stored."""
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return None
    grades = [[g.name, g.score, g.needs_manual_grade] for notebook in submission.notebooks for g in notebook.grades]
    comments = [[c.name, c.comment] for notebook in submission.notebooks for c in notebook.comments]
    return submission.score, submission.max_score, json.dumps([sorted(grades), sorted(comments, key=str)])


def grade_one(course, options, assignment, student, problem, key):
    """Grade what lies in submitted/ for one student; the result is also kept in the state folder."""
    os.chdir(course)
    api = nbgrader_api(course, options)
    result = {"student": student, "key": key, "problem": problem, "notes": [], "scores": None}
    start = time.monotonic()
    if problem is None:
        path = Path("submitted", student, assignment, f"{assignment}.ipynb")
        result["problem"] = collect.look(path, {assignment: plugins.released_notebook(assignment)})[1]
    if result["problem"] is None:
        told = api.autograde(assignment, student)
        run = plugins.SandboxedExecute.last
        if not told["success"] or run is None:
            log = told.get("log", "") + told.get("error", "")
            plugins.write(state_of(course, assignment, student, "log"), log)
            result["problem"] = f"it could not be graded; see {state_of('', assignment, student, 'log')}"
        else:
            result["notes"] = plugins.Repair.notes + run.notes
            result |= {"peak_mb": round(run.peak_mb), "running": round(run.seconds, 1)}
            feedback(course, options, assignment, student, result)
    result["seconds"] = round(time.monotonic() - start, 1)
    plugins.write(state_of(course, assignment, student, "student"), json.dumps(result, ensure_ascii=False))
    return result


def feedback(course, options, assignment, student, result):
    """Write the feedback page for a student whose notebook is graded."""
    os.chdir(course)
    api = nbgrader_api(course, options)
    told = api.generate_feedback(assignment, student)
    if not told["success"]:
        result["notes"] = [*result["notes"], "The feedback page could not be written."]
    with Gradebook(api.coursedir.db_url) as gradebook:
        result["scores"] = scores(gradebook, assignment, student)
    plugins.write(state_of(course, assignment, student, "student"), json.dumps(result, ensure_ascii=False))
    return result


def state_of(course, assignment, student, kind):
    return Path(course, ".grading", assignment, f"{student}.{kind}.{'txt' if kind == 'log' else 'json'}")


def known(course, assignment, student):
    try:
        return json.loads(state_of(course, assignment, student, "student").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def prepare(course, options, assignment):
    """Tell nbgrader about the assignment, and run the reference solution, if the source is new. Returns its points."""
    os.chdir(course)
    api = nbgrader_api(course, options)
    path, source = Path(".grading", assignment, "released"), Path("source", assignment, f"{assignment}.ipynb")
    key = plugins.digest(source)
    if not path.exists() or path.read_text(encoding="utf-8") != key or not Path("gradebook.db").exists():
        told = api.generate_assignment(assignment)
        if not told["success"]:
            raise RuntimeError(told.get("log", "") + told["error"])
        plugins.write(path, key)
    plugins.SandboxedExecute(parent=api).reference(assignment)


def tables(course, assignment):
    os.chdir(course)
    with Gradebook(nbgrader_api(course).coursedir.db_url) as gradebook:
        plugins.Parts(assignment=[assignment]).export(gradebook)


def say(text):
    """Print what holds names that students chose: no control codes."""
    print("".join(letter if letter.isprintable() else "?" for letter in text), flush=True)


def collected(course, submissions, only, workers):
    """Put what was handed in into submitted/. Returns {(student, assignment): why it cannot be graded, or None}."""
    with tempfile.TemporaryDirectory() as unpacked:
        folder = submissions
        if submissions.is_file():
            folder = Path(unpacked, "zip")
            folder.mkdir()
            for sentence in collect.unpack(submissions, folder):
                say(sentence)
        elif (submissions / "submitted").is_dir():
            folder = submissions / "submitted"
        assignments = assignments_of(course)
        released = {name: plugins.released_notebook(name, course) for name in assignments}
        found = collect.notebooks(folder)
        tasks = {path: (path, released) for path, _ in found}
        looked = {path: result or (None, error) for path, result, error in each_alone(collect.look, tasks, workers, 120)}
        names = plugins.Names(assignments=assignments, parent=nbgrader_api(course))
        chosen, said = collect.choose(found, names, looked, only)
        for sentence in said:
            say(sentence)
        for (student, assignment), file in chosen.items():
            collect.store(file, Path(course, "submitted", student, assignment, f"{assignment}.ipynb"))
        return {key: file["problem"] for key, file in chosen.items()}


def assignments_of(course):
    return sorted(path.stem for path in Path(course).glob("source/*/*.ipynb") if path.stem == path.parent.name)


def grade(course, submissions=None, only=None, workers=None, options=None):
    """Grade everything that is new; returns the number of notebooks that could not be graded."""
    course, options = Path(course).resolve(), options or {}
    workers = workers or max(1, (os.cpu_count() or 2) // 2)
    if only and only not in assignments_of(course):
        sys.exit(f"There is no assignment {only}. The assignments are: {', '.join(assignments_of(course))}")
    if options.get("sandboxed", True):
        secrets = [course, sandbox.ROOT / "notebooks", sandbox.ROOT / "tests", *([submissions] if submissions else [])]
        if wrong := sandbox.probe(secrets):
            sys.exit(
                f"NOT GRADED: {wrong}.\nWithout the sandbox a student's code runs with all your rights: it can read and "
                "change your files,\nthe grade book and other submissions, and use your network. If that is what you want "
                "(a throw-away machine,\nor people you trust), add SANDBOX=off to make, or --no-sandbox to the program."
            )
    else:
        print("WARNING: no sandbox. Students' code runs with all your rights, on your files and your network.")
    problems = collected(course, Path(submissions).resolve(), only, workers) if submissions else {}
    handed_in = [(p.parents[1].name, p.parent.name) for p in sorted(course.glob("submitted/*/*/*.ipynb"))]
    handed_in = [entry for entry in handed_in if entry[1] in ([only] if only else assignments_of(course))]
    used = sorted({assignment for _, assignment in handed_in})
    for name, _, error in each_alone(prepare, {name: (course, options, name) for name in used}, 1, 1800):
        if error:
            sys.exit(f"{name}: the reference solution cannot be run.\n{error}")
    new, changed = {}, {}
    with Gradebook(nbgrader_api(course).coursedir.db_url) as gradebook:
        for student in sorted({student for student, _ in handed_in}):  # here, not by two processes at the same time
            gradebook.update_or_create_student(student)
        for student, assignment in handed_in:
            file = course / "submitted" / student / assignment / f"{assignment}.ipynb"
            source = course / "source" / assignment / f"{assignment}.ipynb"
            key, old = plugins.digest(file, source) + json.dumps(options), known(course, assignment, student)
            problem = problems.get((student, assignment), old.get("problem") if old.get("key") == key else None)
            stored = None if problem else scores(gradebook, assignment, student)
            if old.get("key") != key or old.get("problem") != problem or not (problem or stored):
                new[student, assignment] = (course, options, assignment, student, problem, key)
            elif not problem and stored != tuple(old["scores"] or ()):
                changed[student, assignment] = (course, options, assignment, student, old)
    print(f"{len(handed_in)} notebooks, {len(handed_in) - len(new)} of them graded already.")
    failed, limit = 0, (sandbox.LIMITS | options.get("limits", {}))["notebook_seconds"] + 900
    for number, ((student, assignment), result, error) in enumerate(each_alone(grade_one, new, workers, limit), 1):
        if error:
            result = {"student": student, "key": "", "problem": f"it could not be graded ({error})", "notes": []}
            plugins.write(state_of(course, assignment, student, "student"), json.dumps(result, ensure_ascii=False))
        told = result["problem"] or f"{result['scores'][0]:g} of {result['scores'][1]:g} points, {result['seconds']} s"
        failed += bool(result["problem"])
        say(f"{number:4}/{len(new)}  {assignment}  {student}: {' '.join([told, *result['notes']])}")
    for _ in each_alone(feedback, changed, workers, 120):
        pass
    if changed:
        print(f"{len(changed)} feedback pages written anew, because a person has changed points or comments.")
    for assignment, _, error in each_alone(tables, {name: (course, name) for name in used}, 1, 600):
        print(f"{course / 'grades' / assignment}: {error or 'grades.csv, moodle.csv, canvas.csv'}")
    print(f"{course / 'feedback'}: a page for each student")
    if failed:
        print(f"{failed} could not be graded; the reasons stand above and in grades.csv.")
    return failed
