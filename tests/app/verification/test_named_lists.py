"""Which revocation lists a check takes along: those that the certificates in the file name."""

from __future__ import annotations

from app.verification.service import named_lists


def test_an_address_is_found_in_hex_of_either_case_and_as_it_stands() -> None:
    address = b"http://status.example/crl/issuing_citizens-g2/127.crl"
    expected = {("issuing_citizens-g2", 127)}
    for form in (address, address.hex().encode(), address.hex().upper().encode()):
        assert named_lists(b"%PDF-1.7 /Contents <3082" + form + b"3082> " * 3) == expected


def test_what_is_no_address_of_a_list_is_not_taken_for_one() -> None:
    for name in ("issuing_citizens/x", "../1", "Issuing/1", "a/1-delta", "a/b/1", "a/", "/1", "a/12345"):
        address = f"/crl/{name}.crl".encode()
        assert named_lists(address + b" " + address.hex().encode()) == set()


def test_a_file_full_of_addresses_does_not_take_every_list_along() -> None:
    many = b" ".join(f"/crl/issuing_citizens/{number}.crl".encode() for number in range(5000))
    assert len(named_lists(many)) == 100
