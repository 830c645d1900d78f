"""Settings of the processes, and the environments that runs deploy to."""
