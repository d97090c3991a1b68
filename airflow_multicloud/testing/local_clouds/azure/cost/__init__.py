"""Azure's cost APIs: operations that the local Resource Manager serves."""
