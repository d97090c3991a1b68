"""Azure on loopback: one package per service, and Resource Manager, which carries most of them."""
