"""Logging: one JSON line an event, to standard error; identifiers only, never names, numbers or document text."""

from __future__ import annotations

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request

from app.core.references import new_reference

log: structlog.stdlib.BoundLogger = structlog.get_logger("kyvao")


def configure_logs(process: str) -> None:
    """Set up structlog for this process; `process` (web, status, worker …) stands in each line."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def init_request_log(app: Flask) -> None:
    """Give each request a reference and write one line when it ends."""

    def begin() -> None:
        g.reference = new_reference()
        g.started = time.monotonic()
        structlog.contextvars.bind_contextvars(reference=g.reference)

    def end(response: Response) -> Response:
        # The rule, not the path: a path may hold an identifier that only its owner should know.
        rule = request.url_rule.rule if request.url_rule else "unmatched"
        if not rule.startswith("/static"):
            elapsed = round((time.monotonic() - g.started) * 1000, 1)
            log.info("request", method=request.method, rule=rule, status=response.status_code, milliseconds=elapsed)
        return response

    app.before_request(begin)
    app.after_request(end)
