"""Measures this library against its peers, side by side. See docs/performance.md."""
