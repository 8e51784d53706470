"""Pages for what is bound to posts: ending a post, and deciding on the certificates that hang on it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.certificates import posts, words
from app.certificates.forms import ActForm, ProposalForm
from app.certificates.life_models import Decision
from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.registry import service as registry

bp = Blueprint("certificates_posts", __name__, url_prefix="/certificates")


@bp.get("/proposals")
@needs(Permission.REVOKE_CERTIFICATES)
def proposals() -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        found = posts.pending(session, actor)
        count = posts.count_pending(session, actor)
    return render_template("certificates/proposals.html", found=found, count=count, form=ProposalForm(), words=words)


@bp.post("/proposals/<uuid:proposal_id>")
@needs(Permission.REVOKE_CERTIFICATES)
def decide(proposal_id: UUID) -> ResponseReturnValue:
    form = ProposalForm()
    if not form.validate_on_submit():
        return proposals()
    decision = Decision(form.decision.data)
    with transaction() as session:
        posts.decide(session, current_actor(), proposal_id, decision, now=datetime.now(UTC))
    flash(
        {
            Decision.SUSPEND: _("The certificate is suspended. Two people together can release it again."),
            Decision.REVOKE: _(
                "The certificate is revoked. The status service says so now, the published list within seconds."
            ),
            Decision.KEEP: _("The certificate stays as it is."),
        }[decision]
    )
    return redirect(url_for(".proposals"))


@bp.get("/posts")
@needs(Permission.REVOKE_CERTIFICATES)
def find_posts() -> ResponseReturnValue:
    text = request.args.get("q", "")[:100]
    with transaction() as session:
        found = registry.search_posts(session, current_actor(), Permission.REVOKE_CERTIFICATES, text) if text else []
    return render_template("certificates/posts.html", found=found, text=text, form=ActForm())


@bp.post("/posts/<uuid:post_id>/end")
@needs(Permission.REVOKE_CERTIFICATES)
def end_post(post_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        posts.end_post(session, current_actor(), post_id, now=datetime.now(UTC))
    flash(_("The post is ended. Decide now what happens to the certificates that hang on it."))
    return redirect(url_for(".proposals"))
