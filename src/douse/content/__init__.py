"""Douse's own data: a folder and a typed loader for each kind; the folder's README defines its format."""

from pathlib import Path

CONTENT = Path(__file__).parent
"""The folder that holds the folders."""
