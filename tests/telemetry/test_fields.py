"""Sigma field names from System, EventData and UserData: every decision that fields.py states."""

from __future__ import annotations

from typing import Any

from douse.telemetry.fields import integer, nested_fields

SYSTEM: dict[str, Any] = {
    "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9"}},
    "EventID": 1, "Version": 5, "Level": 4, "Task": 1, "Opcode": 0, "Keywords": "0x8000000000000000",
    "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00.123456Z"}}, "EventRecordID": 77,
    "Correlation": None, "Execution": {"#attributes": {"ProcessID": 3500, "ThreadID": 4168}},
    "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "PC1.corp",
    "Security": {"#attributes": {"UserID": "S-1-5-18"}},
}


def event(data: object = None, **system: object) -> dict[str, Any]:
    """A decoded record with this EventData."""
    return {"#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {**SYSTEM, **system}, "EventData": data}


def test_system_names_are_sigmas() -> None:
    fields = nested_fields(event())
    assert fields == {
        "Provider_Name": "Microsoft-Windows-Sysmon", "Provider_Guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9",
        "EventID": 1, "Version": 5, "Level": 4, "Task": 1, "Opcode": 0, "Keywords": "0x8000000000000000",
        "TimeCreated_SystemTime": "2026-03-02T12:00:00.123456Z", "EventRecordID": 77, "Execution_ProcessID": 3500,
        "Execution_ThreadID": 4168, "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "PC1.corp",
        "Security_UserID": "S-1-5-18",
    }


def test_event_id_is_an_int_with_and_without_qualifiers_and_as_text() -> None:
    qualified = nested_fields(event(EventID={"#attributes": {"Qualifiers": 16384}, "#text": 7045}))
    assert (qualified["EventID"], qualified["EventID_Qualifiers"]) == (7045, 16384)
    assert nested_fields(event(EventID={"#attributes": {"Qualifiers": "0"}, "#text": "800"}))["EventID"] == 800
    assert nested_fields(event(EventID="4624", EventRecordID="12"))["EventID"] == 4624
    assert integer("no number", 5) == 5
    assert integer(None) == 0
    assert integer(1 << 80) == integer(str(1 << 80)) == 0
    assert nested_fields(event({"Size": 1 << 80}))["Size"] == "0x100000000000000000000"


def test_correlation_and_separate_attributes() -> None:
    fields = nested_fields(event(Correlation={"#attributes": {"ActivityID": "CF705CDF-21A7-0001-B779-72CFA721D301"}}))
    assert fields["Correlation_ActivityID"] == "CF705CDF-21A7-0001-B779-72CFA721D301"
    system = {"Provider_attributes": {"Name": "P"}, "EventID": 5, "Security_attributes": {}}
    separate = nested_fields({"System": system})
    assert separate == {"Provider_Name": "P", "EventID": 5}


def test_data_names_lose_their_blanks_and_values_stay_as_logged() -> None:
    fields = nested_fields(event({"#attributes": {"Name": "ignored"}, "Threat Name": "Lumma", "New Value": "0x1",
                                  "ProcessId": "0x324", "Initiated": True, "Port": 443, "Empty": "", "Null": None,
                                  "ProcessGuid": "{39e4a257-f133-5f8b-1c00-000000000700}"}))
    assert fields["ThreatName"] == "Lumma"
    assert fields["NewValue"] == "0x1"
    assert fields["ProcessId"] == "0x324"
    assert fields["Initiated"] is True
    assert fields["Port"] == 443
    assert fields["Empty"] == ""
    assert fields["Null"] is None
    assert fields["ProcessGuid"] == "{39e4a257-f133-5f8b-1c00-000000000700}"
    assert "Name" not in fields


def test_unnamed_data_become_one_list() -> None:
    assert nested_fields(event({"Data": {"#text": ["one", "two"]}, "Binary": None}))["Data"] == ["one", "two"]
    assert nested_fields(event({"Data": {"#text": "only"}}))["Data"] == ["only"]
    assert nested_fields(event({"Data": "only"}))["Data"] == ["only"]
    assert nested_fields(event({"Data": ["one", {"#text": 2}]}))["Data"] == ["one", "2"]
    assert nested_fields(event("bare text"))["Data"] == ["bare text"]
    assert "Data" not in nested_fields(event({"Data": None}))


def test_data_with_a_name_attribute_as_xml_converters_write_it() -> None:
    data = {"Data": [{"#attributes": {"Name": "Image"}, "#text": "C:\\a.exe"}, {"@Name": "User", "#text": "me"}]}
    fields = nested_fields(event(data))
    assert (fields["Image"], fields["User"]) == ("C:\\a.exe", "me")


def test_user_data_is_flattened_one_level_and_deeper_leaves_are_named() -> None:
    fields = nested_fields({"System": SYSTEM, "UserData": {"RmRestartEvent": {
        "#attributes": {"xmlns": "urn:x"}, "RmSessionId": 0,
        "Applications": {"Application": "first.exe", "Application_1": "second.exe", "RmSessionId": 9}}}})
    assert fields["RmSessionId"] == 0
    assert (fields["Application"], fields["Application_1"]) == ("first.exe", "second.exe")
    assert not any("xmlns" in name for name in fields)


def test_data_wins_over_system_except_event_id_and_provider() -> None:
    cleared = {"System": {**SYSTEM, "EventID": 104, "Channel": "System"}, "UserData": {"LogFileCleared": {
        "SubjectUserName": "admmig", "Channel": "Security", "EventID": 1, "Provider_Name": "forged", "Level": "x"}}}
    fields = nested_fields(cleared)
    assert fields["Channel"] == "Security"
    assert fields["Level"] == "x"
    assert fields["EventID"] == 104
    assert fields["Provider_Name"] == "Microsoft-Windows-Sysmon"


def test_hashes_stay_and_give_virtual_fields() -> None:
    hashes = "SHA1=AA,MD5=BB,SHA256=CC,IMPHASH=DD"
    fields = nested_fields(event({"Hashes": hashes}))
    assert fields["Hashes"] == hashes
    assert (fields["Imphash"], fields["md5"], fields["sha1"], fields["sha256"]) == ("DD", "BB", "AA", "CC")
    assert nested_fields(event({"Hashes": "MD5=BB", "md5": "the log's own"}))["md5"] == "the log's own"
    assert nested_fields(event({"Hash": "IMPHASH=DD"}))["Imphash"] == "DD"
    assert "md5" not in nested_fields(event({"Hashes": "-"}))


def test_the_rendered_message_of_a_forwarded_log_is_kept() -> None:
    forwarded = {**event({"a": "b"}), "RenderingInfo": {"Message": "A service was installed.", "Level": "Information"}}
    assert nested_fields(forwarded)["Message"] == "A service was installed."
    assert nested_fields(forwarded)["Level"] == 4


def test_hostile_shapes_do_not_break_it() -> None:
    deep: dict[str, Any] = {"leaf": 1}
    for _ in range(200):
        deep = {"x": deep}
    assert "leaf" not in nested_fields(event(deep))
    for data in ([], [1], 5, {"Data": [None, [], {}]}, {"#text": {"#text": {}}}, {"": ""}, {"a": [{"b": [1]}]}):
        assert nested_fields(event(data))["EventID"] == 1
    assert nested_fields({"System": [], "UserData": {"a": 5}}) == {"Data": ["5"]}


def test_numbers_that_tables_write_with_a_fraction_are_whole() -> None:
    assert [integer(value) for value in (4688.0, "4688.0", "4.688e3", " 4688 ")] == [4688] * 4
    assert [integer(value, -1) for value in (1.5, "1.5", float("nan"), "inf", 1e30, "", [], {})] == [-1] * 8
    assert nested_fields(event(EventID=4688.0))["EventID"] == 4688


def nested(depth: int, around: str = "list") -> object:
    value: object = "a"
    for _ in range(depth):
        value = [value] if around == "list" else {"#text": [value]} if around == "text" else [{"b": value}, value]
    return value


def test_lists_in_lists_are_their_texts_however_deep() -> None:
    assert nested_fields(event({"A": [1, ["b", [None, {"#text": ["c", 2]}]], {"no": "text"}]}))["A"] == [
        "1", "b", "", "c", "2", ""]
    assert nested_fields(event({"Data": ["a", ["b", {"#text": ["c"]}]]}))["Data"] == ["a", "b", "c"]
    listed = nested_fields(event(["a", ["b"], {"@Name": "C", "#text": "d"}]))
    assert (listed["Data"], listed["C"]) == (["a", "b"], "d")
    for around in ("list", "text"):
        deep = nested(10_000, around)
        for section in ({"A": deep}, {"Data": deep}):
            assert list(nested_fields(event(section)).values())[-1] == ["a"], "no recursion, no doubling"
    assert nested_fields(event({"A": nested(18, "map")}))["A"][-1] == "a"
