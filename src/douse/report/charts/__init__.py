"""Geometry of the report's drawings: numbers in, positions out; templates/charts.html.j2 turns them into SVG.

Nothing here knows SVG, colours or evidence: a mark has a level and a label, and the style sheet decides its looks.
Every drawing has a table or a list beside it that says the same in text.
"""
