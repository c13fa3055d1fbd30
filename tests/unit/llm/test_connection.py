"""The HTTP client under the SDKs."""

from pipeline.llm.connection import http_client


def test_what_has_no_deadline_of_its_own_is_not_waited_for_without_end() -> None:
    """Calls on batches have none: a provider that fell silent would keep every other batch from being looked at."""
    assert http_client(None).timeout.read is not None


def test_redirects_are_not_followed() -> None:
    """They could carry a prompt, and the key, to where they were not meant to go."""
    assert http_client(("authorization", "Bearer k")).follow_redirects is False
