package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// Phones keeps the register of phones.
type Phones struct {
	db   *DB
	in   session
	read decoded
}

// Phones answers the database's device.Store.
func (d *DB) Phones() *Phones { return &Phones{db: d, in: d.session()} }

// A decoded remembers what records say: each request of a phone asks for the
// same one again, and reading JSON takes longer than the question to the
// database. The database is asked all the same, since other processes write to
// it, too. The zero value is ready.
type decoded struct {
	mu sync.Mutex
	by map[device.ID]reading
}

type reading struct {
	record []byte
	phone  device.Phone
}

// maxDecoded bounds how many records are remembered, about 1 KB each: more
// phones than one worker has at a time.
const maxDecoded = 4096

// phone is decodePhone.
func (d *decoded) phone(id device.ID, record []byte) (device.Phone, error) {
	d.mu.Lock()
	was, ok := d.by[id]
	d.mu.Unlock()
	if ok && bytes.Equal(was.record, record) {
		return was.phone, nil
	}
	p, err := decodePhone(id, record)
	if err != nil {
		return p, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil || len(d.by) >= maxDecoded {
		d.by = make(map[device.ID]reading)
	}
	d.by[id] = reading{record, p}
	return p, nil
}

var _ device.Store = (*Phones)(nil)

// A phone is a JSON record beside what is searched and sorted by.
var (
	selectPhone  = query(`SELECT record FROM phones WHERE account = $1 AND device = $2`)
	selectPhones = query(`SELECT account, device, record FROM phones WHERE $1 IN ('', account)
		ORDER BY last_seen DESC, account, device`)
	countPhones = query(`SELECT COUNT(*) FROM phones`)
	savePhone   = query(`INSERT INTO phones (account, device, last_seen, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, device) DO UPDATE SET last_seen = excluded.last_seen, record = excluded.record`)
	deletePhone = query(`DELETE FROM phones WHERE account = $1 AND device = $2`)

	selectValue = query(`SELECT value FROM phone_values WHERE account = $1 AND device = $2 AND name = $3`)
	selectSome  = query(`SELECT name, value FROM phone_values WHERE account = $1 AND device = $2 AND name IN ($3, $4, $5, $6)`)
	saveValue   = query(`INSERT INTO phone_values (account, device, name, value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, device, name) DO UPDATE SET value = excluded.value`)
	deleteValue  = query(`DELETE FROM phone_values WHERE account = $1 AND device = $2 AND name = $3`)
	deleteValues = query(`DELETE FROM phone_values WHERE account = $1 AND device = $2`)
)

// Phone implements device.Store.
func (s *Phones) Phone(ctx context.Context, id device.ID) (device.Phone, error) {
	return s.phone(ctx, s.in, id)
}

func (s *Phones) phone(ctx context.Context, in session, id device.ID) (device.Phone, error) {
	var record []byte
	if err := in.row(ctx, device.ErrUnknown, []any{&record}, selectPhone, id.User, id.Device); err != nil {
		return device.Phone{}, err
	}
	return s.read.phone(id, record)
}

func decodePhone(id device.ID, record []byte) (device.Phone, error) {
	var p device.Phone
	if err := json.Unmarshal(record, &p); err != nil {
		return device.Phone{}, fmt.Errorf("sqlstore: the record of phone %q of %q: %w", id.Device, id.User, err)
	}
	p.ID = id
	return p, nil
}

// Phones implements device.Store.
func (s *Phones) Phones(ctx context.Context, user string) ([]device.Phone, error) {
	var list []device.Phone
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var id device.ID
		var record []byte
		if err := scan(&id.User, &id.Device, &record); err != nil {
			return err
		}
		p, err := decodePhone(id, record)
		list = append(list, p)
		return err
	}, selectPhones, user)
	return list, err
}

// Update implements device.Store.
func (s *Phones) Update(ctx context.Context, id device.ID, change func(*device.Phone, bool) error) (device.Phone, error) {
	var p device.Phone
	err := s.db.update(ctx, id.User, func(in session) error {
		was, err := s.phone(ctx, in, id)
		unknown := errors.Is(err, device.ErrUnknown)
		if err != nil && !unknown {
			return err
		}
		p = was
		to := was
		to.ID = id
		if err := change(&to, !unknown); err != nil {
			return err
		}
		to.ID = id
		record, err := json.Marshal(to)
		if err != nil {
			return fmt.Errorf("sqlstore: the record of a phone: %w", err)
		}
		if !unknown && to == was {
			return nil
		}
		if err := in.exec(ctx, savePhone, id.User, id.Device, to.LastSeen.UnixNano(), record); err != nil {
			return err
		}
		p = to
		return nil
	})
	return p, err
}

// Remember implements device.Store.
func (s *Phones) Remember(ctx context.Context, id device.ID, name string, value []byte) error {
	return s.db.update(ctx, id.User, func(in session) error {
		if value == nil {
			return in.exec(ctx, deleteValue, id.User, id.Device, name)
		}
		return in.exec(ctx, saveValue, id.User, id.Device, name, value)
	})
}

// Recall implements device.Store.
func (s *Phones) Recall(ctx context.Context, id device.ID, name string) ([]byte, error) {
	var value []byte
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		if err := scan(&value); err != nil {
			return err
		}
		if value == nil {
			value = []byte{} // remembered, and empty
		}
		return nil
	}, selectValue, id.User, id.Device, name)
	return value, err
}

// RecallSome implements device.Store.
func (s *Phones) RecallSome(ctx context.Context, id device.ID, names ...string) (map[string][]byte, error) {
	if len(names) == 0 || len(names) > device.MaxRecalled {
		return nil, fmt.Errorf("sqlstore: %d values asked for at a time, 1 to %d can be", len(names), device.MaxRecalled)
	}
	args := []any{id.User, id.Device}
	for i := range device.MaxRecalled {
		args = append(args, names[min(i, len(names)-1)]) // IN counts each once
	}
	found := make(map[string][]byte, len(names))
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var name string
		var value []byte
		if err := scan(&name, &value); err != nil {
			return err
		}
		if value == nil {
			value = []byte{} // remembered, and empty
		}
		found[name] = value
		return nil
	}, selectSome, args...)
	return found, err
}

// Count implements device.Store.
func (s *Phones) Count(ctx context.Context) (n int, err error) {
	err = s.in.row(ctx, nil, []any{&n}, countPhones)
	return n, err
}

// Forget implements device.Store.
func (s *Phones) Forget(ctx context.Context, id device.ID) error {
	return s.db.update(ctx, id.User, func(in session) error {
		for _, q := range []string{deletePhone, deleteValues, deleteLetters} {
			if err := in.exec(ctx, q, id.User, id.Device); err != nil {
				return err
			}
		}
		return nil
	})
}
