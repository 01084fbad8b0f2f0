"""Rules + Events -> Alerts. Start with ruleset.py; reference.py says when a rule matches, parse.py what a rule is."""
