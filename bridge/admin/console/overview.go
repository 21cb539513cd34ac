package console

import (
	"html/template"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
)

// An overviewPage is what there is, at a glance.
type overviewPage struct {
	Cards   []card
	Todo    []todo
	Healths []counted
	Bar     template.HTML // the healths, as a chart
	All     int

	Counted bool // somebody counts how quickly phones are woken
	Woken   latency.Minute
	Chart   template.HTML
}

// A card is a number and where its particulars are.
type card struct {
	Name  string
	N     int
	Page  string
	Query string // health=
	Tone  string
}

// A todo is something that waits for a person.
type todo struct {
	N     int
	Thing string // "phone"
	Text  string // "wait to be let in"
	URL   string
}

func (c *Console) overview(a *ask) error {
	s, err := c.look(a.Context(), a.actor)
	if err != nil {
		return err
	}
	c.show(a, 200, "overview", view{Title: "Overview", Here: "", Data: c.overviewOf(s)})
	return nil
}

func (c *Console) overviewOf(s *sight) overviewPage {
	n := func(h device.Health) int { return s.healths[string(h)] }
	p := overviewPage{All: len(s.devices), Healths: s.counted(), Bar: s.bar(), Cards: []card{
		{"Phones", len(s.devices), "devices", "", ""},
		{"Waiting for a change", n(device.HealthWaiting), "devices", string(device.HealthWaiting), "good"},
		{"Syncing now", n(device.HealthSyncing), "devices", string(device.HealthSyncing), "good"},
		{"In quarantine", n(device.HealthQuarantine), "admission", "", tone(n(device.HealthQuarantine), "look")},
		{"Problems", s.problems, "problems", "", tone(s.problems, "look")},
		{"Held deletions", s.holds, "problems", "", tone(s.holds, "bad")},
	}}
	ofHealth := func(h device.Health, one, many string) {
		p.wants(n(h), "phone", one, many, c.at("devices", "health", string(h)))
	}
	requested := 0
	for _, d := range s.devices {
		if d.Wipe != nil && d.Wipe.State == string(device.WipeRequested) {
			requested++
		}
	}
	p.wants(n(device.HealthQuarantine), "phone", "waits to be let in", "wait to be let in", c.at("admission"))
	p.wants(requested, "order", "to erase a phone waits for a second person", "to erase phones wait for a second person", c.at("devices", "sort", "health"))
	p.wants(s.holds, "large deletion", "is held", "are held", c.at("problems"))
	ofHealth(device.HealthWiping, "has an order to erase itself", "have an order to erase themselves")
	ofHealth(device.HealthPassword, "has a password that its backend does not take", "have a password that their backend does not take")
	ofHealth(device.HealthPolicy, "refuses the policy", "refuse the policy")
	ofHealth(device.HealthAway, "was not here for a day or longer", "were not here for a day or longer")
	p.wants(s.problems, "item", "cannot be shown to phones", "cannot be shown to phones", c.at("problems"))
	if c.Latency != nil {
		minutes, all := c.Latency.Last(time.Now())
		p.Counted, p.Woken, p.Chart = true, all, chart(minutes)
	}
	return p
}

func (p *overviewPage) wants(n int, thing, one, many, where string) {
	if n == 1 {
		many = one
	}
	if n > 0 {
		p.Todo = append(p.Todo, todo{n, thing, many, where})
	}
}

// tone is that of a number that had better be nought.
func tone(n int, bad string) string {
	if n == 0 {
		return ""
	}
	return bad
}

// backends says how the backends are, which may take a while.
func (c *Console) backends(a *ask) error {
	st, err := admin.OpStatus.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	part, err := c.fragment("gateways", "backends", st)
	if err != nil {
		return err
	}
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.Write(part)
	return nil
}
