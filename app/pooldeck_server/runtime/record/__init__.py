"""What is written: one writer, and what follows behind it."""
