"""What the commands about money do."""
