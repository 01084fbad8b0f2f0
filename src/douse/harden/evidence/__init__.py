"""Files and folders that an administrator collected become Evidence; each format has a reader (table.py)."""
