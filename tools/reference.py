"""The reference of the package on the site: from its docstrings, as Markdown for MyST; nothing is imported."""

import ast
import re


def prose(docstring):
    """A docstring as Markdown: lines like `name   what it is` become a list of definitions."""
    blocks = []
    for block in re.split(r"\n\s*\n", docstring or ""):
        lines = block.splitlines()
        names = [re.match(r"(\w+(?:, \w+)*) {2,}(\S.*)", line) for line in lines]
        if names[0] and all(name or line.startswith("  ") for name, line in zip(names, lines)):
            entries = [
                f"`{name[1]}`\n: {escaped(name[2])}" if name else f"  {escaped(line.strip())}"
                for name, line in zip(names, lines)
            ]
            blocks.append("\n".join(entries).replace("\n`", "\n\n`"))
        elif block.startswith("    "):
            blocks.append("```python\n" + "\n".join(line.removeprefix("    ") for line in lines) + "\n```")
        else:
            blocks.append(escaped(block))
    return "\n\n".join(blocks)


def escaped(text):
    """No letter of a sentence is Markdown, but what stands in backticks is code."""
    parts = re.split(r"(`[^`\n]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<\[\]$\\~])", r"\\\1", part) for part in parts)


def described(kind, name, node, docstring, body=""):
    arguments = ast.unparse(node.args) if node else ""
    arguments = re.sub(r"^self(, )?", "", arguments)
    fence = "`" * (5 if kind in ("class", "exception") else 4)  # a class holds its methods, a text may hold code
    return f"{fence}{{py:{kind}}} {name}({arguments})\n\n{prose(docstring)}\n\n{body}{fence}\n\n"


def page(path):
    """The page about one module of the package, from its docstrings; nothing is imported."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    name = f"course_utils.{path.stem}"
    text = f"# {path.stem}\n\n```{{py:module}} {name}\n```\n\n{prose(ast.get_docstring(module))}\n\n"
    for node in module.body:
        public = not getattr(node, "name", "_").startswith("_")
        if public and isinstance(node, ast.FunctionDef):
            text += described("function", node.name, node, ast.get_docstring(node))
        elif public and isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            start = next((method for method in methods if method.name == "__init__"), None)
            shown = [m for m in methods if ast.get_docstring(m) and not m.name.startswith("_")]
            body = "".join(described("method", m.name, m, ast.get_docstring(m)) for m in shown)
            error = any("Error" in ast.unparse(base) or "Exception" in ast.unparse(base) for base in node.bases)
            text += described("exception" if error else "class", node.name, start, ast.get_docstring(node), body)
    return text


def overview(package, modules):
    """The page about the package (its __init__.py), with a line for each of its modules."""
    docstring = lambda path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    text = f"# The package\n\n{prose(docstring(package))}\n\n| module | what is in it |\n|---|---|\n"
    for path in modules:
        text += (
            f"| [{path.stem}]({path.stem}.md) | {escaped(' '.join(docstring(path).split(chr(10) * 2)[0].split()))} |\n"
        )
    return text
