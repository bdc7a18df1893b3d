"""The scoreboard of the site: the numbers of the lessons that stand beside published ones, from stored outputs."""

import re

# ✓ what: value (expected low to high; source), as `within` prints it.
WITHIN = re.compile(
    r"^✓ (?P<what>.*): (?P<ours>\S+) \(expected (?P<low>\S+?)(?: to |–)(?P<high>[^;]+?)(?:; (?P<source>.*))?\)$"
)
PUBLISHED = re.compile(r"\b(published|printed|example)\b|\b(1[6-9]|20)\d\d\b")  # names a publication or its year
REPEATED = re.compile(r"\b(seeds?|runs?|starts?|networks|exact)\b")
SECONDS = re.compile(r"\b(?:trained in|after) ([\d.]+) ?s(?:econds)?\b")


def slug(heading):
    """The anchor that MyST gives to a heading."""
    text = re.sub(r"[$*`]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def scores(notebook):
    """The lines of `within` that stand beside a published number: dicts of texts.

    `what`, `ours`, `low`, `high`, `published`, `repeated` (over how many seeds the bounds hold), `seconds` (of the
    training that the same section prints; "" if none does), `section`.
    """
    found, heading, seconds = [], "", ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for text in re.findall(r"^## (.*)$", "".join(cell["source"]), re.M):
                heading, seconds = text, ""
        for output in cell.get("outputs", []):
            printed = "".join(output.get("text", ""))
            seconds = (SECONDS.findall(printed) or [seconds])[-1]
            for match in filter(None, map(WITHIN.match, printed.splitlines())):
                clauses = (match["source"] or "").split("; ")
                published = [clause for clause in clauses if PUBLISHED.search(clause)]
                if published:
                    repeated = [clause for clause in clauses if REPEATED.search(clause) and clause not in published]
                    row = {key: match[key] for key in ("what", "ours", "low", "high")}
                    texts = {"published": "; ".join(published), "repeated": "; ".join(repeated)}
                    found.append(row | texts | {"seconds": "", "section": heading})
        for row in found:
            if row["section"] == heading:
                row["seconds"] = seconds
    return found


SCOREBOARD = """\
# Scoreboard

Every number of the lessons that stands beside a published one. This page is made from the stored outputs of the
notebooks: whoever runs a lesson gets the line again, and the cell fails if the number leaves its range. *Seconds* are
those that the section prints for its training, on the computer that stored the outputs; where it prints none, none
stand here. *Bounds from* says over how many seeds or runs the range was found, where the line says it.

| lesson | what | ours | range | published | bounds from | seconds |
|---|---|---:|---|---|---|---:|
"""


def page(lessons):
    """The page, from {name: notebook}."""
    text = SCOREBOARD
    for name, notebook in lessons.items():
        for row in scores(notebook):
            what, published, repeated = (row[key].replace("|", r"\|") for key in ("what", "published", "repeated"))
            place = f"[{name[:2]} · {row['section']}](notebooks/{name}.ipynb#{slug(row['section'])})"
            text += f"| {place} | {what} | {row['ours']} | {row['low']} to {row['high']} | {published} "
            text += f"| {repeated or '–'} | {row['seconds'] or '–'} |\n"
    return text
