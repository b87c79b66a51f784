"""What is kept and for how long: rules, deletion, and the room that the database takes."""
