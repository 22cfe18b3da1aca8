"""Production use: a file of titles in, labels out."""
