"""The pipeline from paths to incidents: plan (what to read), work (read and match), gather (correlate and sum up)."""
