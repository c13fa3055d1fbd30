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
