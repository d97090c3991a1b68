"""Log records shipped to clouds, and entries queried from them."""
