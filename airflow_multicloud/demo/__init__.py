"""The main job on local clouds, as ``make demo`` shows it."""
