//! Everything in memory, for `--in-memory`.
