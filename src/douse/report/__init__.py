"""A result as people and programs want it: document (plain dicts), machine (json, jsonl), html.

Input is a HuntResult, never evidence itself. `formats.py` is the table of formats; `story.py` holds what the HTML
report and the terminal (cli/show.py) both tell, so that they cannot tell it differently.
"""
