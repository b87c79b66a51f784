"""What Pooldeck speaks about: values and rules, no I/O."""
