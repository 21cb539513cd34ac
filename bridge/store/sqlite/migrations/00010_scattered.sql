-- +goose Up

-- Whether an item of the same name was in yet another folder when a move began to
-- copy. Of what was under way before nobody knows, and then no copy is removed.
ALTER TABLE moves ADD COLUMN scattered SMALLINT NOT NULL DEFAULT 1;
