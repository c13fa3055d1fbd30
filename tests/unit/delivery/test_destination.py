"""Where webhooks may go."""

from ipaddress import ip_address

import pytest

from pipeline.delivery.destination import is_public, url_problems

PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "9.255.255.255",
    "11.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # a metadata service in carrier-grade NAT space
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # a metadata service on a public address
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",  # a metadata service among protocol assignments
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",  # IPv4-translated
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1.1.1.1",  # NAT64 for local use
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:c0a8:101::",
    "fc00::1",
    "fd00:ec2::254",  # a metadata service on a unique local address
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_special_purpose_address_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://school.example/hook",
        "http://school.example",
        "https://school.example:8443/a/b?c=d&e=%20",
        "HTTPS://School.Example/",
        "https://school.example?only=query",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:1024/",
        "https://xn--hxa3aa7a0ds.example/",
        "https://under_score.example/",
        "https://school.example./hook",
        "http://school.example:80/",
        "http://school.example:65535/",
    ],
)
def test_plain_public_urls_are_accepted(url: str) -> None:
    assert list(url_problems(url, allow_private=False)) == []


# Ways to write this machine, or its neighbours, that some parser between us and the socket understands.
PRIVATE_SPELLINGS = [
    "http://localhost/",
    "http://LOCALHOST:8000/",
    "http://localhost./",
    "http://a.localhost/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0X7F.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://2130706433/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.1/",
    "http://192.168.257/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
]


@pytest.mark.parametrize("url", PRIVATE_SPELLINGS)
def test_no_spelling_of_a_private_address_passes(url: str) -> None:
    assert list(url_problems(url, allow_private=False)) == ["The host must be on the public internet."]


@pytest.mark.parametrize("url", PRIVATE_SPELLINGS)
def test_private_addresses_pass_where_the_setting_allows_them(url: str) -> None:
    assert list(url_problems(url, allow_private=True)) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "school.example/hook",
        "//school.example/",
        "ftp://school.example/",
        "file:///etc/passwd",
        "gopher://school.example/",
        "http:/school.example/",
        "http:///hook",
        "http://",
        "http://?query",
        "http://:80/",
        "http://user@school.example/",
        "http://user:secret@school.example/",
        "http://school.example@127.0.0.1/",
        "http://127.0.0.1\\@school.example/",
        "http://school.example\\@127.0.0.1/",
        "http://127.0.0.1#@school.example/",
        "http://school.example#fragment",
        "http://school.example:80:80/",
        "http://school.example:+80/",
        "http://school.example:８０/",
        "http://school.example:/",
        "http://127.0.0.%31/",
        "http://%6c%6f%63alhost/",
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
        "http://学校.example/",
        "http://ſchool.example/",
        "http://[::1%25eth0]/",
        "http://[::1/",
        "http://::1/",
        "http://[school.example]/",
        "http://[1.1.1.1]/",
        "http://[1.1.1.1.]/",
        "http://999.1.1.1/",
        "http://1.2.3.4.5/",
        "http://256.256.256.256/",
        "http://school.0x/",
        "http://school.7/",
        "http://school .example/",
        "http://school.example/a b",
        "http://school.example/\r\nX-Header: 1",
        "http://school.example/\x00",
        "http://school.example/\n",
        "http://school.example\n",
        " http://school.example/",
        "http://school.example/päth",
        "http://school.example/" + "a" * 2_000,
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_parsers_could_read_differently_is_no_url(url: str, allow_private: bool) -> None:
    problems = list(url_problems(url, allow_private=allow_private))
    assert len(problems) == 1
    assert "absolute http or https URL" in problems[0]


@pytest.mark.parametrize("port", [0, 1, 22, 25, 53, 389, 1023, 65536, 99999])
def test_ports_of_other_services_are_refused(port: int) -> None:
    assert list(url_problems(f"http://school.example:{port}/", allow_private=True)) == [
        "The port must be 80, 443, or 1024 and above."
    ]
