package sqlstore

import (
	"context"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

const presentColumns = `sync_key, position, unfinished, state`

var (
	selectPartnership = query(`SELECT ` + presentColumns + `, before_key, before_position, before_state, results
		FROM partnerships WHERE account = $1 AND device = $2 AND folder = $3`)
	selectPresent = query(`SELECT ` + presentColumns + `
		FROM partnerships WHERE account = $1 AND device = $2 AND folder = $3`)
	selectStanding = query(`SELECT p.position, p.unfinished, COALESCE(m.sequence, 0)
		FROM partnerships p LEFT JOIN mirrors m ON m.folder = p.folder
		WHERE p.account = $1 AND p.device = $2 AND p.folder = $3`)
	selectStandings = query(`SELECT p.folder, p.position, p.unfinished, COALESCE(m.sequence, 0), CASE p.folder WHEN 0 THEN p.state END
		FROM partnerships p LEFT JOIN mirrors m ON m.folder = p.folder
		WHERE p.account = $1 AND p.device = $2 AND p.folder IN ` + among(3))
	selectForemost  = query(`SELECT COALESCE(MAX(position), 0) FROM partnerships WHERE folder = $1`)
	savePartnership = query(`INSERT INTO partnerships (account, device, folder, sync_key, position, unfinished, state,
		before_key, before_position, before_state, results)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (account, device, folder) DO UPDATE SET
		sync_key = excluded.sync_key, position = excluded.position, unfinished = excluded.unfinished,
		state = excluded.state, before_key = excluded.before_key, before_position = excluded.before_position,
		before_state = excluded.before_state, results = excluded.results`)
	savePresent = query(`UPDATE partnerships SET sync_key = $4, position = $5, unfinished = $6, state = $7
		WHERE account = $1 AND device = $2 AND folder = $3`)
	deletePartnership  = query(`DELETE FROM partnerships WHERE account = $1 AND device = $2 AND folder = $3`)
	deletePartnerships = query(`DELETE FROM partnerships WHERE account = $1 AND device = $2`)

	selectAnswer  = query(`SELECT led, body FROM answers WHERE account = $1 AND device = $2 AND request = $3`)
	selectAnswers = query(`SELECT request, led FROM answers WHERE account = $1 AND device = $2 ORDER BY id`)
	saveAnswer    = query(`INSERT INTO answers (account, device, request, led, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, device, request) DO UPDATE SET led = excluded.led, body = excluded.body`)
	deleteAnswer  = query(`DELETE FROM answers WHERE account = $1 AND device = $2 AND request = $3`)
	deleteAnswers = query(`DELETE FROM answers WHERE account = $1 AND device = $2`)
)

func presentPlaces(s *syncengine.Present) []any {
	return []any{&s.Key, &s.Position, &s.Unfinished, &s.State}
}

func (r reader) Partnership(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) (syncengine.Partnership, error) {
	s := syncengine.Partnership{Folder: f}
	places := append(presentPlaces(&s.Present), &s.Before.Key, &s.Before.Position, &s.Before.State, &s.Results)
	err := r.in.row(ctx, syncengine.ErrUnknown, places, selectPartnership, p.User, p.Device, f)
	return s, err
}

func (r reader) PresentState(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) (syncengine.Present, error) {
	var s syncengine.Present
	err := r.in.row(ctx, syncengine.ErrUnknown, presentPlaces(&s), selectPresent, p.User, p.Device, f)
	return s, err
}

func (r reader) Standing(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) (syncengine.Standing, error) {
	var s syncengine.Standing
	err := r.in.row(ctx, syncengine.ErrUnknown, []any{&s.Position, &s.Unfinished, &s.Sequence}, selectStanding, p.User, p.Device, f)
	return s, err
}

func (r reader) Standings(ctx context.Context, p syncengine.Phone, ids []syncengine.FolderID) ([]syncengine.FolderStanding, error) {
	var list []syncengine.FolderStanding
	each := func(scan func(...any) error) error {
		var s syncengine.FolderStanding
		err := scan(&s.Folder, &s.Position, &s.Unfinished, &s.Sequence, &s.Told)
		list = append(list, s)
		return err
	}
	for some := range slices.Chunk(ids, syncengine.MaxAmong) {
		if err := r.in.rows(ctx, each, selectStandings, amongArgs(some, p.User, p.Device)...); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r reader) Foremost(ctx context.Context, f syncengine.FolderID) (position int64, err error) {
	err = r.in.row(ctx, nil, []any{&position}, selectForemost, f)
	return position, err
}

func (w writer) SavePartnership(ctx context.Context, p syncengine.Phone, s syncengine.Partnership) error {
	return w.in.exec(ctx, savePartnership, p.User, p.Device, s.Folder,
		s.Key, s.Position, number(s.Unfinished), s.State,
		s.Before.Key, s.Before.Position, s.Before.State, s.Results)
}

func (w writer) SavePresent(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, s syncengine.Present) error {
	return w.in.exec(ctx, savePresent, p.User, p.Device, f, s.Key, s.Position, number(s.Unfinished), s.State)
}

func (w writer) DeletePartnership(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) error {
	if err := w.ForgetShown(ctx, p, f); err != nil {
		return err
	}
	return w.in.exec(ctx, deletePartnership, p.User, p.Device, f)
}

func (w writer) DeletePartnerships(ctx context.Context, p syncengine.Phone) error {
	for _, q := range []string{deleteShownOfPhone, deleteTriesOfPhone, deletePartnerships, deleteMoves} { // in this order
		if err := w.in.exec(ctx, q, p.User, p.Device); err != nil {
			return err
		}
	}
	return w.in.exec(ctx, deleteAnswers, p.User, p.Device)
}

func (r reader) Answer(ctx context.Context, p syncengine.Phone, request []byte) (syncengine.Answer, error) {
	var a syncengine.Answer
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		a.Request = request
		return scan(&a.Led, &a.Body)
	}, selectAnswer, p.User, p.Device, request)
	return a, err
}

func (r reader) Answers(ctx context.Context, p syncengine.Phone) ([]syncengine.Answer, error) {
	var list []syncengine.Answer
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		var a syncengine.Answer
		err := scan(&a.Request, &a.Led)
		list = append(list, a)
		return err
	}, selectAnswers, p.User, p.Device)
	return list, err
}

func (w writer) SaveAnswer(ctx context.Context, p syncengine.Phone, a syncengine.Answer) error {
	return w.in.exec(ctx, saveAnswer, p.User, p.Device, a.Request, a.Led, a.Body)
}

func (w writer) DeleteAnswer(ctx context.Context, p syncengine.Phone, request []byte) error {
	return w.in.exec(ctx, deleteAnswer, p.User, p.Device, request)
}
