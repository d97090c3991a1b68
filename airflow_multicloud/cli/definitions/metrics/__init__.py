"""What the commands about metrics can be told."""
