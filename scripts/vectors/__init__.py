"""Make tests/data/passes/vectors.json: the cases that the Python and the TypeScript reader of passes must answer alike.

    .venv/bin/python -m scripts.vectors

Keys are made anew at each run and not kept: what is checked is that both sides agree, and with what is written here.
"""
