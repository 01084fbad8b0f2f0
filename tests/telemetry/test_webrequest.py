"""One request under Sigma's names: both readings of the URI, hosts without ports, what is left out."""

from __future__ import annotations

import pytest

from douse.telemetry.webrequest import WebRequest, extension, is_absolute, split_url, without_port


def test_a_request_to_a_proxy() -> None:
    fields = WebRequest(client="10.1.2.3", method="POST", url="http://u:p@Exfil.example:8080/api/x.php?a=1#f",
                        status="200", agent="Mozilla/5.0", sent="20480", received="-", user="anna").fields()
    assert fields["c-uri"] == ["http://u:p@Exfil.example:8080/api/x.php?a=1#f", "/api/x.php?a=1"]
    assert fields["cs-uri"] == fields["c-uri"]
    assert (fields["cs-host"], fields["r-dns"]) == ("Exfil.example", "Exfil.example")
    assert (fields["c-uri-stem"], fields["c-uri-query"], fields["c-uri-extension"]) == ("/api/x.php", "a=1", "php")
    assert (fields["cs-bytes"], fields["src_ip"], fields["User"]) == ("20480", "10.1.2.3", "anna")
    assert not {"sc-bytes", "cs-cookie", "dst_ip"} & fields.keys(), "what the log does not say is absent"


def test_a_request_to_a_web_server_has_its_path_in_the_query_too() -> None:
    fields = WebRequest(method="GET", url="/owa/auth.owa?x=1", host="www.example.com:443").fields()
    assert (fields["c-uri"], fields["cs-uri-query"]) == ("/owa/auth.owa?x=1", ["x=1", "/owa/auth.owa?x=1"])
    assert fields["cs-host"] == "www.example.com"


def test_a_tunnel_has_a_host_and_no_path() -> None:
    fields = WebRequest(method="CONNECT", url="c2.example:443").fields()
    assert (fields["c-uri"], fields["cs-host"]) == ("c2.example:443", "c2.example")
    assert "c-uri-stem" not in fields


@pytest.mark.parametrize(("agent", "method", "expected"), [
    ("", "GET", ""), ("-", "POST", ""), (None, "GET", None), ("-", "CONNECT", None), ("", "", None),
    ("x", "CONNECT", "x"),
])
def test_no_user_agent_where_agents_are_kept_is_an_empty_one(
        agent: str | None, method: str, expected: str | None) -> None:
    fields = WebRequest(method=method, url="http://a/", agent=agent).fields()
    assert fields.get("c-useragent") == fields.get("cs-user-agent") == expected


@pytest.mark.parametrize(("url", "parts"), [
    ("http://a.example", ("a.example", "/", "")), ("http://a.example?x", ("a.example", "/", "x")),
    ("https://[2001:db8::1]:8443/p", ("2001:db8::1", "/p", "")), ("/p?q", ("", "/p", "q")), ("", ("", "", "")),
    ("ftp://h/x?", ("h", "/x", "")), ("javascript:alert(1)", ("", "javascript:alert(1)", "")),
])
def test_the_parts_of_a_url(url: str, parts: tuple[str, str, str]) -> None:
    assert split_url(url) == parts


@pytest.mark.parametrize(("host", "name"), [
    ("a.example:443", "a.example"), ("a.example", "a.example"), ("2001:db8::1", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"), ("a:b", "a:b"), (":80", ""),
])
def test_a_host_without_its_port(host: str, name: str) -> None:
    assert without_port(host) == name


@pytest.mark.parametrize(("path", "last"), [
    ("/a/b.exe", "exe"), ("/a.d/b", ""), ("/.htaccess", ""), ("/a.tar.gz", "gz"), ("/x." + "y" * 17, ""), ("", ""),
])
def test_the_extension_of_a_path(path: str, last: str) -> None:
    assert extension(path) == last


def test_what_is_absolute() -> None:
    assert is_absolute("HTTP://x/")
    assert not is_absolute("/http://x/")
    assert not is_absolute("x" * 50 + "://a/")
