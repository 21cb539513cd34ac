-- +goose Up

-- What a mail folder is for.
ALTER TABLE folders ADD COLUMN role TEXT NOT NULL DEFAULT '';

-- Mails that phones send, and how far each is: for the case that the worker dies
-- over it, and for phones that do not get the answer. id is in the order in which
-- they began; began is in Unix seconds.
CREATE TABLE letters (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT     NOT NULL,
    device  TEXT     NOT NULL,
    name    TEXT     NOT NULL,
    state   SMALLINT NOT NULL,
    holder  TEXT     NOT NULL,
    began   BIGINT   NOT NULL,
    UNIQUE (account, device, name)
);

CREATE INDEX letters_began ON letters (account, device, id);
