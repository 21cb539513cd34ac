package soak

import (
	"fmt"
	"os"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

func self() int { return os.Getpid() }

// plot draws latency above and memory below, over time, if that is wanted.
func (s *soak) plot() (err error) {
	if s.Plot == "" || len(s.samples.list) == 0 {
		return nil
	}
	latency, err := s.plotLatency()
	if err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	memory, err := s.plotMemory()
	if err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	img := vgimg.New(24*vg.Centimeter, 18*vg.Centimeter)
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadX: vg.Centimeter, PadY: vg.Centimeter,
		PadTop: vg.Millimeter, PadBottom: vg.Millimeter, PadLeft: vg.Millimeter, PadRight: 5 * vg.Millimeter}
	canvases := plot.Align([][]*plot.Plot{{latency}, {memory}}, tiles, draw.New(img))
	latency.Draw(canvases[0][0])
	memory.Draw(canvases[1][0])
	f, err := os.Create(s.Plot)
	if err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if _, err := (vgimg.PngCanvas{Canvas: img}).WriteTo(f); err != nil {
		return fmt.Errorf("soak: %s: %w", s.Plot, err)
	}
	return nil
}

// series is a line of a plot: what is known of each sample, in seconds from the
// first.
func (s *soak) series(value func(sample) (float64, bool)) plotter.XYs {
	var xy plotter.XYs
	begin := s.samples.list[0].at
	for _, m := range s.samples.list {
		if y, ok := value(m); ok {
			xy = append(xy, plotter.XY{X: m.at.Sub(begin).Seconds(), Y: y})
		}
	}
	return xy
}

func (s *soak) plotLatency() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%d phones: from an edit to the Ping's answer", s.Phones)
	p.X.Label.Text, p.Y.Label.Text = "seconds", "milliseconds"
	of := func(what func(spread) time.Duration) plotter.XYs {
		return s.series(func(m sample) (float64, bool) {
			return float64(what(m.spread)) / float64(time.Millisecond), m.spread.n > 0
		})
	}
	p50, p99 := of(func(s spread) time.Duration { return s.p50 }), of(func(s spread) time.Duration { return s.p99 })
	if len(p50) == 0 {
		return p, nil
	}
	return p, plotutil.AddLines(p, "p50", p50, "p99", p99)
}

func (s *soak) plotMemory() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "Memory, and phones that wait"
	p.X.Label.Text, p.Y.Label.Text = "seconds", "MB; hundreds of phones"
	lines := []any{"waiting / 100", s.series(func(m sample) (float64, bool) { return float64(m.waiting) / 100, true })}
	for i, proc := range s.procs {
		lines = append(lines, fmt.Sprintf("%s (%d), MB", proc.name, proc.pid), s.series(func(m sample) (float64, bool) {
			return float64(m.rss[i]) / (1 << 20), true
		}))
	}
	return p, plotutil.AddLines(p, lines...)
}
