"""What keeps webhook deliveries from waiting for ever, as the sweeper asks for it."""

from typing import Final

from sqlalchemy import text

UNTAKEN_DELIVERIES = text(
    """
    SELECT id::text AS submission_id, false AS solo FROM (
        (SELECT id, available_at FROM deliveries
         WHERE state = 'ready' AND available_at <= now()
           AND (available_at < now() - make_interval(secs => :grace_seconds) OR attempts > 0)
         ORDER BY available_at LIMIT :most)
        UNION ALL
        (SELECT id, available_at FROM deliveries
         WHERE state = 'running' AND lease_expires_at < now() ORDER BY lease_expires_at LIMIT :most)
    ) due
    ORDER BY available_at LIMIT :most
    """
)

# The same where so much is due that the oldest of it may all be a dead receiver's: some of every receiver's.
# It walks the index from lane to lane.
UNTAKEN_OF_EVERY_LANE = text(
    """
    WITH RECURSIVE lanes AS (
        (SELECT lane FROM deliveries WHERE state = 'ready' ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT (SELECT d.lane FROM deliveries d WHERE d.state = 'ready' AND d.lane > l.lane ORDER BY d.lane LIMIT 1)
        FROM lanes l WHERE l.lane IS NOT NULL
    )
    SELECT due.id::text AS submission_id, false AS solo FROM lanes CROSS JOIN LATERAL (
        SELECT d.id FROM deliveries d
        WHERE d.state = 'ready' AND d.lane = lanes.lane AND d.available_at <= now()
        ORDER BY d.available_at LIMIT :of_each
    ) due
    """
)
OF_EACH_LANE: Final = 100

# A delivery has no claim to give back, only a lease; what a lost worker was sending is due as soon as that is over.
# Rows that are locked are being recorded this moment.
END_LOST_DELIVERIES = text(
    """
    WITH lost AS (
        SELECT d.id FROM deliveries d
        WHERE d.state = 'running' AND d.lease_expires_at > :now AND NOT EXISTS (
            SELECT FROM workers w WHERE w.id = d.worker_id
              AND w.heartbeat_at > :now - make_interval(secs => :dead_seconds))
        ORDER BY d.id LIMIT :most FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE deliveries d SET lease_expires_at = :now FROM lost WHERE d.id = lost.id AND d.state = 'running'
    """
)

FORGET_DELIVERIES = text(
    """
    WITH old AS (
        SELECT id FROM deliveries WHERE finished_at < clock_timestamp() - make_interval(secs => :older_seconds)
        ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), tries AS (
        DELETE FROM delivery_tries t USING old WHERE t.delivery_id = old.id
    )
    DELETE FROM deliveries d USING old WHERE d.id = old.id
    """
)
