"""What tells a provider that two requests are of one learner."""

from pipeline.privacy.learner import hashed_user


def test_a_learner_is_the_same_hash_every_time_and_nobody_else() -> None:
    one = hashed_user("secret", 1, "u-17")
    assert one == hashed_user("secret", 1, "u-17")
    assert (
        len({one, hashed_user("secret", 1, "u-18"), hashed_user("secret", 2, "u-17"), hashed_user("other", 1, "u-17")})
        == 4
    )
    assert len(one) == 32
    assert "u-17" not in one
