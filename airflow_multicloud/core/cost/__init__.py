"""What clouds cost: from the exported bill to answers."""
