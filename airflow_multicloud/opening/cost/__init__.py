"""What the cost questions read, opened from paths and URIs."""
