"""What becomes of each thing in a file: taken as a question, or left with a reason."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pipeline.errors import FieldProblem, InvalidInput

Document = dict[str, Any]
"""A question in the JSON of `pipeline.scoring.bank`, or some of its fields."""

MAX_FILE_BYTES: Final = 64 * 1024 * 1024


class Taken(NamedTuple):
    """A question that passes the bank's checks; `notes` name what of its source could not be taken along."""

    where: str
    question: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Left(NamedTuple):
    """Something that was not taken. `where` is its place in the file, in words."""

    where: str
    reason: str


Item = Taken | Left


class Found(NamedTuple):
    """A question as a reader found it, without its id: that depends on the whole file.

    `told_id` is an id that the source gives on purpose, `name` a title that may be anything.
    """

    where: str
    fields: Document
    notes: tuple[str, ...] = ()
    told_id: str = ""
    name: str = ""
    category: tuple[str, ...] = ()


class Unreadable(InvalidInput):
    """The file as a whole is of no format known here, broken, or hostile; the text says which."""

    def __init__(self, reason: str) -> None:
        super().__init__([FieldProblem("", reason)])


class NotTakenError(Exception):
    """This one item cannot be a question of ours; the text is the reason."""
