// A server with the behaviour of the original, written for comparison: keys at /key/{length}, a counter of
// status codes, a histogram of key lengths, both with the default registry of client_golang.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	maxSize := flag.Int("max-size", 1024, "maximum key size")
	port := flag.Int("srv-port", 1123, "server listening port")
	flag.Parse()

	lengths := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "key_length_distribution",
		Help:    "Distribution of key lengths",
		Buckets: prometheus.LinearBuckets(0, float64(*maxSize)/20, 20),
	})
	codes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "http_status_codes",
		Help: "Counter of HTTP status codes",
	}, []string{"code"})
	prometheus.MustRegister(lengths, codes)

	http.HandleFunc("/key/", func(w http.ResponseWriter, r *http.Request) {
		length, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/key/"))
		if err != nil || length <= 0 || length > *maxSize {
			codes.WithLabelValues("400").Inc()
			http.Error(w, "Invalid key length", http.StatusBadRequest)
			return
		}
		key := make([]byte, length)
		if _, err := rand.Read(key); err != nil {
			codes.WithLabelValues("500").Inc()
			http.Error(w, "Failed to generate key", http.StatusInternalServerError)
			return
		}
		lengths.Observe(float64(length))
		codes.WithLabelValues("200").Inc()
		fmt.Fprint(w, hex.EncodeToString(key))
	})
	http.Handle("/metrics", promhttp.Handler())

	log.Printf("Starting server on port %d...", *port)
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), nil))
}
