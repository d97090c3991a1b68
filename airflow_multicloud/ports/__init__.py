"""One small protocol per service, with its value types; nothing but the standard library."""
