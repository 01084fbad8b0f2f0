"""Matches over time: correlation documents in, windows of alerts that meet them out."""
