"""Numbers of binary XML, compared with bytes read from a real event log."""

from datetime import UTC, datetime, timedelta

import pytest

from douse.simulate import binxml
from douse.simulate.values import Guid, Hex32, Hex64, Sid


@pytest.mark.parametrize(("name", "digest"), [("Event", 0x0CBA), ("xmlns", 0x0FBC), ("System", 0x546F)])
def test_hash_of_a_name_is_the_one_in_real_logs(name: str, digest: int) -> None:
    assert binxml.name_hash(name) == digest


def test_identifiers_are_stored_as_windows_does() -> None:
    assert binxml.guid_bytes("5770385F-C22A-43E0-BF4C-06F5698FFBD9").hex() == "5f3870572ac2e043bf4c06f5698ffbd9"
    assert binxml.sid_bytes("S-1-5-18").hex() == "010100000000000512000000"


def test_a_time_counts_tenths_of_microseconds_since_1601() -> None:
    assert binxml.filetime(datetime(1970, 1, 1, tzinfo=UTC)) == 116_444_736_000_000_000
    assert binxml.filetime(datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=3)) == 30


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1])
def test_a_number_that_fits_no_type_is_an_overflow(number: int) -> None:
    with pytest.raises(OverflowError):
        binxml.encode(number)


def test_an_optional_hole_and_the_names_of_a_second_template_are_references() -> None:
    names = binxml.Names()
    first = binxml.template((("Image",), (binxml.TEXT,)), names, 1000)
    known = dict(names.offsets)
    second = binxml.template((("Other",), (binxml.TEXT,)), names, 5000)
    assert set(known) == binxml.ALL_NAMES
    assert names.offsets == known
    assert len(second) < len(first) / 2, "the second template repeats no name"


@pytest.mark.parametrize("text", ["not a guid", "5770385F-C22A-43E0-BF4C", "{5770385F-C22A-43E0-BF4C-06F5698FFBD9"])
def test_values_refuse_what_they_are_not(text: str) -> None:
    if text.startswith("{"):
        assert Guid(text + "}") == "5770385F-C22A-43E0-BF4C-06F5698FFBD9"
        return
    with pytest.raises(ValueError, match="not a GUID"):
        Guid(text)
    with pytest.raises(ValueError, match="not a SID"):
        Sid(text)


def test_hexadecimal_numbers_read_as_evtx_dump_prints_them() -> None:
    assert (Hex32(0x1FFFFF), Hex64(0)) == ("0x1fffff", "0x0")
    with pytest.raises(ValueError, match="32 bits"):
        Hex32(1 << 32)
