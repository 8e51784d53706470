"""Carrying a check from the stored file to its end, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from uuid import UUID

from app.campaigns import checking
from app.campaigns.file_faults import FileRefused
from app.campaigns.models import Campaign, CampaignState
from app.campaigns.reading import open_people
from app.core.db import transaction
from app.core.failpoints import reach
from app.core.logs import log
from app.core.settings import Settings
from app.core.storage import Storage

Clock = Callable[[], datetime]


def run(settings: Settings, campaign_id: UUID, clock: Clock, *, piece: int = checking.PIECE) -> None:
    """Check the file of a campaign, from where an earlier attempt stopped. The file is taken away at the end.

    Its rows are kept, without the numbers of people; the file would keep those.
    """
    with transaction() as session:
        check = checking.begin(session, settings, campaign_id, now=clock())
        if check is None:
            return
        campaign = session.get_one(Campaign, campaign_id)
        file_sha256, done = campaign.file_sha256, campaign.rows_checked
    storage = Storage(settings.data_dir / "objects")
    try:
        with open_people(storage.path_of(file_sha256), check.mode, check.profile) as people:
            records = people.records()
            for _ in islice(records, done):
                pass
            while chunk := list(islice(records, piece)):
                with transaction() as session:
                    if not checking.check_piece(
                        session, check, chunk, before=done, permille=people.permille(), now=clock()
                    ):
                        return
                    reach("campaign.piece_checked")
                done += len(chunk)
        with transaction() as session:
            ended = checking.finish(session, campaign_id, checked=done, now=clock())
        log.info("campaign_checked", campaign=str(campaign_id), rows=done, ended=ended)
    except FileRefused as refused:
        with transaction() as session:
            checking.fail(session, campaign_id, refused.code, now=clock())
        log.info("campaign_file_refused", campaign=str(campaign_id), why=refused.fault)
    _remove(settings, campaign_id, file_sha256)


def _remove(settings: Settings, campaign_id: UUID, file_sha256: str) -> None:
    """Delete the file unless a check still needs it: the same file may have been given to two campaigns."""
    with transaction() as session:
        needed = (
            session.query(Campaign.id)
            .filter(Campaign.file_sha256 == file_sha256, Campaign.state == CampaignState.CHECKING)
            .first()
        )
        if needed is None:
            Storage(settings.data_dir / "objects").remove(file_sha256)
