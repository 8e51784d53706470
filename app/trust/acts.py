"""What two people decide: to trust a root, to trust it no longer, to let a host be asked.

The digest that an approver agrees to is of the very certificate, and of all that is entered about it.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals.kinds import LIFETIME, ActKind, Description, kind_of
from app.approvals.models import Act, ActState, Decision
from app.approvals.reading import votes
from app.audit import service as audit
from app.core.errors import Conflict, Invalid, Sentence
from app.core.i18n import moment
from app.core.permissions import Actor
from app.trust import evidence, service, words
from app.trust.models import Kind, TrustAnchor, TrustHost
from pki.trust_list import RootFile, RootRefused, check_root, read_root

IMPORT: Final = "trust_anchor"
REMOVAL: Final = "trust_anchor_removal"
HOST: Final = "trust_host"
_LONGEST_HOST: Final = 253


@dataclass(frozen=True)
class People:
    """Who decided on an act."""

    act_id: UUID
    asked_by: str
    approved_by: tuple[str, ...]


def ask_to_import(session: Session, actor: Actor, content: bytes, *, kind: Kind, reason: str, now: datetime) -> Act:
    """Ask for a root to be trusted, with the file that holds it; another administrator approves.

    Raises Invalid with what is wrong with the root, Conflict for one that is trusted already.
    """
    try:
        found = read_root(content, now=now)
    except RootRefused as error:
        raise words.refusal(error.fault) from error
    service.check_not_there(session, found.root_der)
    sha256 = words.sha256(found.root_der)
    payload = {
        "root": _encoded(found.root_der),
        "below": [_encoded(one) for one in found.below_der],
        "sha256": sha256,
        "kind": kind.value,
        "reason": service.checked_reason(reason),
    }
    return approvals.request(
        session, actor, IMPORT, payload, agency_id=None, object_kind="trust_anchor", object_id=sha256, now=now
    )


def ask_to_remove(session: Session, actor: Actor, anchor_id: UUID, *, reason: str, now: datetime) -> Act:
    """Ask for a root to be trusted no longer. Raises NotFound, Conflict for one that was removed."""
    anchor = service.find_anchor(session, anchor_id)
    _check_trusted(anchor)
    return approvals.request(
        session,
        actor,
        REMOVAL,
        {"sha256": anchor.sha256, "reason": service.checked_reason(reason)},
        agency_id=None,
        object_kind="trust_anchor",
        object_id=str(anchor.id),
        now=now,
    )


def ask_for_host(
    session: Session,
    actor: Actor,
    host: str,
    *,
    port: int | None,
    may_be_private: bool,
    reason: str,
    now: datetime,
) -> Act:
    """Ask for a host to be listed. Raises Invalid for what is no host, Conflict for one that is listed already."""
    name = canonical_host(host)
    if port is not None and not 1 <= port <= 65535:
        raise Invalid(_l("A port is a number from 1 to 65535."))
    _check_not_listed(session, name, port)
    payload = {"host": name, "port": port, "private": may_be_private, "reason": service.checked_reason(reason)}
    return approvals.request(
        session, actor, HOST, payload, agency_id=None, object_kind="trust_host", object_id=name, now=now
    )


def waiting(session: Session) -> Sequence[Act]:
    """Return what was asked for here and is not decided, the first to expire first."""
    kinds = Act.kind.in_((IMPORT, REMOVAL, HOST))
    query = select(Act).where(Act.state == ActState.PENDING, Act.expires_at > func.now(), kinds)
    return session.scalars(query.order_by(Act.expires_at)).all()


def waiting_for(session: Session, anchor_id: UUID) -> Act | None:
    """Return the request to remove a root that waits for a decision."""
    return next((act for act in waiting(session) if act.object_id == str(anchor_id)), None)


def title(session: Session, act: Act) -> Sentence:
    return kind_of(act.kind).describe(session, act).title


def people(session: Session, act_id: UUID) -> People:
    """Return who asked for an act of this room and who approved it."""
    act = session.get_one(Act, act_id)
    asked_by = accounts.labels(session, [act.requested_by])[act.requested_by]
    approved = [label for vote, label in votes(session, act_id) if vote.decision == Decision.APPROVE]
    return People(act_id, asked_by, tuple(approved))


def canonical_host(text: str) -> str:
    """Return a host as addresses in certificates spell it: lower case, ASCII. Raises Invalid for what is none."""
    wanted = text.strip().rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(wanted.strip("[]")))
    except ValueError:
        pass
    try:
        name = wanted.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    labels = name.split(".")
    plain = all(one and one.replace("-", "").isalnum() and not one.startswith("-") for one in labels)
    # A last label of digits is an address in one of the old spellings, such as 127.1.
    if not plain or len(name) > _LONGEST_HOST or labels[-1].isdigit() or labels[-1].startswith("0x"):
        raise Invalid(
            _l("This is no name of a host. Write it like crl.example.vn, without http:// and without a path.")
        )
    return name


def _execute_import(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    found, kind, reason = _read_import(act)
    root = x509.load_der_x509_certificate(found.root_der)
    try:
        check_root(root, now=now)
    except RootRefused as error:
        raise words.refusal(error.fault) from error
    service.check_not_there(session, found.root_der)
    anchor = TrustAnchor(
        certificate_der=found.root_der,
        sha256=words.sha256(found.root_der),
        subject=root.subject.rfc4514_string(),
        not_before=root.not_valid_before_utc,
        not_after=root.not_valid_after_utc,
        kind=kind,
        below_der=list(found.below_der),
        reason=reason,
        act_id=act.id,
        imported_at=now,
    )
    session.add(anchor)
    session.flush()
    audit.record(
        session,
        actor,
        "trust_anchor_imported",
        object_kind="trust_anchor",
        object_id=anchor.id,
        sha256=anchor.sha256,
        kind=anchor.kind,
    )


def _execute_removal(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    anchor = session.get_one(TrustAnchor, UUID(act.object_id), with_for_update=True, populate_existing=True)
    _check_trusted(anchor)
    anchor.removed_at, anchor.removal_reason, anchor.removal_act_id = now, str(act.payload["reason"]), act.id
    evidence.forget_anchor(session, anchor.id)
    session.flush()
    audit.record(
        session,
        actor,
        "trust_anchor_removed",
        object_kind="trust_anchor",
        object_id=anchor.id,
        sha256=anchor.sha256,
        kind=anchor.kind,
    )


def _execute_host(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    name, port, private, reason = _read_host(act)
    _check_not_listed(session, name, port)
    host = TrustHost(host=name, port=port, may_be_private=private, reason=reason, act_id=act.id, added_at=now)
    session.add(host)
    session.flush()
    audit.record(
        session,
        actor,
        "trust_host_added",
        object_kind="trust_host",
        object_id=host.id,
        host=name,
        port=port,
        private=private,
    )


def _describe_import(session: Session, act: Act) -> Description:
    del session
    found, kind, reason = _read_import(act)
    root = x509.load_der_x509_certificate(found.root_der)
    below = [words.name_of(x509.load_der_x509_certificate(one).subject) for one in found.below_der]
    rows: list[tuple[Sentence, Sentence]] = [
        *words.facts(root),
        (_l("Kind"), words.KINDS[kind]),
        (_l("Signatures below it are called"), words.CLASSES[kind]),
        (_l("Reason"), reason),
    ]
    if below:
        rows.insert(-3, (_l("Authorities below it in the file"), "; ".join(below)))
    return Description(
        _l("Trust the root “%(name)s”", name=words.name_of(root.subject)),
        rows=rows,
        impact=[
            _l("Every check then accepts signatures whose certificates lead to this root and are not revoked."),
            _l("Compare the fingerprint with one that reached you another way, on paper or by telephone."),
        ],
    )


def _describe_removal(session: Session, act: Act) -> Description:
    anchor = service.find_anchor(session, UUID(act.object_id))
    root = x509.load_der_x509_certificate(anchor.certificate_der)
    return Description(
        _l("Trust the root “%(name)s” no longer", name=words.name_of(root.subject)),
        rows=[*words.facts(root), (_l("Kind"), words.KINDS[Kind(anchor.kind)]), (_l("Reason"), act.payload["reason"])],
        impact=removal_impact(session, anchor),
    )


def removal_impact(session: Session, anchor: TrustAnchor) -> Sequence[Sentence]:
    """Return in words what will no longer be valid."""
    kept = evidence.count_of(session, anchor.id)
    impact: list[Sentence] = [
        _l("Signatures below this root are no longer valid in a check: it says “not enough evidence” from then on."),
        _l("That holds for papers signed long ago too. Nothing in the papers themselves changes."),
        _l("It would have been trusted until %(moment)s.", moment=moment(anchor.not_after)),
    ]
    if anchor.below_der:
        below = len(anchor.below_der)
        impact.append(
            ngettext("%(num)d authority below it ends with it.", "%(num)d authorities below it end with it.", below)
        )
    if kept:
        impact.append(
            ngettext(
                "%(num)d answer fetched for its certificates is deleted.",
                "%(num)d answers fetched for its certificates are deleted.",
                kept,
            )
        )
    return impact


def _describe_host(session: Session, act: Act) -> Description:
    del session
    name, port, private, reason = _read_host(act)
    return Description(
        _l("Let the host %(host)s be asked", host=words.place(name, port)),
        rows=[
            (_l("Server"), words.place(name, port)),
            (_l("Addresses"), words.addresses(private)),
            (_l("Reason"), reason),
        ],
        impact=[
            _l("A check asks it for revocation lists and status, for certificates below a trusted root only."),
            _l("The host can see which certificates are asked about, and when."),
            *(
                [_l("It may lie in the city's own network. Make sure that this is really its place.")]
                if private
                else []
            ),
        ],
    )


def _read_import(act: Act) -> tuple[RootFile, Kind, str]:
    payload = act.payload
    below = tuple(base64.b64decode(one) for one in payload["below"])
    return RootFile(base64.b64decode(payload["root"]), below), Kind(payload["kind"]), str(payload["reason"])


def _read_host(act: Act) -> tuple[str, int | None, bool, str]:
    payload = act.payload
    return str(payload["host"]), payload["port"], bool(payload["private"]), str(payload["reason"])


def _check_trusted(anchor: TrustAnchor) -> None:
    if anchor.removed_at is not None:
        raise Conflict(_l("This root was removed already. Nothing was changed."))


def _check_not_listed(session: Session, name: str, port: int | None) -> None:
    same = TrustHost.host == name, TrustHost.port.is_not_distinct_from(port), TrustHost.removed_at.is_(None)
    if session.scalar(select(TrustHost.id).where(*same)) is not None:
        raise Conflict(_l("This host is listed already. Nothing was changed."))


def _encoded(der: bytes) -> str:
    return base64.b64encode(der).decode()


for _name, _execute, _describe in (
    (IMPORT, _execute_import, _describe_import),
    (REMOVAL, _execute_removal, _describe_removal),
    (HOST, _execute_host, _describe_host),
):
    approvals.register(ActKind(_name, service.MANAGE, 1, LIFETIME, _execute, _describe))
