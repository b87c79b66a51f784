"""The deck: cards, chart, and the story of the start."""
