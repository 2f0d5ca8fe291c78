"""Which addresses and URLs are public, judged without any network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.courier.addresses import DENIED_IPV4, DENIED_IPV6, is_public, parse_address
from filmgate.courier.urls import UrlPolicy, check_url
from filmgate.domain.errors import InputUnreachable, SettingInvalid

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
]
PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.0.1",
    "198.19.255.255",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:100.100.100.200",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_ordinary_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_special_addresses_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("network", [network for network, _ in (*DENIED_IPV4, *DENIED_IPV6)], ids=str)
def test_a_denied_network_is_denied_from_its_first_to_its_last_address(network: IPv4Network | IPv6Network) -> None:
    assert not is_public(network[0])
    assert not is_public(network[-1])


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_private_is_never_public(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_unspecified:
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_carries_an_ipv4_address_past_the_table(address: IPv4Address) -> None:
    carriers = ("::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}")
    embedded = [IPv6Address(carrier.format(address)) for carrier in carriers]
    embedded += [IPv6Address(0x2002 << 112 | int(address) << 80), IPv6Address(0x20010000 << 96 | int(address))]

    assert not any(is_public(address) for address in embedded)


@pytest.mark.parametrize("text", ["127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.01", "１27.0.0.1", ""])
def test_other_spellings_of_ipv4_are_no_addresses(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "url_invalid"),
        ("https://", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https:/example.com/", "url_invalid"),
        ("//example.com/", "url_invalid"),
        ("example.com/photo.png", "url_invalid"),
        ("https://exa mple.com/", "url_invalid"),
        (" https://example.com/", "url_invalid"),
        ("https://example.com/\n", "url_invalid"),
        ("https://example.com/a b", "url_invalid"),
        ("https://example.com\\@127.0.0.1/", "url_invalid"),
        ("https://example.com/\x00", "url_invalid"),
        ("https://example.com/\u200b", "url_invalid"),
        ("https://example.com/\ud800", "url_invalid"),
        ("https://example.com/" + "a" * 8192, "url_invalid"),
        ("https://user@example.com/", "url_invalid"),
        ("https://user:password@example.com/", "url_invalid"),
        ("https://:@example.com/", "url_invalid"),
        ("https://example.com:/", "url_invalid"),
        ("https://example.com:0/", "url_invalid"),
        ("https://example.com:0443/", "url_invalid"),
        ("https://example.com:65536/", "url_invalid"),
        ("https://example.com:8443/", "url_invalid"),
        ("https://example.com:80/", "url_invalid"),
        ("https://example.com:443:443/", "url_invalid"),
        ("https://example.com./", "url_invalid"),
        ("https://example..com/", "url_invalid"),
        ("https://.example.com/", "url_invalid"),
        ("https://-example.com/", "url_invalid"),
        ("https://example-.com/", "url_invalid"),
        ("https://ex%61mple.com/", "url_invalid"),
        ("https://[example.com]/", "url_invalid"),
        ("https://[127.0.0.1]/", "url_invalid"),
        ("https://[::1/", "url_invalid"),
        ("https://[fe80::1%25lo]/", "url_invalid"),
        ("https://exämple.com/", "url_invalid"),
        ("https://ⓔxample.com/", "url_invalid"),
        ("https://127。0。0。1/", "url_invalid"),
        ("https://①②⑦.0.0.1/", "url_invalid"),
        ("https://" + "a" * 64 + ".com/", "url_invalid"),
        ("https://" + "a." * 127 + "com/", "url_invalid"),
        ("https://2130706433/", "url_invalid"),
        ("https://0x7f000001/", "url_invalid"),
        ("https://0x7f.0.0.1/", "url_invalid"),
        ("https://0177.0.0.1/", "url_invalid"),
        ("https://017700000001/", "url_invalid"),
        ("https://127.1/", "url_invalid"),
        ("https://127.0.1/", "url_invalid"),
        ("https://127.0.0.1./", "url_invalid"),
        ("https://127.0.0.1.1/", "url_invalid"),
        ("https://256.256.256.256/", "url_invalid"),
        ("https://example.com.0x7f/", "url_invalid"),
        ("https://0/", "url_invalid"),
        ("http://example.com/", "url_not_https"),
        ("ftp://example.com/", "url_not_https"),
        ("file:///etc/passwd", "url_not_https"),
        ("gopher://127.0.0.1:6379/_x", "url_not_https"),
        ("unix:///run/docker.sock", "url_not_https"),
        ("https://127.0.0.1/", "url_not_public"),
        ("http://127.0.0.1:6379/", "url_not_public"),
        ("https://169.254.169.254/latest/meta-data/", "url_not_public"),
        ("https://[::1]/", "url_not_public"),
        ("https://[0:0:0:0:0:0:0:1]/", "url_not_public"),
        ("https://[::]/", "url_not_public"),
        ("https://[::ffff:127.0.0.1]/", "url_not_public"),
        ("https://[::FFFF:7f00:1]/", "url_not_public"),
        ("https://[64:ff9b::7f00:1]/", "url_not_public"),
        ("https://localhost/", "url_not_public"),
        ("https://LOCALHOST/", "url_not_public"),
        ("https://intranet/", "url_not_public"),
        ("https://printer.local/", "url_not_public"),
        ("https://a.b.localhost/", "url_not_public"),
        ("https://metadata.google.internal/", "url_not_public"),
    ],
)
def test_a_url_is_refused_by_its_text_with_the_rule_that_it_breaks(url: str, code: str) -> None:
    with pytest.raises(InputUnreachable) as refused:
        check_url(url)

    assert refused.value.code == code
    assert not refused.value.retryable


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM/Photo.PNG", "https://example.com/Photo.PNG"),
        ("https://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("https://example.com?b=c", "https://example.com/?b=c"),
        (
            "https://my_bucket.s3.example.com/a%2Fb?X-Sig=a%2Bb%7E",
            "https://my_bucket.s3.example.com/a%2Fb?X-Sig=a%2Bb%7E",
        ),
        ("https://example.com/ein Bär".replace(" ", "%20"), "https://example.com/ein%20B%C3%A4r"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://example.com/@user:x/..;/a", "https://example.com/@user:x/..;/a"),
    ],
)
def test_a_welcome_url_is_asked_for_in_its_canonical_spelling(url: str, asked: str) -> None:
    assert UrlPolicy().check(url).url == asked


def test_a_refusal_names_the_host_as_it_was_written() -> None:
    with pytest.raises(InputUnreachable, match=r"^The URL at LocalHost is not at a public address\.$"):
        check_url("https://LocalHost/a/secret/path?token=1")


@pytest.mark.parametrize(
    "url", ["https://<script>/", "https://a\u202eb/", "https://" + "a" * 101 + ".com:1/", "https://a:b@c/"]
)
def test_a_refusal_shows_no_host_that_is_not_fit_to_be_shown(url: str) -> None:
    with pytest.raises(InputUnreachable, match=r"^The URL [a-z]"):
        check_url(url)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("intranet", "http://intranet:8000/a"),
        ("intranet:8000", "http://intranet:8000/a"),
        ("Files.Example.com:8443", "https://files.example.com:8443/"),
        ("127.0.0.1:9", "http://127.0.0.1:9/"),
        ("10.0.0.5", "https://10.0.0.5:1/"),
        ("::1", "http://[::1]:9/"),
        ("[::1]:9", "http://[::1]:9/"),
    ],
)
def test_a_host_that_the_operator_lists_may_be_private_and_plain(entry: str, url: str) -> None:
    assert UrlPolicy.of([entry]).check(url).listed


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("localhost:9", "http://localhost:10/"),
        ("localhost", "http://127.0.0.1/"),
        ("127.0.0.1", "http://localhost/"),
        ("127.0.0.1", "http://127.1/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("example.com", "http://www.example.com/"),
        ("localhost", "http://localhost./"),
        ("localhost", "http://user@localhost/"),
        ("localhost", "ftp://localhost/"),
    ],
)
def test_a_listed_host_opens_the_door_for_no_other(entry: str, url: str) -> None:
    with pytest.raises(InputUnreachable):
        UrlPolicy.of([entry]).check(url)


@pytest.mark.parametrize(
    "entry", ["", "*", "https://example.com", "example.com:", "a:99999", "a b", "127.1", "10.0.0.0/8"]
)
def test_an_entry_that_is_no_host_stops_start_up_and_is_named(entry: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        UrlPolicy.of([entry])

    assert repr(entry) in refused.value.sentence


def test_plain_http_needs_to_be_allowed_and_opens_no_private_address() -> None:
    policy = UrlPolicy.of(allow_http=True)

    assert policy.check("http://example.com/a").port == 80
    with pytest.raises(InputUnreachable, match="public address"):
        policy.check("http://127.0.0.1/")


@given(st.text(max_size=60), st.sampled_from(["", "https://", "http://", "https://[", "https://a@", "https://a.b:"]))
def test_any_text_is_either_judged_welcome_or_refused_with_a_sentence(text: str, prefix: str) -> None:
    try:
        destination = UrlPolicy().check(prefix + text)
    except InputUnreachable as refused:
        assert refused.sentence.endswith(".")
    else:
        assert destination.url.startswith("https://")
        assert UrlPolicy().check(destination.url).url == destination.url
