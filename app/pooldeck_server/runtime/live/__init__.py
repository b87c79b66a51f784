"""What is live on screen: health, history, notices, and the frames that carry them."""
