-- Answers that were given to mutations, so that a repeated request_id gets the same one (see chassis/idempotency.py).
CREATE TABLE request (
    principal text NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    body_sha256 bytea NOT NULL,
    response bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, request_id)
);

CREATE INDEX request_created_at ON request (created_at);
