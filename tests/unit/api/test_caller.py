"""Reading who calls."""

from litestar.testing import RequestFactory

from api.caller import headers_of


def test_of_a_header_sent_twice_the_first_counts() -> None:
    request = RequestFactory().get("/")
    request.scope["headers"] = [(b"authorization", b"Bearer one"), (b"authorization", b"Bearer two")]
    assert headers_of(request.scope) == {"authorization": "Bearer one"}
