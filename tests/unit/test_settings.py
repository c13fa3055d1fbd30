"""Settings that are lists or come in more than one part."""

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import read_settings


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
