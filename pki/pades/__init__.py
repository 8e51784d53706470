"""PAdES signatures in two requests (prepare, finish), their check (verify), and the intake of foreign PDFs.

What is deliberately not here: keys, network, storage, and the limited process that hostile files are opened in.
"""
