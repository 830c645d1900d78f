"""One module for each noun. A route translates; it decides nothing."""
