"""Feedback as plain text with a safe bit of Markdown: bold, italic, code, lists.

`tame` makes what a model wrote harmless whatever renders it, without relying on where a renderer thinks that code
begins and ends: `<` never touches what could be a tag, and `]` never what could be a target. Nothing is escaped,
so it reads the same as plain text, and code stays code: `vector< int>` and `a[i] [j]` mean what they meant.
"""

import re
from typing import Final

from pipeline.prompting.visible import visible

_TAG_START: Final = re.compile(r"<(?=[A-Za-z/!?$%{])")
_LINK_JOINT: Final = re.compile(r"\](?=[(\[])|!(?=\[)")
_DEFINITION: Final = re.compile(r"^([^\S\n]*(?:(?:[-*+>]|\d+[.)])[^\S\n]+)*\[[^\]\n]*\]):", re.MULTILINE)
_LIST_MARKS: Final = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*")
_HEADING: Final = re.compile(r"^(?:#{1,6}(?:\s+|$))+")
_QUOTED: Final = re.compile(r"^(?:>\s?)+(?=[^\W\d])")
_QUOTE_SIGNS: Final = re.compile(r"^(?:>\s*)+")
_WORDLESS: Final = re.compile(r"[\s\-=_*|:+>#]*$")
_FENCE: Final = re.compile(r"^(\s*)(`{3,}|~{3,})(.*)$")
_MATHS_COMMAND: Final = re.compile(r"\\(?=(?:href|url|includegraphics|html\w*|input|include|def|require)\b)")
_INFO: Final = frozenset(
    {
        "bash", "c", "cpp", "csharp", "css", "go", "haskell", "html", "java", "javascript", "js", "json", "kotlin",
        "php", "py", "python", "r", "ruby", "rust", "scala", "sh", "sql", "swift", "text", "toml", "ts", "typescript",
        "xml", "yaml",
    }
)  # fmt: skip
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


def tame(text: str) -> str:
    """`text` with nothing unseen and only the safe bit of Markdown; what else there was stays as plain words."""
    lines = _lines(visible(text).strip("\n").rstrip().expandtabs(4))
    joined = _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n").rstrip()
    return _defused(joined)


def _lines(text: str) -> list[str]:
    """The lines with headings, rules, tables and quotes undone outside of code, and code closed at the end."""
    out: list[str] = []
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match and not fence:
            fence = match.group(2)
            out.append(match.group(1) + fence + _language(match.group(3)))
        elif match and _closes(match, fence):
            fence = ""
            out.append(line.rstrip())
        else:
            out.append(line if fence else _plain_line(line))
    return [*out, *([fence] if fence else [])]


def _plain_line(line: str) -> str:
    """A line without what makes it a heading, a rule, a part of a table or a quote, also inside a list."""
    start = 0
    while not _WORDLESS.match(line, start := _end_of_marks(line, start)):
        rest = line[start:]
        bare = _HEADING.sub("", _QUOTED.sub("", rest, count=1), count=1) if rest[0] in "#>" else rest
        if bare == rest:
            return (line[:start] + _QUOTE_SIGNS.sub(_as_words, rest, count=1) if rest[0] == ">" else line).rstrip()
        line = line[:start] + bare
    return ""


def _end_of_marks(line: str, start: int) -> int:
    """Where the marks of list items end that stand at `start`."""
    marks = _LIST_MARKS.match(line, start)
    return marks.end() if marks else start


def _as_words(signs: re.Match[str]) -> str:
    """Signs of a quote that stand before a number or a sign: they compare, so they stay, as others."""
    return signs.group().replace(">", "›")


def _closes(match: re.Match[str], fence: str) -> bool:
    return match.group(2)[0] == fence[0] and len(match.group(2)) >= len(fence) and not match.group(3).strip()


def _language(info: str) -> str:
    """The language of a code block where it is one that only colours it: diagrams and the like can hold links."""
    named = info.strip().lower()
    return named if named in _INFO else ""


def _defused(text: str) -> str:
    spaced = _LINK_JOINT.sub(lambda joint: f"{joint.group()} ", _TAG_START.sub("< ", text))
    return _MATHS_COMMAND.sub("", _DEFINITION.sub(r"\1 :", spaced))
