"""Values as JSON, out and in: by one table of types, and by annotations."""
