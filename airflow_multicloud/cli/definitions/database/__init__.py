"""Commands about databases."""
