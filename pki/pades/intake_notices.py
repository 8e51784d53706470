"""What intake did to a file, or what its owner should look at. Stable codes: pages translate them."""

from __future__ import annotations

from enum import StrEnum


class Notice(StrEnum):
    # Taken away, because it could change what a reader sees after the signature or act on their computer.
    SCRIPTS_REMOVED = "scripts_removed"
    # Starting programs, opening files inside the file, sending and fetching the content of forms.
    ACTIONS_REMOVED = "actions_removed"
    MEDIA_REMOVED = "media_removed"
    XFA_REMOVED = "xfa_removed"
    # Fields of a form became part of the page.
    FORM_FLATTENED = "form_flattened"
    # They would not have looked the same, so they stayed fields.
    FORM_KEPT = "form_kept"
    # It opened without a password and its owner allowed changes.
    DECRYPTED = "decrypted"
    REPAIRED = "repaired"
    # A signed file that bends the rules of the format; other programs may judge it more strictly.
    READ_LENIENTLY = "read_leniently"
    # To look at before one signs.
    LAYERS_OFF = "layers_off"
    ANNOTATIONS_COVER = "annotations_cover"
    FILES_ATTACHED = "files_attached"
