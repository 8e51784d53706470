"""How fast a campaign becomes certificates: rows read, requests proven, twins linted, signed, stored with their log.

    .venv/bin/python -m scripts.bench.issue [--quick] [--rows N]

`issue.rate` has a P-384 authority and verifies each request; `issue.rate_p256_proven` has a P-256 authority and keys
whose possession was proven elsewhere. The database is durable. The parts are processor time over both processes.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from time import monotonic

from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.campaigns import runner
from app.campaigns.models import Batch, Outcome, Result
from app.certificates.models import Certificate, CertificateState
from app.core import db
from pki import profiles
from pki.keys import Curve
from pki.profiles import ProfileName
from scripts.bench.campaign_rows import add_campaign
from scripts.bench.city import City, city, figure, is_quick, say


def measure(name: str, city_: City, rows: int, *, proven: bool) -> None:
    """Run one campaign and print its figures. Raises SystemExit if rows, certificates and log do not agree."""
    say(f"{name}: making {rows} rows")
    campaign_id = add_campaign(city_, rows, proven=proven)
    say(f"{name}: issuing")
    started = monotonic()
    runner.work_off(city_.settings, campaign_id)
    took = monotonic() - started
    with db.transaction() as session:
        done = session.scalar(
            select(func.count()).where(Outcome.campaign_id == campaign_id, Outcome.result == Result.CERTIFIED)
        )
        issued = session.scalar(select(func.count()).where(Certificate.state == CertificateState.ISSUED,
            Certificate.profile == ProfileName.CITIZEN_SIGNING))  # fmt: skip
        logged = session.scalar(
            select(func.count()).where(
                AuditEntry.act == "certificate_issued", AuditEntry.facts["campaign"].astext == str(campaign_id)
            )
        )
        spent = session.execute(
            select(func.sum(Batch.prove_us), func.sum(Batch.prepare_us), func.sum(Batch.sign_us)).where(
                Batch.campaign_id == campaign_id
            )
        ).one()
    if not rows == done == logged or (issued or 0) < rows:
        raise SystemExit(f"{rows} rows, {done} outcomes, {issued} certificates, {logged} log entries")
    figure(f"{name}", rows / took, "certificates/s")
    figure(f"{name}_total", took, "s")
    cores = 2 * took * 1_000_000
    parts = tuple(float(one or 0) for one in spent)
    for part, share in zip(("prove", "prepare_and_lint", "sign"), parts, strict=True):
        figure(f"{name}.{part}", 100 * share / cores, "% of two cores")
    figure(f"{name}.database_and_rest", 100 * (1 - sum(parts) / cores), "% of two cores")


def main() -> None:
    rows = 470_000
    if "--rows" in sys.argv:
        rows = int(sys.argv[sys.argv.index("--rows") + 1])
    if is_quick():
        rows = 30_000
    with city() as made:
        measure("issue.rate", made, rows, proven=False)
    # An installation that chose P-256 for its authorities; the profile is data (design, decision 9).
    with_p256()
    with city() as made:
        measure("issue.rate_p256_proven", made, rows, proven=True)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figure("issue.peak_memory_per_process", largest, "MB")


def with_p256() -> None:
    """Let authorities of this process have P-256 keys."""
    for name, profile in profiles.PROFILES.items():
        if profile.is_authority:
            profiles.PROFILES[name] = replace(profile, curve=Curve.P256)


if __name__ == "__main__":
    main()
