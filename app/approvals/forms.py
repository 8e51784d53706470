"""Forms of decisions, roles and pauses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from app.approvals.words import ROLES
from app.core.permissions import Role
from app.registry.search import fold

CITY = "city"


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""


class ApprovalForm(FlaskForm):
    """Carries the digest of what was shown; `confirmation` is asked for where the kind of act says so."""

    digest = HiddenField(validators=[InputRequired()])
    confirmation = StringField(_l("Type it to confirm"))

    def __init__(self, wanted: str | None) -> None:
        super().__init__(prefix="approval")
        self._wanted = wanted
        if wanted is None:
            del self.confirmation

    def validate_confirmation(self, field: Field) -> None:
        """WTForms calls this by its name."""
        if fold(field.data or "") != fold(self._wanted or ""):
            raise ValidationError(_l("This is not what stands above. Nothing was approved."))


class RefusalForm(FlaskForm):
    note = TextAreaField(
        _l("Why do you refuse?"),
        description=_l("The person who asked reads this sentence."),
        validators=[
            InputRequired(_l("Give a reason.")),
            Length(min=5, max=500, message=_l("Write a sentence of 5 to 500 characters.")),
        ],
    )


class RoleForm(FlaskForm):
    role = SelectField(_l("Role"), validators=[InputRequired(_l("Choose a role."))])
    agency = SelectField(
        _l("Scope"),
        description=_l("The role holds in this agency and everything below it."),
        validators=[InputRequired(_l("Choose an agency."))],
    )

    def __init__(self, agencies: list[tuple[str, str]], *, city: bool) -> None:
        super().__init__()
        self.role.choices = [(role.value, str(name)) for role, name in ROLES.items() if role is not Role.CITIZEN]
        whole = [(CITY, str(_l("the whole city")))] if city else []
        self.agency.choices = whole + agencies
