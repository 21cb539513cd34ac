-- +goose Up

-- What a person's backends hold. An id is what phones know a folder by: it is
-- never given twice, and a row is never deleted.
CREATE TABLE folders (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT     NOT NULL,
    backend    TEXT     NOT NULL,
    collection TEXT     NOT NULL,
    kind       TEXT     NOT NULL,
    name       TEXT     NOT NULL,
    parent     BIGINT   NOT NULL,
    main       SMALLINT NOT NULL,
    read_only  SMALLINT NOT NULL,
    colour     TEXT     NOT NULL,
    owner      TEXT     NOT NULL,
    place      BIGINT   NOT NULL,
    gone       SMALLINT NOT NULL,
    UNIQUE (account, backend, collection)
);

-- The head of each folder's mirror.
CREATE TABLE mirrors (
    folder    BIGINT NOT NULL PRIMARY KEY,
    cursor_at TEXT   NOT NULL,
    sequence  BIGINT NOT NULL,
    numbers   BIGINT NOT NULL,
    touches   BIGINT NOT NULL,
    doubt     BIGINT NOT NULL
);

-- The rows of the mirrors. ends is in Unix seconds.
CREATE TABLE items (
    folder   BIGINT   NOT NULL,
    number   BIGINT   NOT NULL,
    id       TEXT     NOT NULL,
    revision TEXT     NOT NULL,
    sequence BIGINT   NOT NULL,
    removed  SMALLINT NOT NULL,
    touched  BIGINT   NOT NULL,
    known    SMALLINT NOT NULL,
    ends     BIGINT   NOT NULL,
    done     SMALLINT NOT NULL,
    PRIMARY KEY (folder, number)
) WITHOUT ROWID;

CREATE UNIQUE INDEX items_id ON items (folder, id);
CREATE INDEX items_sequence ON items (folder, sequence);
CREATE INDEX items_ends ON items (folder, ends, number) WHERE removed = 0 AND known = 1;
CREATE INDEX items_done ON items (folder, done, number) WHERE done = 1 AND removed = 0 AND known = 1;
CREATE INDEX items_unknown ON items (folder, sequence) WHERE known = 0 AND removed = 0;
CREATE INDEX items_removed ON items (folder, sequence) WHERE removed = 1;

-- What each phone has been told of each folder; of the folders themselves
-- under folder 0.
CREATE TABLE partnerships (
    account         TEXT     NOT NULL,
    device          TEXT     NOT NULL,
    folder          BIGINT   NOT NULL,
    sync_key        TEXT     NOT NULL,
    position        BIGINT   NOT NULL,
    unfinished      SMALLINT NOT NULL,
    state           BLOB     NOT NULL,
    before_key      TEXT     NOT NULL,
    before_position BIGINT   NOT NULL,
    before_state    BLOB,
    results         BLOB,
    PRIMARY KEY (account, device, folder)
);

CREATE INDEX partnerships_folder ON partnerships (folder);

-- Answers, for phones that did not get them.
CREATE TABLE answers (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    device  TEXT NOT NULL,
    request BLOB NOT NULL,
    led     BLOB NOT NULL,
    body    BLOB,
    UNIQUE (account, device, request)
);

-- The register of phones. last_seen is in Unix nanoseconds.
CREATE TABLE phones (
    account   TEXT   NOT NULL,
    device    TEXT   NOT NULL,
    last_seen BIGINT NOT NULL,
    record    TEXT   NOT NULL,
    PRIMARY KEY (account, device)
);

CREATE TABLE phone_values (
    account TEXT NOT NULL,
    device  TEXT NOT NULL,
    name    TEXT NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (account, device, name)
);
