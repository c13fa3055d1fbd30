"""What commands print."""

import pytest

from cli.output import counted, harmless, print_table


@pytest.mark.parametrize(("number", "said"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1000, "1000 lines")])
def test_one_thing_is_not_spoken_of_as_many(number: int, said: str) -> None:
    assert counted(number, "line") == said


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain 글 \N{FAMILY}\u200d!", "plain 글 \N{FAMILY}\u200d!"),
        ("a\tb\r\nc", "a\tb\nc"),
        ("\x1b[31mred\x07\x9b", "\\x1b[31mred\\x07\\x9b"),
        ("\u202egnp.exe\u2069", "\\x202egnp.exe\\x2069"),
        ("over\rwritten", "over\\x0dwritten"),
    ],
)
def test_what_others_wrote_commands_no_terminal(written: str, shown: str) -> None:
    assert harmless(written) == shown


def test_what_stands_in_a_line_stays_in_it() -> None:
    assert harmless("a\nb\tc", in_line=True) == "a\\nb\\tc"


def test_a_cell_of_a_table_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["learner"], [["ada\x1b[2J"]])
    assert capsys.readouterr().out.splitlines()[1].rstrip() == "ada\\x1b[2J"
