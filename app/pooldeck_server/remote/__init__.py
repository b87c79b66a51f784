"""Commands that talk to a running server, over HTTP as any other program does."""
