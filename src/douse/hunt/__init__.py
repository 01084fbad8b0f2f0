"""The pipeline from paths to incidents: plan (what to read), work (read and match), spread and pool (over several
processes), gather (correlate and sum up)."""
