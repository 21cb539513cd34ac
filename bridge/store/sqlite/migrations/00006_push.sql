-- +goose Up

-- What pushes of servers need: the private key of each backend, and what was
-- subscribed to. Times are in Unix seconds.
CREATE TABLE push_keys (
    backend TEXT NOT NULL PRIMARY KEY,
    private BYTEA NOT NULL
);

CREATE TABLE push_subscriptions (
    backend    TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    collection TEXT   NOT NULL,
    token      TEXT   NOT NULL,
    auth       BYTEA  NOT NULL,
    server_key BYTEA  NOT NULL,
    origin     TEXT   NOT NULL,
    renewed    BIGINT NOT NULL,
    expires    BIGINT NOT NULL,
    PRIMARY KEY (backend, account, collection)
);
