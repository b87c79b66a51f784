"""The pages of pipelines, and the drawing of what comes after what."""
