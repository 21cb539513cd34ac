package console

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
)

// The chart of an hour, in units of its own. Charts are made of numbers and of words
// that stand here: nothing that anybody chose gets into them.
const (
	chartWidth, chartHeight = 400, 170
	chartLeft, chartTop     = 54, 10
	chartRight, chartBottom = 394, 146

	chartLeast = time.Millisecond // the lowest line
	chartTens  = 4                // powers of ten above it
)

// chart draws how quickly phones were woken, minute by minute: a mark for the half,
// and a bar up to 95 of 100. The scale is logarithmic, since a phone that is woken in
// ten milliseconds and one in ten seconds both matter.
func chart(minutes [latency.Minutes]latency.Minute) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="How quickly phones were woken in each of the last 60 minutes">`, chartWidth, chartHeight)
	for i := range chartTens + 1 {
		line := height(chartLeast * time.Duration(math.Pow10(i)))
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			chartLeft, chartRight, line, line, chartLeft-6, line+4, took(chartLeast*time.Duration(math.Pow10(i))))
	}
	step := float64(chartRight-chartLeft) / latency.Minutes
	for i, m := range minutes {
		if m.Woken == 0 {
			continue
		}
		x, median, slow := float64(chartLeft)+step*float64(i), height(m.Median), height(m.Slow)
		fmt.Fprintf(&b, `<rect class="slow" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><rect class="median" x="%.1f" y="%.1f" width="%.1f" height="3"/>`,
			x+0.5, slow, step-1, math.Max(median-slow, 1), x, median-1.5, step)
	}
	for _, label := range []struct {
		at     float64
		anchor string
		text   string
	}{{chartLeft, "start", "an hour ago"}, {(chartLeft + chartRight) / 2, "middle", "half an hour"}, {chartRight, "end", "now"}} {
		fmt.Fprintf(&b, `<text x="%.0f" y="%d" text-anchor="%s">%s</text>`, label.at, chartHeight-6, label.anchor, label.text)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// height is where a time is on the scale.
func height(d time.Duration) float64 {
	share := math.Log10(math.Max(float64(d)/float64(chartLeast), 1)) / chartTens
	return chartBottom - math.Min(share, 1)*(chartBottom-chartTop)
}

// bar draws what share of the phones is how, side by side.
func (s *sight) bar() template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="bar" viewBox="0 0 400 10" preserveAspectRatio="none" aria-hidden="true">`)
	at := 0.0
	for _, h := range s.counted() {
		width := 400 * float64(h.N) / float64(max(len(s.devices), 1))
		fmt.Fprintf(&b, `<rect class="of-%s" x="%.2f" y="0" width="%.2f" height="10"/>`, h.Tone, at, width)
		at += width
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
