-- +goose Up

-- When what phones are shown of an item changes by itself, in Unix seconds.
-- revised is the sequence number of the last change but those.
ALTER TABLE items ADD COLUMN due BIGINT;
ALTER TABLE items ADD COLUMN revised BIGINT NOT NULL DEFAULT 0;

UPDATE items SET revised = sequence;

CREATE INDEX items_due ON items (folder, due) WHERE due IS NOT NULL;

-- Nobody has asked yet when events are due.
UPDATE items SET known = 0 WHERE known = 1 AND removed = 0
    AND folder IN (SELECT id FROM folders WHERE kind = 'events');
