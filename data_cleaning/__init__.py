"""Raw leads in, clean and labelled titles out; imports no sibling package."""
