"""The timeline, and the data that its drawing asks for."""
