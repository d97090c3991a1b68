"""What the commands about objects do."""
