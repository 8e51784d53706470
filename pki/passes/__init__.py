"""The pass in a guest's QR code: what it claims, how it is signed, written, drawn, and decided upon at a gate."""
