"""Systems with torch: a fine-tuned encoder with one head per target."""
