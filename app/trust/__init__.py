"""Whom the check trusts beside the city's own authorities, and the lists of outside authorities that it may fetch."""
