"""The page for people at /schema: whole, self-contained, and safe to open."""

import asyncio
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.documentation import Documentation, documentation_of
from api.handbook import handbook_of
from pipeline.settings import Settings
from tests.api.conftest import Api, served

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def test_who_opens_the_bare_address_is_led_to_the_documentation(api: Api) -> None:
    answer = await api.http.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/schema")


@pytest.fixture(scope="module")
def documentation() -> Documentation:
    return documentation_of(create_app(Settings()))


def test_the_page_needs_no_script_and_nothing_from_elsewhere(documentation: Documentation) -> None:
    for tag, attributes in Elements(documentation.handbook.html).found:
        assert tag not in {"script", "iframe", "img", "form", "object"}
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "/schema/", "data:,"))


def test_every_link_within_the_page_leads_somewhere(documentation: Documentation) -> None:
    elements = Elements(documentation.handbook.html).found
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {str(attributes["href"]) for tag, attributes in elements if tag == "a"}
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(ids)


def test_every_application_of_this_code_says_the_same_of_itself(documentation: Documentation) -> None:
    others = Settings(rate_limits="off", max_body_bytes=1_000, max_batch_bytes=1_000, cors_origins="https://a.example")
    assert create_app(others).state.documentation == documentation


def test_every_call_is_on_the_page(documentation: Documentation) -> None:
    html = documentation.handbook.html
    for path in re.findall(rb'"(/[^"]*)":\{"(?:get|put|post|delete)"', documentation.document):
        assert f"<code>{path.decode()}</code>" in html


def test_markup_in_the_document_is_text_on_the_page() -> None:
    hostile = "<script>alert(1)</script> `<b>`"
    document: dict[str, Any] = {
        "info": {"title": hostile, "version": "1", "description": hostile},
        "tags": [],
        "paths": {},
        "components": {"schemas": {"A": {"description": hostile, "type": "string"}}},
    }
    html = handbook_of(document).html
    assert "<script" not in html
    assert "<b>" not in html


async def test_the_page_is_served_with_a_strict_policy(api: Api) -> None:
    served = await api.call("GET", "/schema", None)
    assert served.status_code == 200
    policy = served.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert (await api.call("GET", "/schema/openapi.json", None)).json()["openapi"] == "3.1.0"


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
async def test_a_browser_shows_the_page_without_complaint(settings: Settings, tmp_path: Path) -> None:
    """Whatever the policy forbids would show in the browser's log."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={tmp_path}"]
    async with served(create_app(settings)) as address:
        command = [str(BROWSER), *options, "--dump-dom", f"{address}/schema"]
        ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    assert "<h1>Gradeline API</h1>" in ran.stdout
    assert "CONSOLE" not in ran.stderr
