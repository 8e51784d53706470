"""The API under /api/v1: how operations are declared, called and described; each capability has its own in `api.py`."""
