"""What the commands about secrets do."""
