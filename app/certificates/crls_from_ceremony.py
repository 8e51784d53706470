"""Publishing a list that a ceremony signed: the root's, where the root's key is under lock."""

from __future__ import annotations

from cryptography import x509
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import crl_making, crls
from app.certificates.crl_models import CrlShard, ShardChange
from app.certificates.models import Authority, Crl
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from pki.crl import check_succession, missing_entries, serials_of
from pki.errors import PkiError
from pki.lint_crl import lint_crl


def take_in(session: Session, crl_der: bytes, *, actor: Actor) -> Crl:
    """Publish the next list of the root. Repeating it changes nothing.

    Raises Invalid if the root did not sign it, or it may not follow the last one; Conflict if it does not name exactly
    the authorities that the register has as revoked.
    """
    root = session.scalars(select(Authority).where(Authority.issuer_id.is_(None))).one()
    row = session.scalars(select(CrlShard).where(CrlShard.authority_id == root.id).with_for_update()).one()
    last = crls.newest(session, root.id, 0)
    if last is not None and last.der == crl_der:
        return last
    try:
        lint_crl(crl_der, issuer_certificate_der=root.certificate_der)
        check_succession(last.der if last else None, crl_der)
        lost = missing_entries(last.der, crl_der) if last else set()
        named = serials_of(crl_der)
    except (PkiError, ValueError) as error:
        raise Invalid(_l("This is not the next list of the root.")) from error
    below = select(Authority.certificate_der).where(Authority.issuer_id == root.id, Authority.revoked_at.is_not(None))
    wanted = {x509.load_der_x509_certificate(one).serial_number for one in session.scalars(below)}
    if lost or named != wanted:
        raise Conflict(
            _l("This list does not name exactly the authorities that are revoked."), _l("Nothing was changed.")
        )
    return _publish(session, root, row, crl_der, actor)


def _publish(session: Session, root: Authority, row: CrlShard, crl_der: bytes, actor: Actor) -> Crl:
    parsed = x509.load_der_x509_crl(crl_der)
    if parsed.next_update_utc is None:
        raise Invalid(_l("This is not the next list of the root."))
    made = Crl(
        authority_id=root.id,
        shard=0,
        number=parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number,
        der=crl_der,
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
    )
    session.add(made)
    session.flush()
    # `worker` may have taken later numbers in vain, without the key; none of them is on a list.
    session.execute(
        update(CrlShard)
        .where(CrlShard.authority_id == root.id)
        .values(
            number=max(row.number, made.number),
            next_at=crl_making.next_at(root, made),
            leased_until=None,
            refusal=None,
        )
    )
    session.execute(delete(ShardChange).where(ShardChange.authority_id == root.id))
    session.execute(select(func.pg_notify("kyvao_crl", crl_making.name_of(root, 0))))
    audit.record(
        session, actor, "crl_taken_in", object_kind="authority", object_id=root.id, agency_id=None, number=made.number
    )
    return made
