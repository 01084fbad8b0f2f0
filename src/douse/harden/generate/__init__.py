"""Controls in, a bundle of policy files out: apply, verify and undo made from the same data, never run by us."""
