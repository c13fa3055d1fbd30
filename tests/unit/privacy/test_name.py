"""Which names a submission's metadata tells."""

from pipeline.privacy.name import names_in


def test_names_are_known_from_the_usual_fields_and_from_a_person_within() -> None:
    metadata = {
        "display_name": "ada",
        "Student": {"First-Name": "Ada", "lastName": "Lovelace", "email": "ada@x.org"},
        "course": "maths",
        "name_of_course": "Analysis",
        "nickname": 7,
    }
    assert names_in(metadata) == ("ada", "Ada", "Lovelace", "Ada Lovelace", "Lovelace Ada", "LovelaceAda")


def test_without_such_fields_no_name_is_known() -> None:
    assert names_in({"colour": "red", "user": "u-17", "names": ["Ada"]}) == ()
