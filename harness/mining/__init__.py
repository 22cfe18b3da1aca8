"""What a fitted network has learned, brought back to the keyword table, and what the table is worth row by row."""
