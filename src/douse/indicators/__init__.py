"""Indicators that others name: files of theirs in, and what of an event is one of them out.

    read_files(paths) -> IndicatorFiles         read: which format it is     lines, table, stix: the formats
    Watch(known).match(event) -> Hits           watch: the look-ups          places: which field of which record

`spelling` writes a value in the one way that both sides compare, `values` says what a text names and refuses what would
match everything, `known` is what is kept of it. A Hit becomes an Alert in hunt/, because detection and this room do not
know each other. What an incident itself names is incident/indicators.py.
"""
