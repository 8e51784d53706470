"""What came of invitations: who attended, and what is kept of it."""
