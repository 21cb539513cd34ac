-- +goose Up

-- Items that phones move to other folders: what is under way, for the case that
-- the worker dies over it, and what came of it, for phones that do not get the
-- answer. id is in the order in which they were saved.
CREATE TABLE moves (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT     NOT NULL,
    device  TEXT     NOT NULL,
    source  BIGINT   NOT NULL,
    number  BIGINT   NOT NULL,
    target  BIGINT   NOT NULL,
    item    TEXT     NOT NULL,
    taken   SMALLINT NOT NULL,
    name    TEXT     NOT NULL,
    sum     BLOB,
    copy    TEXT     NOT NULL,
    result  BIGINT   NOT NULL,
    UNIQUE (account, device, source, number, target)
);

CREATE INDEX moves_saved ON moves (account, device, id);
