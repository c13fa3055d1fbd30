"""Settings that are lists or come in more than one part."""

import msgspec
import pytest

from pipeline.errors import SettingsError
from pipeline.settings import Settings, read_settings, variable_of


def test_origins_are_a_list_and_none_by_default() -> None:
    text = "https://school.example, http://localhost:3000,http://[::1]:8080,https://school.example"
    given = read_settings({"GRADELINE_CORS_ORIGINS": text})
    assert given.browser_origins == ("https://school.example", "http://localhost:3000", "http://[::1]:8080")
    assert read_settings({}).browser_origins == ()


@pytest.mark.parametrize(
    "text",
    ["*", "school.example", "https://school.example/", "https://*.example", "ftp://a.example", "https://A.example"],
)
def test_what_no_browser_sends_as_its_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="GRADELINE_CORS_ORIGINS"):
        read_settings({"GRADELINE_CORS_ORIGINS": f"https://good.example,{text}"})


def test_the_mix_of_recommendations_is_three_shares() -> None:
    assert read_settings({}).recommend_shares == (60, 20, 20)
    assert read_settings({"GRADELINE_RECOMMEND_MIX": "2/1/1"}).recommend_shares == (2, 1, 1)
    assert read_settings({"GRADELINE_RECOMMEND_MIX": "1/0/0"}).recommend_shares == (1, 0, 0)


@pytest.mark.parametrize(
    "text", ["49/26/25", "0/0/0", "60/40", "60/20/20/0", "60,20,20", "60/-20/60", "a/b/c", "6.0/2/2"]
)
def test_a_mix_that_is_none_or_gives_weaknesses_less_than_half_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="GRADELINE_RECOMMEND_MIX must"):
        read_settings({"GRADELINE_RECOMMEND_MIX": text})


def test_a_count_of_recommendations_has_its_limits() -> None:
    for count in ("0", "51", "many"):
        with pytest.raises(SettingsError, match="GRADELINE_RECOMMEND_COUNT"):
            read_settings({"GRADELINE_RECOMMEND_COUNT": count})


BAD_NUMBERS = {
    ("PORT", "abc"): "a whole number from 0 to 65535",
    ("PORT", "-1"): "a whole number from 0 to 65535",
    ("PORT", "65536"): "a whole number from 0 to 65535",
    ("PORT", "1e9"): "a whole number from 0 to 65535",
    ("API_POOL_SIZE", "0"): "a whole number above 0 and up to 3153600000",
    ("API_POOL_SIZE", "2.5"): "a whole number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "soon"): "a number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "-1"): "a number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "nan"): "a number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "inf"): "a number above 0 and up to 3153600000",
    ("API_POOL_SIZE", "1e10"): "a whole number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "1e300"): "a number above 0 and up to 3153600000",
    ("SWEEP_SECONDS", "1e999"): "a number above 0 and up to 3153600000",
    ("AI_CACHE_SECONDS", "-0.5"): "a number from 0 to 3153600000",
    ("AI_TENANT_DAILY_USD", "1e9"): "a number from 0 to 1000000",
    ("AI_TENANT_DAILY_USD", "ten"): "a number from 0 to 1000000",
    ("WEBHOOK_ALLOW_PRIVATE", "perhaps"): "true or false",
    ("LOG_LEVEL", "loud"): "debug, error, info or warning",
    ("RATE_LIMITS", "maybe"): "off or on",
    ("OPENAI_MODEL", "x" * 201): "a text of 1 to 200 characters",
}


@pytest.mark.parametrize(("name", "value"), BAD_NUMBERS)
def test_a_bad_value_is_refused_with_what_is_allowed_and_what_was_given(name: str, value: str) -> None:
    """In one line that names the setting; a long value is told by its beginning."""
    with pytest.raises(SettingsError) as refused:
        read_settings({f"GRADELINE_{name}": value})
    given = repr(value) if len(value) <= 60 else repr(value[:60]) + "…"
    assert str(refused.value) == f"GRADELINE_{name} must be {BAD_NUMBERS[name, value]}, not {given}"


def test_whatever_is_wrong_with_any_setting_is_told_in_our_words() -> None:
    """None of them lets the decoder speak, and no value that breaks the line gets into it."""
    said = [complaint(variable_of(field.name), "\n\x00") for field in msgspec.structs.fields(Settings)]
    assert len(list(filter(None, said))) > len(said) / 2
    assert not [line for line in said if "Expected" in line or "\n" in line]


def complaint(variable: str, value: str) -> str:
    """What is said of this value; nothing where it is taken."""
    try:
        read_settings({variable: value})
    except SettingsError as error:
        return str(error)
    return ""


def test_only_what_names_no_secret_is_shown() -> None:
    """Addresses of servers have passwords in them."""
    for name in ("DATABASE_URL", "REDIS_URL", "QUEUE_REDIS_URL"):
        with pytest.raises(SettingsError) as refused:
            read_settings({f"GRADELINE_{name}": "mysql://root:s3cret@db/x"})
        assert "s3cret" not in str(refused.value)
