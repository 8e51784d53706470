"""The use of private keys behind one narrow call, so that a key may live in a file, a token or another process."""

from pki.keys.signing import Curve, PublicKey, SignatureAlgorithm, SigningKey, SoftwareKey, signature_algorithm

__all__ = ["Curve", "PublicKey", "SignatureAlgorithm", "SigningKey", "SoftwareKey", "signature_algorithm"]
