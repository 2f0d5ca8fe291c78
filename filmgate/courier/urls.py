"""What may stand in a URL that a user sends: judged from its text alone, without any network.

A URL is taken apart once, here, by a grammar stricter than any client's, and put together again from the parts;
everything after this works on the parts, so two readings of one URL cannot differ. What the text cannot show (where
a name leads) is judged by `fetch`, address by address.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote

from filmgate.courier.addresses import IPAddress, is_public, parse_address
from filmgate.domain.errors import InputUnreachable, SettingInvalid

__all__ = ["Destination", "UrlPolicy", "check_url"]

MAX_URL_LENGTH = 8192
DEFAULT_PORTS = {"https": 443, "http": 80}
PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa", ".onion")
"""Names under these lead into somebody's own network (RFC 6761, 6762, 7686, 8375; ICANN on .internal)."""

SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?")
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?")
HOST_NAME = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
SHOWABLE_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,100}")


class _Broken(Exception):
    """A rule of this module is broken; becomes InputUnreachable once the sentence has its subject."""

    def __init__(self, code: str, predicate: str) -> None:
        super().__init__(predicate)
        self.code = code
        self.predicate = predicate


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be asked for. `literal` is the host where it is an IP address; `listed` hosts may be private.

    `subject` begins every sentence about it: it names the host that the user wrote, also after redirects.
    """

    url: str
    scheme: str
    host: str
    port: int
    literal: IPAddress | None
    listed: bool
    subject: str

    def refusal(self, code: str, predicate: str, *, retryable: bool = False) -> InputUnreachable:
        return InputUnreachable(f"{self.subject} {predicate}.", code=code, retryable=retryable)


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """Which URLs are welcome. `listed` holds the hosts that the operator allowed by name, for one port or (None) all.

    A listed host may be private, speak plain http and use a port of its own. Being listed is a matter of the
    spelling: `localhost` does not list `127.0.0.1`.
    """

    listed: frozenset[tuple[str, int | None]] = frozenset()
    allow_http: bool = False

    @classmethod
    def of(cls, allow: Sequence[str] = (), *, allow_http: bool = False) -> "UrlPolicy":
        """`allow` has entries `host` or `host:port`. Raises SettingInvalid naming the entry that is neither."""
        return cls(frozenset(_parse_entry(entry) for entry in allow), allow_http)

    def check(self, url: str, subject: str | None = None) -> Destination:
        """Judge `url` by its text. Raises InputUnreachable: a sentence about `subject`, by default the URL's host."""
        subject = subject or _subject(url)
        try:
            return self._judge(url, subject)
        except _Broken as broken:
            raise InputUnreachable(f"{subject} {broken.predicate}.", code=broken.code) from broken

    def _judge(self, url: str, subject: str) -> Destination:
        scheme, authority, target = _split(url)
        if scheme not in DEFAULT_PORTS:
            raise _Broken("url_not_https", "is not https")
        written_host, written_port = _split_authority(authority)
        host, literal = _read_host(written_host)
        port = written_port or DEFAULT_PORTS[scheme]
        listed = (host, None) in self.listed or (host, port) in self.listed
        if not listed:
            self._judge_unlisted(scheme, host, port, literal)
        netloc = f"[{host}]" if isinstance(literal, IPv6Address) else host
        if port != DEFAULT_PORTS[scheme]:
            netloc = f"{netloc}:{port}"
        return Destination(f"{scheme}://{netloc}{_quote(target)}", scheme, host, port, literal, listed, subject)

    def _judge_unlisted(self, scheme: str, host: str, port: int, literal: IPAddress | None) -> None:
        if not (_is_public_name(host) if literal is None else is_public(literal)):
            raise _Broken("url_not_public", "is not at a public address")
        if scheme == "http" and not self.allow_http:
            raise _Broken("url_not_https", "is not https")
        if port != DEFAULT_PORTS[scheme]:
            raise _Broken("url_invalid", f"names port {port}, but only {DEFAULT_PORTS[scheme]} is used here")


def check_url(url: str, policy: UrlPolicy | None = None) -> None:
    """Refuse a URL that could never be fetched, at submit. Raises InputUnreachable as the fetch itself would."""
    (policy or UrlPolicy()).check(url)


def _subject(url: str) -> str:
    """How sentences name `url`: by its host as it was written, where that is fit to be shown."""
    shape = SHAPE.fullmatch(url)
    authority = AUTHORITY.fullmatch(shape[2]) if shape else None
    if authority is None or not SHOWABLE_HOST.fullmatch(authority[1]):
        return "The URL"
    return f"The URL at {authority[1]}"


def _split(url: str) -> tuple[str, str, str]:
    """Scheme in lower case, authority, and path with query; the fragment is nobody's business."""
    if len(url) > MAX_URL_LENGTH:
        raise _Broken("url_invalid", f"is longer than {MAX_URL_LENGTH} characters")
    if any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in url):
        raise _Broken("url_invalid", "contains a space, a backslash or an invisible character")
    match = SHAPE.fullmatch(url)
    if match is None:
        raise _Broken("url_invalid", "is not of the form https://host/path")
    return match[1].lower(), match[2], match[3]


def _split_authority(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise _Broken("url_invalid", "carries a user name or a password, which are never sent")
    match = AUTHORITY.fullmatch(authority)
    if match is None or int(match[2] or 1) > 65535:
        raise _Broken("url_invalid", "has no valid host and port")
    return match[1], int(match[2]) if match[2] else None


def _read_host(written: str) -> tuple[str, IPAddress | None]:
    """The host in its one canonical spelling, and the address where it is one."""
    host = written.lower()
    if host.startswith("["):
        literal = parse_address(host[1:-1])
        if not isinstance(literal, IPv6Address):
            raise _Broken("url_invalid", "has no valid host and port")
        return str(literal), literal
    if NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        literal = parse_address(host)
        if literal is None:
            raise _Broken("url_invalid", "spells an IP address in an unusual way")
        return host, literal
    if not host.isascii():
        raise _Broken("url_invalid", "has a host name that must be written in its ASCII form (xn--…)")
    if not HOST_NAME.fullmatch(host):
        raise _Broken("url_invalid", "has a host name that is not valid")
    return host, None


def _is_public_name(host: str) -> bool:
    return "." in host and not host.endswith(PRIVATE_SUFFIXES)


def _quote(target: str) -> str:
    """Path and query as they go over the wire: what is escaped stays as it is, since signatures may cover it."""
    try:
        quoted = quote(target, safe="%/:?[]@!$&'()*+,;=-._~")
    except UnicodeEncodeError as error:
        raise _Broken("url_invalid", "contains a character that cannot be encoded") from error
    return quoted if quoted.startswith("/") else f"/{quoted}"


def _parse_entry(entry: str) -> tuple[str, int | None]:
    text = entry.strip().lower()
    if isinstance(address := parse_address(text), IPv6Address):
        return str(address), None
    try:
        written_host, port = _split_authority(text)
        host, _ = _read_host(written_host)
    except _Broken as broken:
        raise SettingInvalid(f"The allowed host {entry!r} is neither `host` nor `host:port`.") from broken
    return host, port
