"""What all commands of `pooldeck` share: their table, their options, what they print and refuse."""
