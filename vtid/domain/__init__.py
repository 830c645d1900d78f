"""What a run is and what must hold for it. Pure: imports the standard library only."""
