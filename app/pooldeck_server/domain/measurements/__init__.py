"""Measurements: what runs cost, and the statistics over them."""
