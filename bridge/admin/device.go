package admin

import (
	"context"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
)

const (
	// mostMoments bounds the timeline of a phone.
	mostMoments = 50

	// timelineBatches bounds how much of the audit is looked through for it, in
	// portions of MostEntries.
	timelineBatches = 10
)

// A DevicePage is everything that is known of a phone.
type DevicePage struct {
	Device    Device         `json:"device"`
	Folders   []DeviceFolder `json:"folders"` // that it synchronized
	Policy    *PolicyResult  `json:"policy,omitempty"`
	Heartbeat Heartbeat      `json:"heartbeat"`
	Push      Push           `json:"push"`
	Timeline  []audit.Record `json:"timeline"` // what was done about it lately, the newest first
}

// A DeviceFolder is what a phone has of a folder.
type DeviceFolder struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Items  int    `json:"items"`  // on the phone
	Of     int    `json:"of"`     // in the folder
	Behind bool   `json:"behind"` // there may be news for it
}

func (s *Server) device(ctx context.Context, v *visit, r PhoneRequest) (page DevicePage, err error) {
	id, p, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return page, err
	}
	page = DevicePage{Device: s.deviceOf(p), Folders: []DeviceFolder{}, Timeline: []audit.Record{}}
	folders, err := s.folders(ctx, v, r)
	if err != nil {
		return page, err
	}
	for _, f := range folders {
		for _, h := range f.Devices {
			page.Folders = append(page.Folders, DeviceFolder{f.ID, f.Name, f.Kind, h.Items, f.Items, h.Behind})
		}
	}
	if page.Heartbeat, err = s.heartbeat(ctx, v, r); err != nil {
		return page, err
	}
	if page.Push, err = s.push(ctx, v, r); err != nil {
		return page, err
	}
	if s.Rules != nil {
		result, err := s.policyResult(ctx, v, r)
		if err != nil {
			return page, err
		}
		page.Policy = &result
	}
	page.Timeline, err = s.timeline(ctx, id)
	return page, err
}

// timeline is what the audit says of a phone.
func (s *Server) timeline(ctx context.Context, id device.ID) ([]audit.Record, error) {
	list := []audit.Record{}
	if s.Audit == nil {
		return list, nil
	}
	object := phoneObject(id.User, id.Device)
	before := int64(0)
	for range timelineBatches {
		some, err := s.Audit.Newest(ctx, before, MostEntries)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			if r.Object == object || strings.HasSuffix(r.Object, ", "+object) {
				if list = append(list, r); len(list) == mostMoments {
					return list, nil
				}
			}
			before = r.Number
		}
		if len(some) < MostEntries {
			break
		}
	}
	return list, nil
}
