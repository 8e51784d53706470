"""The one change to text that may follow a signature: our named fields, empty when it was made, filled at issue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pyhanko.sign.diff_analysis import FormUpdate, GenericFieldModificationRule, ModificationLevel
from pyhanko.sign.diff_analysis.form_rules_api import FieldComparisonContext, FieldComparisonSpec

from pki.pades.fields import FILLED_AT_ISSUE

_CHANGED: Final = frozenset({"/V", "/AP"})


class IssueFieldRule(GenericFieldModificationRule):
    """Lets a value and an appearance be added, once, to a text field that existed in the signed revision.

    Narrower than its base, which lets every field be changed and drawn over (a shadow attack). A field that the
    signature's own lock closes stays closed: pyHanko asks for that after the rule.
    """

    def __init__(self) -> None:
        super().__init__(
            allow_in_place_appearance_stream_changes=False, always_modifiable=frozenset(), value_update_keys=_CHANGED
        )

    def check_form_field(
        self, fq_name: str, spec: FieldComparisonSpec, context: FieldComparisonContext
    ) -> Iterable[tuple[ModificationLevel, FormUpdate]]:
        old = spec.old_field
        is_ours = fq_name in FILLED_AT_ISSUE and spec.field_type == "/Tx"
        if is_ours and old is not None and "/V" not in old:
            yield from super().check_form_field(fq_name, spec, context)
