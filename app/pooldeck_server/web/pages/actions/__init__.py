"""The log of actions: who did what to what."""
