"""Working off a campaign, batch by batch: take rows, record what will be signed, sign, store.

Killed anywhere and started again, each row ends with one outcome and each serial number with at most one certificate:
what is signed stands in the journal of the batch before anybody sees it, and what may have been signed without a trace
is never signed again (app.campaigns.batch_journal).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Final
from uuid import UUID

from app.campaigns import batches
from app.campaigns.batch_journal import BatchJournal, Busy
from app.campaigns.batches import Timings
from app.campaigns.intents import Intent, Intents
from app.campaigns.models import Batch, BatchState
from app.campaigns.preparation import Preparers, prepare_batch
from app.certificates import key_access
from app.certificates.models import Authority
from app.core.db import transaction
from app.core.failpoints import reach
from app.core.settings import Settings
from pki.authority import check_issued
from pki.bulk import assemble, check_sample
from pki.keys import SignatureAlgorithm, SigningKey, signature_algorithm

SIZE: Final = 2_000

Clock = Callable[[], datetime]


def _system_time() -> datetime:
    return datetime.now(UTC)


@dataclass
class Engine:
    """Works off one campaign in this process; several processes may do so at once."""

    settings: Settings
    campaign_id: UUID
    size: int = SIZE
    now: Clock = _system_time
    _preparers: Preparers = field(init=False, repr=False)
    _keys: dict[UUID, SigningKey] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._preparers = Preparers(self.settings)

    def run(self) -> None:
        """Work until there is nothing left to take, or the campaign was paused or stopped."""
        while self.step():
            pass
        with transaction() as session:
            batches.end_waves(session, self.campaign_id, now=self.now())
        self._sweep()

    def step(self) -> bool:
        """Work off one batch, one left over by a process that died first; False when there is none."""
        with transaction() as session:
            left_over = batches.open_batches(session, self.campaign_id)
        for batch_id in left_over:
            try:
                with self._journal(batch_id) as journal:
                    self._work_off(batch_id, journal)
                return True
            except Busy:
                continue
        return self._take_new()

    def _take_new(self) -> bool:
        batch_id = uuid.uuid4()
        try:
            journal = self._journal(batch_id)
        except Busy:
            # Somebody who sweeps up has just looked at it; take another.
            return True
        with journal:
            with transaction() as session:
                planned = batches.plan(session, self.campaign_id, batch_id, size=self.size, now=self.now())
            if not planned:
                journal.forget()
                return False
            reach("campaign.planned")
            self._work_off(batch_id, journal)
        return True

    def _work_off(self, batch_id: UUID, journal: BatchJournal) -> None:
        prove = prepare = 0
        with transaction() as session:
            batch = session.get(Batch, batch_id)
            if batch is None or batch.state == BatchState.DONE:
                # Finished by its owner between our look and our lock.
                journal.forget()
                return
            if batch.state == BatchState.PLANNED:
                made = prepare_batch(session, self._preparers, batch, now=self.now())
                prove, prepare = made.prove_us, made.prepare_us
                batches.record(session, batch, made.intents, made.passed_over)
                intents = made.intents
                reach("issue.prepared")
            else:
                intents = Intents.decode(batch.intents or b"")
        reach("issue.before_sign")
        started = process_time()
        certificates = self._sign(intents, journal)
        timings = Timings(prove, prepare, int((process_time() - started) * 1_000_000))
        reach("issue.journalled")
        with transaction() as session:
            batch = session.get_one(Batch, batch_id, with_for_update=True)
            batches.store(session, batch, intents, certificates, timings=timings, now=self.now())
            reach("issue.before_commit")
        reach("issue.committed_before_reply")
        journal.forget()

    def _sign(self, intents: Intents, journal: BatchJournal) -> dict[int, bytes]:
        """Return the certificates by row number; those of unknown outcome are missing."""
        key = self._key(intents.authority_id)
        algorithm = signature_algorithm(key.public_key)
        known = journal.read([one.number for one in intents.each])
        certificates = {}
        for one in intents.each:
            if one.number in known.signatures:
                found = assemble(one.tbs_der, known.signatures[one.number], algorithm.der)
                check_issued(one.tbs_der, found, key.public_key)
                certificates[one.number] = found
        certificates |= self._sign_the_rest(
            [one for one in intents.each if one.number not in certificates and one.number not in known.unknown],
            key,
            algorithm,
            journal,
            begun=bool(known.signatures or known.unknown),
        )
        return certificates

    def _sign_the_rest(
        self, each: list[Intent], key: SigningKey, algorithm: SignatureAlgorithm, journal: BatchJournal, *, begun: bool
    ) -> dict[int, bytes]:
        if not each:
            return {}
        if not begun:
            journal.begin()
        made = {}
        for one in each:
            signature = key.sign(one.tbs_der, hash=algorithm.hash)
            reach("issue.signed_before_journal")
            journal.append(one.number, signature)
            made[one.number] = assemble(one.tbs_der, signature, algorithm.der)
        check_sample(list(made.values()), key.public_key)
        journal.sync()
        return made

    def _sweep(self) -> None:
        """Remove the journals of batches that are done, or were never planned; their process died before it could."""
        for path in self._folder.glob("*.journal"):
            try:
                with BatchJournal(path) as journal, transaction() as session:
                    batch = session.get(Batch, UUID(path.stem))
                    if batch is None or batch.state == BatchState.DONE:
                        journal.forget()
            except Busy:
                continue

    def _key(self, authority_id: UUID) -> SigningKey:
        if authority_id not in self._keys:
            with transaction() as session:
                authority = session.get_one(Authority, authority_id)
            self._keys[authority_id] = key_access.load(self.settings, authority.key_reference)
        return self._keys[authority_id]

    def _journal(self, batch_id: UUID) -> BatchJournal:
        return BatchJournal(self._folder / f"{batch_id}.journal")

    @property
    def _folder(self) -> Path:
        return self.settings.data_dir / "campaigns" / str(self.campaign_id)
