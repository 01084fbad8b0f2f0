"""What a rule says: text in, Sigma's documents, selections and conditions out, as terms that reference.py can ask."""
