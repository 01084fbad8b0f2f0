"""The same answers as reference.py, fast: probes of all rules in one automaton a field, compiled rules kept on disk."""
