"""Measuring: what a run costs, and what its threads wait for."""
