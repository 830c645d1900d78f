"""Where the vendors' words end: paths, JSON keys and status codes live here and nowhere else."""
