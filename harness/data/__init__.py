"""What simulate, clean, profile and study do with files of leads."""
