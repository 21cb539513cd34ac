package metrics

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pushbridge/pushbridge/bridge/graceful"
)

const (
	// scrapesAtOnce bounds the scrapes that are answered at a time; a Prometheus
	// makes one.
	scrapesAtOnce = 4

	// askTime bounds every request of this listener: whoever asks whether the
	// worker is ready does not wait for longer either.
	askTime = 10 * time.Second

	// maxHeader bounds a header, in bytes.
	maxHeader = 16 << 10

	// readyTime bounds how long the state may take to be read.
	readyTime = 2 * time.Second
)

// Server answers GET /metrics, /healthz and /readyz. ready answers nil, or why
// no phone should be sent here now.
func (m *Metrics) Server(ready func(context.Context) error, logger *slog.Logger) *graceful.Server {
	mux := http.NewServeMux()
	if m != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
			ErrorLog: errorLog{logger}, ErrorHandling: promhttp.ContinueOnError,
			MaxRequestsInFlight: scrapesAtOnce,
		}))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := ready(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, strings.Join(strings.Fields(err.Error()), " "))
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return graceful.New(&http.Server{
		Handler: mux, ReadTimeout: askTime, WriteTimeout: askTime, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	})
}

// answer writes one line.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, line+"\n")
}

// errorLog passes on what went wrong in a scrape.
type errorLog struct{ logger *slog.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) {
	l.logger.Warn("collecting metrics", "error", strings.TrimSpace(fmt.Sprintln(v...)))
}
