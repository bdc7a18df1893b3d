"""Read whatever was handed in, and put it in order before it is graded.

What is graded is the student's answers in the released notebook: cells with tests and given cells are the released
ones, answers are found by their grade_id, or where a program has dropped it by cell id, name or place, and every
other cell stays behind the cell that it followed. Every repair is told in a sentence.
"""

import ast
import json
import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

MOST_MB = 200
NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


class Unreadable(Exception):
    """This is no notebook that could be graded; says why."""


def read(path):
    """The notebook in a file, without outputs and with nothing in its cells' metadata but ids and nbgrader's part."""
    if path.stat().st_size > MOST_MB * 2**20:
        raise Unreadable(f"the file is larger than {MOST_MB} MB")
    data = path.read_bytes()
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        told = json.loads(data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the file is not a complete notebook ({type(error).__name__})") from None
    try:
        if "worksheets" in told:  # a notebook of the time before 2015
            told = nbformat.convert(nbformat.from_dict(told), 4)
        cells = [cleaned(cell) for cell in told["cells"]]
    except Exception as error:
        raise Unreadable(f"the file is JSON, but not a notebook ({type(error).__name__})") from None
    if len(cells) > 2000 or sum(len(cell.source) for cell in cells) > 5_000_000:
        raise Unreadable("the notebook holds more than 2000 cells or 5 MB of text")
    return new_notebook(cells=cells)


def cleaned(cell):
    """A cell with its text, its nbgrader metadata and its id."""
    new = NEW.get(cell["cell_type"], new_raw_cell)(text(cell["source"]))
    name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
    new.metadata = {"grade_id": name, "old_id": cell.get("id")}
    if cell["cell_type"] == "markdown" and isinstance(cell.get("attachments"), dict):
        new["attachments"] = cell["attachments"]
    return new


def text(source):
    source = source if isinstance(source, str) else "".join(source)
    return source.replace("\r\n", "\n").encode("utf-8", "replace").decode()  # no half letters


TEXT = 20_000  # letters of a text that are kept; what shows Markdown takes long for more


def harmless(markdown):
    """A student's text with nothing in it that a browser would run or load: what would be a tag is shown as it stands."""
    markdown = re.sub(r"<(?=[A-Za-z/!?])", "< ", markdown)
    markdown = re.sub(r"&(?=#|\w+;)", "& ", markdown)
    markdown = re.sub(r"(?i)(script|data)(?=[\s\\]*:)", r"\1 ", markdown)
    return re.sub(r"!(?=\[)(?!\[[^\[\]]{0,300}\]\(\s*attachment:)", "", markdown)  # a picture from elsewhere becomes a link


def plain(source):
    """A source for comparison: spaces at the ends of lines do not count."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def named(released):
    """{grade_id: cell} of a released or source notebook, in its order."""
    return {cell.metadata.nbgrader.grade_id: cell for cell in released.cells if "nbgrader" in cell.metadata}


def defined(source):
    """The first name that the cell defines at its top level, as far as can be told from the text."""
    found = re.search(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=[^=]", source, re.M)
    return found and (found[1] or found[2])


def identify(cells, released):
    """Give cells that have lost their grade_id one again, where it is clear which; return the names found so."""
    parts, found = named(released), []
    names = [cell.metadata["grade_id"] for cell in cells]
    ids = {cell.id: name for name, cell in parts.items()}
    same_order = [cell.cell_type for cell in cells] == [cell.cell_type for cell in released.cells]
    missing = {name: cell for name, cell in parts.items() if name not in names}
    for place, cell in enumerate(cells):
        if cell.metadata["grade_id"] in parts or not missing:
            continue
        name = ids.get(cell.metadata["old_id"])
        for other, part in missing.items():
            if plain(part.source) == plain(cell.source) and part.cell_type == cell.cell_type:
                name = name or other
            elif part.cell_type == cell.cell_type == "code" and not part.metadata.nbgrader.locked:
                if defined(part.source) and re.search(rf"^(?:def|class)?\s*{defined(part.source)}\b", cell.source, re.M):
                    name = name or other
        if name is None and same_order:
            name = released.cells[place].metadata.get("nbgrader", {}).get("grade_id")
        if name in missing:
            cell.metadata["grade_id"] = name
            del missing[name]
            found.append(name)
    return found


def parses(source):
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def joined(pieces, part):
    """An answer that is spread over several cells: the cell that is graded, and those that run before it."""
    if part.cell_type == "code" and all(parses(piece.source) for piece in pieces):
        return pieces[-1], pieces[:-1]
    whole = "\n".join(piece.source for piece in pieces)
    if part.cell_type == "code" and not parses(whole):
        return pieces[-1], pieces[:-1]
    pieces[-1].source = whole
    return pieces[-1], []


def repair(submitted, released):
    """The notebook to grade, and a list of sentences about what was changed."""
    parts, notes = named(released), []
    cells = submitted.cells
    if lost := identify(cells, released):
        notes.append(f"These cells had lost their label and were recognised: {', '.join(lost)}.")
    order = list(parts)
    last_test = {name: place for place, cell in enumerate(cells) if (name := cell.metadata["grade_id"]) in parts}
    answers = {name: [] for name in parts}  # the student's cells for each part
    others = {name: [] for name in (None, *parts)}  # cells without a name, behind the one that they followed
    behind = None
    for place, cell in enumerate(cells):
        name = cell.metadata["grade_id"]
        if name not in parts:
            others[behind].append(cell)
            continue
        tests = next((n for n in order[order.index(name) + 1 :] if parts[n].metadata.nbgrader.locked), None)
        if answers[name] and not parts[name].metadata.nbgrader.locked and place > last_test.get(tests, len(cells)):
            notes.append(f"A copy of {name} below its tests does not count.")
            others[behind].append(cell)
            continue
        answers[name].append(cell)
        behind = name
    result = others[None]
    for name, part in parts.items():
        mine, new = answers[name], nbformat.from_dict(part)
        if part.metadata.nbgrader.locked:
            kind = "tests" if part.metadata.nbgrader.grade else "given cell"
            if not mine:
                notes.append(f"The {kind} {name} was missing and has been put back.")
            elif any(plain(cell.source) != plain(part.source) or cell.cell_type != part.cell_type for cell in mine):
                notes.append(f"The {kind} {name} had been changed and has been restored.")
            elif len(mine) > 1:
                notes.append(f"Of several copies of the {kind} {name} one is used.")
        elif not mine:
            notes.append(f"The answer {name} is missing.")
        else:
            if len(mine) > 1:
                notes.append(f"The answer {name} stood in {len(mine)} cells; they were taken together, in their order.")
            if any(cell.cell_type != part.cell_type for cell in mine):
                notes.append(f"The answer {name} had been turned into another kind of cell.")
            answer, before = joined(mine, part)
            new.source = answer.source
            if "attachments" in answer and part.cell_type == "markdown":
                new["attachments"] = answer["attachments"]
            result += before
        result += [new, *others[name]]
    ours = {cell.source for cell in released.cells}
    for place, cell in enumerate(result):
        if "nbgrader" not in cell.metadata:
            cell.metadata = {}
        if cell.cell_type == "raw":  # a page would hold it as it is
            cell = result[place] = new_markdown_cell(cell.source)
        if cell.cell_type == "markdown" and cell.source not in ours:
            cell.source = harmless(cell.source[:TEXT])
    repaired = new_notebook(cells=result, metadata=released.metadata)
    for number, cell in enumerate(repaired.cells):
        cell["id"] = f"cell-{number}"
    return repaired, notes


def belongs_to(submitted, released):
    """Of {assignment: released notebook}, the name of the one that a notebook is a solution of, or None."""
    names = {cell.metadata["grade_id"] for cell in submitted.cells}
    sources = {plain(cell.source) for cell in submitted.cells}

    def score(notebook):
        parts = named(notebook)
        texts = {plain(cell.source) for cell in notebook.cells if len(cell.source) > 40}
        return len(names & set(parts)) / len(parts) + len(sources & texts) / len(texts)

    best = max(released, key=lambda name: score(released[name]))
    return best if score(released[best]) > 0.3 else None
