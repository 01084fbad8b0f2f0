"""Douse detects infostealer malware in Windows telemetry, explains the incident, and helps put it out."""

__version__ = "0.1.0"
__all__ = ["__version__"]
