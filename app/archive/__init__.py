"""The archive of signed documents: proofs raised to the level that each needs, and renewed before they end."""
