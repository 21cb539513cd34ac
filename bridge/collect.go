package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// collectEvery is how often the register is looked through: what is decided there
// is a matter of days.
const collectEvery = time.Hour

// collector is who forgets phones, for the audit.
func collector(rule string) admin.Actor {
	return admin.Actor{Name: "pushbridge", Address: "rule: " + rule, Roles: []admin.Role{admin.DeviceAdministrator}}
}

// collecting looks through the register until the context ends.
func (b *Bridge) collecting(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		if err := b.Collect(ctx); err != nil && ctx.Err() == nil {
			b.logger.Error("looking through the register of phones", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Collect does what rules say about phones that do not come any more: orders to
// erase them end, and they are forgotten. Each stands in the audit and in the log.
func (b *Bridge) Collect(ctx context.Context) error {
	phones, err := b.devices.Store.Phones(ctx, "")
	if err != nil {
		return fmt.Errorf("bridge: listing phones: %w", err)
	}
	var errs []error
	for _, p := range phones {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		errs = append(errs, b.collect(ctx, p))
	}
	return errors.Join(errs...)
}

func (b *Bridge) collect(ctx context.Context, p device.Phone) error {
	if p.Wipe.InForce() && !p.Wipe.Expires.IsZero() && !time.Now().Before(p.Wipe.Expires) {
		return b.expire(ctx, p.ID)
	}
	after := b.config.ForgetAfter
	switch {
	case after <= 0, time.Since(p.LastSeen) < after:
		return nil
	case p.Blocked, p.Wipe.InForce(), p.Wipe.State == device.WipeRequested, b.hub.Waits(p.User, p.Device):
		return nil // it would come in again as a new one
	}
	rule := fmt.Sprintf("not seen since %s, forget_after is %v", p.LastSeen.UTC().Format(time.DateOnly), after)
	if _, err := admin.OpForget.Do(ctx, b.door, collector(rule), admin.ForgetRequest{User: p.User, Device: p.Device}); err != nil {
		return err
	}
	b.logger.Info("a phone that does not come any more is forgotten", "user", p.User, "phone", p.Device, "last_seen", p.LastSeen)
	return nil
}

// expire ends an order to erase a phone whose time is over.
func (b *Bridge) expire(ctx context.Context, id device.ID) error {
	_, err := admin.OpExpireWipe.Do(ctx, b.door, collector("orders to erase phones expire"), admin.PhoneRequest{User: id.User, Device: id.Device})
	switch e, ok := errors.AsType[*admin.Error](err); {
	case err == nil, ok && e.Kind == admin.NotFound: // somebody else did a moment ago
		return nil
	}
	return backend.E(backend.Transient, "bridge: ending an order to erase a phone", err) // the phone comes again
}
