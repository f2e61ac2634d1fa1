"""Packaged clinical defaults as TOML: seeds for versioned rows, each number with its source."""
