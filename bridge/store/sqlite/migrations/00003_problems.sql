-- +goose Up

-- Objects that could not be shown to a phone. first_seen and last_seen are in
-- Unix nanoseconds.
CREATE TABLE problems (
    account    TEXT   NOT NULL,
    backend    TEXT   NOT NULL,
    collection TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    folder     BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    times      BIGINT NOT NULL,
    PRIMARY KEY (account, backend, collection, id)
);
