"""Every table, so that migrations and tests see the whole of the metadata."""

from __future__ import annotations

from app.accounts import models as accounts
from app.accounts import step_up_models as step_ups
from app.accounts import token_models as tokens
from app.alarms import models as alarms
from app.approvals import models as approvals
from app.archive import models as archive
from app.audit import models as audit
from app.campaigns import models as campaigns
from app.certificates import crl_models as crls
from app.certificates import life_models as certificate_life
from app.certificates import models as certificates
from app.certificates import profile_settings
from app.certificates import register_models as register
from app.citizen_forms import models as citizen_forms
from app.claims import models as claims
from app.core import throttle
from app.core.db import Base
from app.documents import models as documents
from app.gate import models as gate
from app.gate import models_leases as gate_leases
from app.gate import models_roster as gate_rosters
from app.marks import models as marks
from app.meetings import models as meetings
from app.notices import models as notices
from app.reception import models as reception
from app.records import models as records
from app.registry import models as registry
from app.routes import dispatch_models as dispatches
from app.routes import models as routes
from app.seals import models as seals
from app.signing import models as signing
from app.status import models as status
from app.trust import models as trust
from app.verification import models as verification

__all__ = [
    "Base",
    "accounts",
    "alarms",
    "approvals",
    "archive",
    "audit",
    "campaigns",
    "certificate_life",
    "certificates",
    "citizen_forms",
    "claims",
    "crls",
    "dispatches",
    "documents",
    "gate",
    "gate_leases",
    "gate_rosters",
    "marks",
    "meetings",
    "notices",
    "profile_settings",
    "reception",
    "records",
    "register",
    "registry",
    "routes",
    "seals",
    "signing",
    "status",
    "step_ups",
    "throttle",
    "tokens",
    "trust",
    "verification",
]
