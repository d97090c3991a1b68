"""Microsoft Entra's tokens, as far as the local Resource Manager needs them."""
