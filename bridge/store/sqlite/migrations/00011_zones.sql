-- +goose Up

-- The time zone of a calendar's own, by its IANA name, and the one by which phones
-- were shown what has none: an empty one is that of all calendars.
ALTER TABLE folders ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE mirrors ADD COLUMN zone TEXT NOT NULL DEFAULT '';
