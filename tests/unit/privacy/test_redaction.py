"""What leaves for a model holds nothing private, and comes back as it was."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.privacy.redaction import redact, redact_each, restore, showable

PRIVATE = {
    "email": [
        "ada.l+notes@example.co.kr",
        "bob@exämple.de",
        "ｋｉｍ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "用户@例子.公司",
        "me_2@mail.example.museum",
    ],
    "card": [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "3782 822463 10005",
        "378282246310005",
        "6011 1111 1111 1117",
        "４１１１ １１１１ １１１１ １１１１",
        "4222222222222",
    ],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "fr1420041010050500013m02606"],
    "phone": [
        "+82 10-1234-5678",
        "+1 (555) 123-4567",
        "+49 (0) 30 123456",
        "+491701234567",
        "0049 170 1234567",
        "010-1234-5678",
        "01012345678",
        "02-123-4567",
        "090-1234-5678",
        "03-1234-5678",
        "(03) 1234-5678",
        "０９０ー１２３４ー５６７８",
        "13812345678",
        "138-1234-5678",
        "0755-12345678",
        "(555) 123-4567",
        "555-123-4567",
        "1-555-123-4567",
        "0170 1234567",
        "0170/1234567",
        "030 1234567",
        "(0221) 12 34 56",
    ],
    "secret": [
        "sk-proj-abcDEF1234567890abcd",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_1",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEabcdefghijklmnop\nqrst==\n-----END RSA PRIVATE KEY-----",
    ],
    "name": ["Ada Lovelace", "ADA", "lovelace", "김민수", "王小明"],
}
NAMES = ("Ada Lovelace", "김민수", "王小明")
EVERY = [(kind, original) for kind, originals in PRIVATE.items() for original in originals]

NOT_PRIVATE = [
    "in 1990-2000, on 2024-01-15 and 01-02-2003, 12:30:45",
    "3.14159 and 2,718,281.82 and 1e10 and 6.02214076e23",
    "192.168.0.1:8080 and 2001:db8::1 and 10.0.0.0/8",
    "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, ISSN 2049-3630",
    "550e8400-e29b-41d4-a716-446655440000",
    "12345678-1234-4234-8234-123456789012",
    "d41d8cd98f00b204e9800998ecf8427e",
    "1700000000, 1700000000000, 9007199254740991, 18446744073709551616",
    "4111111111111112 is no card, 4222222222222.5 neither",
    "0101 0101 1100 0011 and 01010101010",
    "1 1 2 3 5 8 13 21 34 55 89 144 233",
    "2011 2012 2013 2014",
    "13800000000 years, 299792458 m/s, 1500000 people",
    "the password is required and the token is a word; secret: none",
    "x = 555-123-45678; y = a+491701234567",
    "sk-learn-is-a-great-library for task-management-and-more",
    "@app.route and @someone and a@b",
    "김민수학 is another word, Adam and lovelaces as well",
    "v1.2.3-beta.4+build.5, 4.15.0-112-generic",
]

CODE = [
    "x = 4111111111111111  # not quoted: a number",
    "y = W1@x.sum() + A@B.T + q@k.mT - a@b.to(device)",
    "@app.route('/')\ndef index(): ...",
    "git clone git@github.com:ada/notes.git",
    "MAX = 10; url = f'postgres://{user}:{password}@db/x'  # or postgres://user:<password>@db/x",
    "password = input(); token = tokens[i]; secret = random.randint(1, 10); api_key = os.environ['API_KEY']",
    "login(password=next_password2, token=token_of_user1)",
    "if password == 'letmein': pass",
    "n = 13812345678 + 555-123-4567 - 010123",
    "def ada(x): return ada(x - 1)\nclass Ada(Base): pass\nself.Ada = Ada.of(3)",
    "area = 3.14159 * r ** 2",
    "for i in [4111, 1111, 1111, 1111]: print(0x7fffffff, 1_000_000, 1e-9)",
    "const at = /^[^@]+@[^@]+$/.test(s);",
]


@pytest.mark.parametrize(("kind", "original"), EVERY)
@pytest.mark.parametrize("around", ["{}", "It is {}, really.", "여기 {} 있음", "我的：{}。好", "({})", "a\n{}\nb"])
def test_what_is_private_does_not_leave_and_comes_back(kind: str, original: str, around: str) -> None:
    text = around.format(original)
    redacted = redact(text, NAMES, programming=False)
    assert redacted.text == around.format(f"[{kind}-1]")
    assert restore(redacted.text, redacted.originals) == text


@pytest.mark.parametrize("text", NOT_PRIVATE)
def test_what_only_looks_private_stays(text: str) -> None:
    assert redact(text, NAMES, programming=False).text is text


@pytest.mark.parametrize("text", CODE)
def test_code_and_its_numbers_stay(text: str) -> None:
    assert redact(text, ("Ada Lovelace", "Max"), programming=True).text is text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('mail = "ada@example.com"', 'mail = "[email-1]"'),
        ("luhn('4111 1111 1111 1111')", "luhn('[card-1]')"),
        ("phone = '13812345678'  # tel: 555-123-4567", "phone = '[phone-1]'  # tel: [phone-2]"),
        ("# by Ada Lovelace, +82 10-1234-5678", "# by [name-1], [phone-1]"),
        ("key = 'sk-abcdefghij0123456789'", "key = '[secret-1]'"),
        ('password = "hunter2-and-more"', 'password = "[secret-1]"'),
        ("connect('postgres://u:hunter2@db/x')", "connect('postgres://u:[secret-1]@db/x')"),
    ],
)
def test_what_is_private_in_code_does_not_leave_either(text: str, left: str) -> None:
    assert redact(text, ("Ada Lovelace",), programming=True).text == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=letmein!", "password=[secret-1]!"),
        ("Password: hunter22", "Password: [secret-1]"),
        ("비밀번호는 qwer1234", "비밀번호는 [secret-1]"),
        ("密码是abc12345", "密码是[secret-1]"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [secret-1]"),
        ("api_key = 'A1B2C3D4'", "api_key = '[secret-1]'"),
    ],
)
def test_of_a_secret_only_its_value_is_hidden(text: str, left: str) -> None:
    assert redact(text, programming=False).text == left


def test_an_area_code_may_end_in_half_a_bracket() -> None:
    assert redact("회사 02)123-4567, (02)123-4567", programming=False).text == "회사 [phone-1], [phone-2]"


@pytest.mark.parametrize(
    "text", ["phone 555 123 4567", "Tel. 030 12 34 56 78", "call me: 5551234567", "手机号 1391234567"]
)
def test_a_word_before_it_makes_a_number_a_telephone(text: str) -> None:
    assert len(redact(text, programming=False).originals) == 1


def test_a_name_is_found_in_any_case_width_and_composition() -> None:
    text = "ada, ＡＤＡ, Jose\u0301, JOSÉ, \u1100\u1175\u11b7\u1106\u1175\u11ab\u1109\u116e는, 김민수입니다, 김민수씨께"
    redacted = redact(text, ("Ada", "José", "김민수"), programming=False)
    assert redacted.text == "[name-1], [name-2], [name-3], [name-4], [name-5]는, [name-6]입니다, [name-6]씨께"
    assert restore(redacted.text, redacted.originals) == text


def test_a_name_that_is_a_word_too_counts_when_it_is_written_as_a_name() -> None:
    assert redact("Will it? I will. Mark the mark", ("Will", "Mark"), programming=False).text == (
        "[name-1] it? I will. [name-2] the mark"
    )


def test_single_letters_are_no_names() -> None:
    assert redact("A is a vowel, 김 is a name", ("A", "김", "b.", ""), programming=False).originals == {}


def test_equal_originals_have_one_placeholder_and_numbers_go_in_order() -> None:
    text = "b@x.org, a@x.org, b@x.org, 010-1234-5678"
    assert redact(text, programming=False).text == "[email-1], [email-2], [email-1], [phone-1]"


def test_answers_that_differ_only_in_what_is_private_leave_as_the_same() -> None:
    ada = redact("Ada (ada@x.org, 010-1111-2222): O(n)", ("Ada",), programming=False)
    bob = redact("Jun (jun@y.kr, 010-3333-4444): O(n)", ("Jun",), programming=False)
    assert ada.text == bob.text
    reply = f"Well, {ada.text}"
    assert restore(reply, bob.originals) == "Well, Jun (jun@y.kr, 010-3333-4444): O(n)"


def test_a_placeholder_that_the_learner_wrote_becomes_nobodys_data() -> None:
    text = "[email-1] [EMAIL-2] 【email–3】 me@example.com"
    redacted = redact(text, programming=False)
    assert redacted.text == "[email-1] [EMAIL-2] 【email–3】 [email-4]"
    assert restore(redacted.text, redacted.originals) == text
    assert restore("You wrote [email-1] and [email-9].", redacted.originals) == "You wrote [email-1] and [email-9]."


def test_several_texts_share_one_numbering() -> None:
    texts, originals = redact_each(["[email-1]", "a@x.org", "b@x.org a@x.org"], programming=False)
    assert texts == ("[email-1]", "[email-2]", "[email-3] [email-2]")
    assert dict(originals) == {"[email-2]": "a@x.org", "[email-3]": "b@x.org"}


@pytest.mark.parametrize(
    "rewritten",
    [
        "[email-1]",
        "[Email-1]",
        "［EMAIL-1］",
        "【email-1】",
        "[ email - 1 ]",
        "[email–1]",
        "[email_1]",
        "\\[email-1\\]",
        "[email-１]",
    ],
)
def test_a_placeholder_survives_how_models_rewrite_it(rewritten: str) -> None:
    assert restore(f"Write to {rewritten}!", {"[email-1]": "a@x.org"}) == "Write to a@x.org!"


def test_an_original_that_looks_like_a_placeholder_is_not_put_back_twice() -> None:
    text = "password=[email-7] a@x.org"
    redacted = redact(text, programming=False)
    assert restore(redacted.text, redacted.originals) == text


def test_originals_do_not_show_when_a_redaction_is_printed() -> None:
    assert "a@x.org" not in f"{redact('a@x.org', programming=False)!r}"


@pytest.mark.parametrize(
    "text",
    [
        'password="<svg/onload=alert(1)>"',
        "password=[x](https://evil.example/1)",
        '"<b>"@example.com',
        "-----BEGIN PRIVATE KEY-----\n<script>\n-----END PRIVATE KEY-----",
        "I am <img/src=x>",
        "token: `https://evil.example/1`",
        "passwort ist www.evil.example/1",
    ],
)
def test_nothing_that_could_do_harm_is_put_back_for_people(text: str) -> None:
    redacted = redact(text, ("<img/src=x>",), programming=False)
    assert redacted.originals
    assert restore(redacted.text, showable(redacted.originals)) == redacted.text


def test_what_is_harmless_is_put_back_for_people() -> None:
    text = "Ada (ada@x.org) +82 10-1234-5678 password: hunter2"
    redacted = redact(text, NAMES, programming=False)
    assert restore(redacted.text, showable(redacted.originals)) == text


pieces = st.one_of(
    st.sampled_from([original for _, original in EVERY]),
    st.sampled_from(
        ["[email-1]", "[", "]", "\\[", "［name-2］", "[phone-", "1]", "password=", "Bearer ", "tel: ", "+", "00"]
    ),
    st.text(max_size=12),
    st.text(alphabet="0123456789 -+().@/:=\"'abAB[]", max_size=24),
)


@given(st.lists(pieces, max_size=8).map("".join), st.booleans())
def test_restoring_undoes_redacting_whatever_the_text(text: str, programming: bool) -> None:
    redacted = redact(text, NAMES, programming=programming)
    assert restore(redacted.text, redacted.originals) == text
    if not redacted.originals:
        assert redacted.text is text


@given(
    st.lists(
        st.tuples(st.sampled_from(EVERY), st.sampled_from([" ", "\n", ", ", " and ", "；", " 그리고 "])),
        min_size=1,
        max_size=6,
    )
)
def test_no_original_of_a_known_kind_survives(parts: list[tuple[tuple[str, str], str]]) -> None:
    text = "".join(f"{separator}{original}{separator}" for (_, original), separator in parts)
    redacted = redact(text, NAMES, programming=False)
    for (_, original), _ in parts:
        assert original not in redacted.text


HOSTILE = [
    "1 ",
    "@",
    "a@a.",
    "(0",
    "+1 ",
    "0-",
    "[email-",
    "eyJa.",
    "-----BEGIN PRIVATE KEY-----x",
    "password=",
    "4111 ",
    "\u0301",
    "김",
    "Ada ",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_the_text_not_with_its_square(unit: str) -> None:
    def seconds(chars: int) -> float:
        started = time.process_time()
        redact((unit * (chars // len(unit) + 1))[:chars], NAMES, programming=False)
        return time.process_time() - started

    few = min(seconds(10_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(2)) < 24 * few + 0.05, "eight times the text; its square would be 64"


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("source", ["semeval", "ads_zh"])
def test_nothing_is_found_in_answers_of_real_learners(source: str, data_folder: Path) -> None:
    lines = (data_folder / source / "submissions.ndjson").read_text(encoding="utf-8").splitlines()
    answers = [text for line in lines for answer in json.loads(line)["answers"] for text in strings(answer["response"])]
    assert len(answers) > 1000
    found = [r for text in answers for flag in (False, True) if (r := redact(text, programming=flag)).originals]
    assert found == []
