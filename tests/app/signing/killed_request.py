"""One request of a signed-in person to `web`, in a process of its own that may be told to die on its way.

    python -m tests.app.signing.killed_request COOKIE PATH JSON

The settings come from the environment, as those of `web` do; what was answered is printed.
"""

from __future__ import annotations

import json
import os
import sys

from app import create_app
from app.core import db
from app.core.settings import load
from tests.factories.forms import csrf_token


def main() -> None:
    cookie, path, body = sys.argv[1:]
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    client = create_app(settings).test_client()
    client.set_cookie("kyvao", cookie)
    headers = {"Accept": "application/json", "X-CSRFToken": csrf_token(client, "/documents/new")}
    answer = client.post(path, json=json.loads(body), headers=headers)
    print(json.dumps({"status": answer.status_code, "body": answer.get_json()}))


if __name__ == "__main__":
    main()
