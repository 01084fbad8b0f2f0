"""Alerts and facts of one host become incidents: what happened, how sure we are, what could not be seen, what to do."""
