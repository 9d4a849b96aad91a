"""Figures that docs and release notes quote. Machines are noisy: read medians and ratios, never single values."""
