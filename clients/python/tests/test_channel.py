import pytest

from intercom_extractor.channel import credentials_for, is_local, metadata_for


@pytest.mark.parametrize(
    ("target", "local"),
    [
        ("localhost:50051", True),
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("unix:/run/extractor.sock", True),
        ("127.evil.example:1", False),
        ("localhost.evil.example:1", False),
        ("10.0.0.1:1", False),
    ],
)
def test_text_travels_in_the_clear_on_this_machine_alone(target: str, local: bool) -> None:
    assert is_local(target) is local
    assert (credentials_for(target, None) is None) is local
    if not local:
        with pytest.raises(ValueError, match="TLS is needed"):
            credentials_for(target, False)


def test_a_token_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(ValueError, match="printable") as caught:
        metadata_for("sesame open\n")
    assert "sesame" not in str(caught.value)
    assert metadata_for("sesame") == (("authorization", "Bearer sesame"),)
    assert metadata_for(None) == ()
