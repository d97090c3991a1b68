"""What the commands about databases do."""
