"""What the business tags for: how far communications penetrate, and whom to follow up."""
