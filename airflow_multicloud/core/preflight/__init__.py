"""What operations need to be allowed, told before they run."""
