"""Audit entries out of SDDL."""

from __future__ import annotations

import pytest

from douse.harden.evidence.sddl import sacl_of


@pytest.mark.parametrize(("sddl", "expected"), [
    ("S:(AU;OICISA;CC;;;WD)", (True, True, True)),
    ("O:BAG:SYD:PAI(A;OICI;FA;;;SY)S:AI(AU;OICISA;0x1;;;S-1-1-0)", (True, True, True)),
    ("S:(AU;OICISAFA;FR;;;WD)", (True, True, True)),
    ("S:(AU;OICISA;GR;;;BU)", (True, True, False)),
    ("S:(AU;SA;FA;;;WD)", (True, False, True)),
    ("S:(AU;CISA;FA;;;WD)", (True, False, True)),
    ("S:(AU;OICINPSA;FA;;;WD)", (True, False, True)),
    ("S:(AU;OICISA;0x2;;;WD)", (False, False, False)),
    ("S:(AU;OICIFA;FR;;;WD)", (False, False, False)),
    ("S:(AU;OICISA;SDDT;;;WD)", (False, False, False)),
    ("S:(AU;OICISA;SDCC;;;WD)", (True, True, True)),
    ("S:(AU;SA;CC;;;WD)(AU;OICISA;CC;;;BA)", (True, False, True)),
    ("S:(AU;SA;CC;;;WD)(AU;OICISA;CC;;;WD)", (True, True, True)),
    ("S:(AU;OICISA;0xzz;;;WD)", (False, False, False)),
    ("S:(AU;OICISA;CC)", (False, False, False)),
    ("S:(ML;;NW;;;LW)", (False, False, False)),
    ("S:", (False, False, False)),
    ("O:BAG:SYD:(A;;FA;;;BA)", (False, False, False)),
    ("", None), ("nonsense", None), ("(AU;OICISA;CC;;;WD)", None),
])
def test_entries(sddl, expected) -> None:
    found = sacl_of(sddl, "anna", "x")
    assert (None if found is None else (found.reads, found.inheritable, found.everyone)) == expected
    if found is not None:
        assert (found.profile, found.path) == ("anna", "x")
