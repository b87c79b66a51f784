"""Parts of several pages: rendering, forms, flash messages, questions, drawings."""
