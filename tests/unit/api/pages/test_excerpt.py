"""What questions ask, short enough for a list."""

import pytest

from api.pages.excerpt import excerpt


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("Which\n\nis\tright?", "Which is right?"),
        ("What is `None`?", "What is None?"),
        ("What does this print?\n```python\na = 1\n```", "What does this print? …"),
        ("Given\n```\na\n```\nwhat is `a`?", "Given … what is a?"),
        ("Twice ```a``` and ```b```", "Twice … and …"),
        ("Never closed:\n```sql\nSELECT 1", "Never closed: …"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```a = 1```", "a = 1"),
        ("What does a ` do in a shell?", "What does a ` do in a shell?"),
        ("``````", "``````"),
        ("", ""),
    ],
)
def test_an_excerpt_is_words_on_one_line(prompt: str, shown: str) -> None:
    assert excerpt(prompt, 100) == shown


def test_an_excerpt_is_no_wider_than_asked() -> None:
    assert excerpt("자료구조 " * 20, 11) == "자료구조 …"
