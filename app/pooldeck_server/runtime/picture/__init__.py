"""What is seen: counts, health, history, and the frames that tell of them."""
