"""Records of sensors and endpoints for the tests of the network join, with the fields that the readers give them."""

from __future__ import annotations

import builders as b
from douse.incident.network_facts import NetworkFacts
from douse.model import Event, Value

CLIENT, SERVER, PROXY_HOST = "10.0.0.15", "203.0.113.7", "10.0.0.8"
REGASM = b.process("C:\\Windows\\Microsoft.NET\\RegAsm.exe", 5008)
CHROME = b.process("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", 6100)


def socket(ran: b.Process, seconds: float, source_port: int, address: str = SERVER, port: int = 443, *,
           host: str = b.HOST, source: str = CLIENT, shape: str = "sysmon", record_id: int | None = None) -> Event:
    """A connection as the endpoint records it."""
    if shape == "security":
        return b.event(b.SECURITY, 5156, seconds, {
            "ProcessID": str(ran.pid), "Application": "\\device\\harddiskvolume3" + ran.image[2:].lower(),
            "Direction": "%%14593", "SourceAddress": source, "SourcePort": str(source_port), "DestAddress": address,
            "DestPort": str(port), "Protocol": "6"}, host, record_id)
    channel = "MDE/DeviceNetworkEvents" if shape == "mde" else b.SYSMON
    return b.event(channel, 3, seconds, {
        "ProcessGuid": ran.guid, "ProcessId": str(ran.pid), "Image": ran.image, "Protocol": "tcp", "Initiated": "true",
        "SourceIp": source, "SourcePort": str(source_port), "DestinationIp": address, "DestinationPort": str(port),
    }, host, record_id)


def zeek(log: str, seconds: float, uid: str = "", client_port: int = 49712, server: str = SERVER, port: int = 443, *,
         client: str = CLIENT, **more: Value) -> Event:
    """A record of a Zeek log."""
    return b.event(f"Zeek/{log}", 0, seconds, {
        "uid": uid, "id.orig_h": client, "id.orig_p": str(client_port), "id.resp_h": server, "id.resp_p": str(port),
        **({"proto": "tcp"} if log == "conn" else {}), **more}, client)


def conn(seconds: float, uid: str = "", client_port: int = 49712, sent: int = 20_480, received: int = 507,
         lasted: float = 3.0, **more: str) -> Event:
    """A connection in conn.log."""
    return zeek("conn", seconds, uid, client_port, duration=str(lasted), orig_bytes=str(sent), resp_bytes=str(received),
                **more)


def proxied(seconds: float, url: str = "https://exfil.example/api", *, took: int = 100, client: str = CLIENT,
            server: str = "", sent: int | None = 20_480, method: str = "POST") -> Event:
    """A request in a proxy's log, `took` milliseconds before it ended."""
    fields: dict[str, Value] = {"src_ip": client, "c-uri": [url, "/api"], "cs-host": url.split("/")[2],
                                "cs-method": method, "sc-bytes": "507", "time-taken": str(took), "dst_ip": server}
    return b.event("Proxy/access", 0, seconds, fields | ({} if sent is None else {"cs-bytes": str(sent)}), client)


def firewall(seconds: float, client_port: int = 49712, *, sent: int = 20_480, received: int = 507, lasted: float = 0,
             **more: str) -> Event:
    """A session in a firewall's log, whose record is written when it ended."""
    return b.event("Firewall/traffic", 0, seconds, {
        "src_ip": CLIENT, "src_port": str(client_port), "dst_ip": SERVER, "dst_port": "443", "proto": "6",
        "cs-bytes": str(sent), "sc-bytes": str(received), "duration": str(lasted), **more}, CLIENT)


def facts(*events: Event) -> NetworkFacts:
    """What is kept of the records."""
    kept = NetworkFacts()
    for event in events:
        kept.observe(event)
    return kept
