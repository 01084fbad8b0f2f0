"""Evidence and controls in, findings out: what each host, policy and tenant has of each control, with its proof."""
