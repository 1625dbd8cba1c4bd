//! Cross-crate tests and tools.
