"""What a call leaves behind in its process: put back, or named in its log."""
