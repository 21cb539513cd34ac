-- +goose Up

-- What each phone holds of each item, one round back: held_before is what it
-- held before the round. held is NULL for what it does not hold any more.
CREATE TABLE shown (
    folder      BIGINT NOT NULL,
    device      TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    account     TEXT   NOT NULL,
    round       BIGINT NOT NULL,
    held        BLOB,
    held_before BLOB,
    PRIMARY KEY (folder, device, account, number)
) WITHOUT ROWID;

CREATE INDEX shown_gone ON shown (device, account) WHERE held IS NULL;

-- What phones are about to write, for the case that the worker dies over it.
CREATE TABLE tries (
    folder  BIGINT NOT NULL,
    device  TEXT   NOT NULL,
    account TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    round   BIGINT NOT NULL,
    tried   BLOB   NOT NULL,
    PRIMARY KEY (folder, device, account, name)
) WITHOUT ROWID;
