"""A secret looked up in several stores, in bounded time."""
