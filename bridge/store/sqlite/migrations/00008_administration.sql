-- +goose Up

-- What administrators did, in a chain: hash covers the entry, which is JSON, and the
-- hash of the one before. Rows are never changed, nor deleted.
CREATE TABLE audit (
    number BIGINT NOT NULL PRIMARY KEY,
    entry  TEXT   NOT NULL,
    hash   TEXT   NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'what was written into the audit is not changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'what was written into the audit is not deleted');
END;
-- +goose StatementEnd

-- What administrators wrote down: groups, policies, rules.
CREATE TABLE documents (
    kind   TEXT NOT NULL,
    name   TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
