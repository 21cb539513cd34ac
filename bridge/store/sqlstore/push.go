package sqlstore

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Pushes keeps what the pushes of servers need.
type Pushes struct {
	db *DB
	in session
}

// Pushes answers the database's davpush.Store.
func (d *DB) Pushes() *Pushes { return &Pushes{d, d.session()} }

var _ davpush.Store = (*Pushes)(nil)

var (
	selectPushKeys = query(`SELECT backend, private FROM push_keys`)
	savePushKey    = query(`INSERT INTO push_keys (backend, private) VALUES ($1, $2) ON CONFLICT (backend) DO UPDATE SET private = excluded.private`)

	selectPushSubscriptions = query(`SELECT backend, account, collection, token, auth, server_key, origin, renewed, expires FROM push_subscriptions`)
	savePushSubscription    = query(`INSERT INTO push_subscriptions (backend, account, collection, token, auth, server_key, origin, renewed, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (backend, account, collection) DO UPDATE SET
		token = excluded.token, auth = excluded.auth, server_key = excluded.server_key, origin = excluded.origin,
		renewed = excluded.renewed, expires = excluded.expires`)
	deletePushSubscription = query(`DELETE FROM push_subscriptions WHERE backend = $1 AND account = $2 AND collection = $3`)
)

// PushKeys implements davpush.Store.
func (s *Pushes) PushKeys(ctx context.Context) (map[string][]byte, error) {
	keys := make(map[string][]byte)
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var name string
		var private []byte
		err := scan(&name, &private)
		keys[name] = private
		return err
	}, selectPushKeys)
	return keys, err
}

// SavePushKey implements davpush.Store.
func (s *Pushes) SavePushKey(ctx context.Context, backend string, key []byte) error {
	return s.db.update(ctx, "", func(in session) error { return in.exec(ctx, savePushKey, backend, key) })
}

// PushSubscriptions implements davpush.Store.
func (s *Pushes) PushSubscriptions(ctx context.Context) ([]davpush.Subscription, error) {
	var list []davpush.Subscription
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var p davpush.Subscription
		var collection string
		var renewed, expires int64
		err := scan(&p.Backend, &p.User, &collection, &p.Token, &p.Auth, &p.ServerKey, &p.Origin, &renewed, &expires)
		p.Collection, p.Renewed, p.Expires = backend.CollectionID(collection), time.Unix(renewed, 0), time.Unix(expires, 0)
		list = append(list, p)
		return err
	}, selectPushSubscriptions)
	return list, err
}

// SavePushSubscription implements davpush.Store.
func (s *Pushes) SavePushSubscription(ctx context.Context, p davpush.Subscription) error {
	return s.db.update(ctx, p.User, func(in session) error {
		key := p.ServerKey
		if key == nil {
			key = []byte{}
		}
		return in.exec(ctx, savePushSubscription, p.Backend, p.User, string(p.Collection), p.Token, p.Auth, key, p.Origin, p.Renewed.Unix(), p.Expires.Unix())
	})
}

// ForgetPushSubscription implements davpush.Store.
func (s *Pushes) ForgetPushSubscription(ctx context.Context, p davpush.Subscription) error {
	return s.db.update(ctx, p.User, func(in session) error {
		return in.exec(ctx, deletePushSubscription, p.Backend, p.User, string(p.Collection))
	})
}
