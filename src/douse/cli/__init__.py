"""The command line: `main` builds the group, one file per command, `show` for the terminal.

A command parses its options, makes one call of `douse.api`, and shows what came back. It imports nothing heavy at the
top of its file, so that `douse hunt --help` answers at once; tests/test_house.py holds it to that.
"""
