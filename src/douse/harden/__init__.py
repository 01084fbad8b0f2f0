"""Controls against infostealers: what evidence says of them, whether a block is safe, and the files to deploy it."""
