"""Text documents of office programs, made by hand: as small as they may be."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from xml.sax.saxutils import escape

_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
_RELATIONS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="word/document.xml"/></Relationships>"""
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:rPr>
<w:rFonts w:ascii="{font}" w:hAnsi="{font}"/></w:rPr><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"""
_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:text>
<text:p>{text}</text:p></office:text></office:body></office:document-content>"""
_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"""
_PICTURE = """<draw:frame xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" text:anchor-type="paragraph" svg:width="5cm"
 svg:height="5cm"><draw:image xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{address}" xlink:type="simple"
 xlink:show="embed" xlink:actuate="onLoad"/></draw:frame>"""
ODT = "application/vnd.oasis.opendocument.text"


def docx(text: str, *, font: str = "Liberation Serif", more: Mapping[str, bytes] | None = None) -> bytes:
    """Return a DOCX of one paragraph; `more` are further parts of the package by name."""
    parts = {
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": _RELATIONS.encode(),
        "word/document.xml": _DOCUMENT.format(text=escape(text), font=font).encode(),
    }
    return _package(parts | dict(more or {}))


def odt(text: str, *, picture: str | None = None) -> bytes:
    """Return an ODT of one paragraph, with a picture that lies at an address."""
    shown = _PICTURE.format(address=picture) if picture else ""
    return _package(
        {
            "mimetype": ODT.encode(),
            "content.xml": _CONTENT.format(text=shown + escape(text)).encode(),
            "META-INF/manifest.xml": _MANIFEST.encode(),
        }
    )


def _package(parts: Mapping[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in parts.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(name, content, kind)
    return buffer.getvalue()
