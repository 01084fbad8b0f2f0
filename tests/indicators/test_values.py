"""What a text of a list names: types, defanged forms, and what is refused as it would match everything or nothing."""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.indicators import spelling
from douse.indicators.values import LONGEST, Refused, refanged, value_of

MD5, SHA1, SHA256 = "0cc175b9c0f1b6a831c399e269772661", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "ca97" * 16


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("Bad.Example", "domain-name", "bad.example"), ("bad.example.", "domain-name", "bad.example"),
    ("*.bad.example", "domain-name", "bad.example"), (".bad.example", "domain-name", "bad.example"),
    ("bad.example:8443", "domain-name", "bad.example"), ("'bad.example'", "domain-name", "bad.example"),
    ("_dmarc.bad-1.example", "domain-name", "_dmarc.bad-1.example"),
    ("bücher.example", "domain-name", "xn--bcher-kva.example"),
    ("xn--80ak6aa92e.example", "domain-name", "xn--80ak6aa92e.example"),
    ("bad.zip", "domain-name", "bad.zip"),  # a top-level domain since 2014
    ("203.0.113.7", "ipv4-addr", "203.0.113.7"), ("203.0.113.7:443", "ipv4-addr", "203.0.113.7"),
    ("::ffff:203.0.113.7", "ipv4-addr", "203.0.113.7"), ("203.0.113.0/24", "ipv4-addr", "203.0.113.0/24"),
    ("203.0.113.9/24", "ipv4-addr", "203.0.113.0/24"), ("203.0.113.9/32", "ipv4-addr", "203.0.113.9"),
    ("2001:DB8:0::1", "ipv6-addr", "2001:db8::1"), ("[2001:db8::1]:443", "ipv6-addr", "2001:db8::1"),
    ("2001:db8::/48", "ipv6-addr", "2001:db8::/48"),
    ("HTTPS://Bad.Example:443/A%7eb/%2e%2E/c?q=%41#top", "url", "https://bad.example/c?q=A"),
    ("http://user:pw@bad.example:8080", "url", "http://bad.example:8080/"),
    ("bad.example/a.zip", "url", "http://bad.example/a.zip"), ("ftp://bad.example/x", "url", "ftp://bad.example/x"),
    ("http://[2001:db8::1]/x", "url", "http://[2001:db8::1]/x"),
    ("http://203.0.113.7/x", "url", "http://203.0.113.7/x"),
    ("http://bad.example/a/./b/../c/", "url", "http://bad.example/a/c/"),
    (MD5.upper(), "file", MD5), (SHA1, "file", SHA1), (SHA256, "file", SHA256), (f"SHA256:{SHA256}", "file", SHA256),
    (f"md5={MD5}", "file", MD5),
])
def test_values_and_their_one_spelling(text: str, kind: str, value: str) -> None:
    assert value_of(text) == (kind, value)
    assert value_of(value) == (kind, value)  # it is the spelling of itself


@pytest.mark.parametrize("text", [
    "hxxps://bad[.]example/a", "hxxps[:]//bad(.)example/a", "hXXps://bad{.}example/a", "h**ps://bad[dot]example/a",
    "https[://]bad.example/a", "hxxps:[//]bad (dot) example/a", "https://bad\\.example/a", "<https://bad.example/a>",
    "hxxps://bad[.example[/]a", "https://bad[ . ]example/a",
])
def test_defanged_forms(text: str) -> None:
    assert value_of(text) == ("url", "https://bad.example/a")


def test_defanged_addresses_and_plain_values_stay() -> None:
    assert value_of("203[.]0[.]113[.]7") == ("ipv4-addr", "203.0.113.7")
    assert value_of("2001[:]db8[:][:]1") == ("ipv6-addr", "2001:db8::1")
    for plain in ("http://bad.example/(a)?x=[b]", "https://bad.example/hxxp", SHA256):
        assert refanged(plain) == plain


@pytest.mark.parametrize(("text", "said"), [
    ("", "is empty"), ("0.0.0.0/0", "wider than /16"), ("::/0", "wider than /32"), ("203.0.0.0/15", "wider than /16"),
    ("127.0.0.1", "stands for this host"), ("0.0.0.1", "stands for this host"), ("::1", "stands for this host"),
    ("169.254.1.1", "link-local"), ("224.0.0.251", "multicast"), ("255.255.255.255", "multicast"),
    ("http://127.0.0.1/x", "stands for this host"), ("127.0.0.0/24", "stands for this host"),
    ("10.1.2.3", "is private"), ("192.168.0.0/16", "is private"), ("100.64.1.1", "is private"),
    ("fd00::1", "is private"), ("http://10.1.2.3/x", "is private"),
    ("localhost", "this host or of a private"), ("http://localhost:8000/", "this host or of a private"),
    ("files.corp", "this host or of a private"), ("printer.local", "this host or of a private"),
    ("com", "a whole top-level domain"), ("*.com", "a whole top-level domain"), ("co.uk", "everybody registers"),
    ("com.br", "everybody registers"), ("setup.exe", "the name of a file"), ("x.y.dll", "the name of a file"),
    ("anna@bad.example", "an e-mail address"), ("anna[at]bad[.]example", "an e-mail address"),
    ("d41d8cd98f00b204e9800998ecf8427e", "MD5 of the empty file"),
    ("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "SHA-1 of the empty file"),
    ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "SHA-256 of the empty file"),
    ("0" * 64, "nothing but zeros"), ("ab" * 64, "SHA-512"), ("ab" * 20 + "c", "41 hexadecimal digits"),
    ("bad.example second.example", "a blank"), ("bad.example:abc", "no domain"), ("-bad.example", "no domain"),
    ("bad..example", "no domain"), ("bad.example1", "no domain"), ("1.2.3.4.5", "no domain"),
    ("999.1.1.1", "no domain"),
    ("mailto://x", "a URL of mailto"), ("file:///c:/x", "a URL of file"), ("http://", "no URL"),
    ("http:///x", "no URL"),
    ("http://*.bad.example/x", "a wildcard"),
    ("http://bad.example/*", "a wildcard"), ("C:\\Users\\x.exe", "no domain"), ("a" * 64 + ".example", "no domain"),
    ("x" * (LONGEST + 1), "longer than"),
    ("ü" * 300 + ".example", "no domain"), ("\x00", "no domain"), ("...", "no domain"), ("/", "no URL"),
])
def test_what_is_refused_says_why_and_what_to_do(text: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        value_of(text)
    assert said in refused.value.what
    assert refused.value.next_step


@pytest.mark.parametrize("text", ["10.1.2.3", "files.corp", "http://192.168.1.5/x", "co.uk", "fd00::1"])
def test_a_note_says_that_a_private_value_is_meant(text: str) -> None:
    assert value_of(text, noted=True).value


@pytest.mark.parametrize("text", ["127.0.0.1", "com", "0.0.0.0/0", "d41d8cd98f00b204e9800998ecf8427e"])
def test_a_note_does_not_help_what_matches_everything(text: str) -> None:
    with pytest.raises(Refused):
        value_of(text, noted=True)


@given(st.text(max_size=300))
def test_any_text_is_a_value_in_one_spelling_or_refused(text: str) -> None:
    said: tuple[str, str] | None = None
    try:
        found = value_of(text, noted=True)
    except Refused as refused:
        said = refused.what, refused.next_step
    else:
        assert value_of(found.value, noted=True) == found
    assert said is None or all(said)


_LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
_NAMES = st.lists(_LABELS, min_size=1, max_size=4).map(lambda labels: ".".join((*labels, "example")))
_FANGS = st.sampled_from(["[.]", "(.)", "{.}", "[dot]", "(dot)", " [.] ", "[.", ".]", "."])


@given(_NAMES, st.lists(_FANGS, min_size=5, max_size=5))
def test_refanging_undoes_defanging_of_domains(name: str, fangs: list[str]) -> None:
    defanged = "".join(part + fang for part, fang in zip(name.split("."), [*fangs, ""], strict=False))
    defanged = defanged[:defanged.rindex("example") + len("example")]
    assert value_of(defanged) == ("domain-name", name)


@given(_NAMES, st.text(string.ascii_letters + string.digits + "-._~/", max_size=40), st.booleans())
def test_refanging_undoes_defanging_of_urls(name: str, path: str, secure: bool) -> None:
    url = f"http{'s' * secure}://{name}/{path}"
    defanged = url.replace("http", "hxxp", 1).replace("://", "[://]", 1).replace(".", "[.]", name.count("."))
    assert value_of(defanged) == value_of(url)


@given(st.ip_addresses())
def test_addresses_have_one_spelling(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    spelled = spelling.address(address.exploded)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert spelled == str(mapped or address)
    assert spelling.address(spelled) == spelled


@given(st.text(max_size=200))
def test_a_urls_spelling_is_its_own(text: str) -> None:
    compared = spelling.url(text)
    assert spelling.url(compared) == compared


@pytest.mark.parametrize(("one", "other", "same"), [
    ("http://bad.example/a", "https://BAD.example:443/a#x", True), ("http://bad.example", "http://bad.example/", True),
    ("http://bad.example/a", "http://bad.example/A", False), ("http://bad.example/a", "http://bad.example/a/", False),
    ("http://bad.example/a?x=1", "http://bad.example/a", False),
    ("http://bad.example/%61", "http://bad.example/a", True),
    ("http://bad.example/%2f", "http://bad.example/%2F", True),
    ("http://bad.example/%2F", "http://bad.example//", False),
    ("http://bad.example/\u202eü", "http://bad.example/%e2%80%ae%c3%bc", True),
    ("http:\\\\bad.example\\a", "http://bad.example/a", True), ("bad.example/a", "https://bad.example/a", True),
    ("ftp://bad.example/a", "http://bad.example/a", False), ("http://u@bad.example/a", "http://bad.example/a", True),
    ("http://bad.example:8080/a", "http://bad.example/a", False),
    ("http://bad.example./a", "http://bad.example/a", True),
])
def test_which_urls_are_one(one: str, other: str, same: bool) -> None:
    assert (spelling.url(one) == spelling.url(other)) is same
