-- +goose Up

-- What listings missed of a folder in such numbers that it is not removed yet.
CREATE TABLE holds (
    folder  BIGINT NOT NULL PRIMARY KEY,
    since   BIGINT NOT NULL,
    items   BIGINT NOT NULL,
    total   BIGINT NOT NULL,
    numbers BLOB   NOT NULL
);

-- The cursor did not move while a folder was in doubt, so the next listing
-- misses the same again, and holds it.
UPDATE mirrors SET doubt = 0;
