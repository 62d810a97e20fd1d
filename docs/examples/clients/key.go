// Prints a key of a key-server. usage: go run key.go [URL]    (Go 1.22 or later)
//
// KEY_SERVER_API_KEY is an API key to send, KEY_SERVER_DEADLINE the seconds after which to give up (30).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	tries        = 5
	tryTime      = 5 * time.Second
	firstBackoff = 200 * time.Millisecond
	longest      = math.MaxInt32 * time.Second
)

// refusal is an answer without a key.
type refusal struct {
	status int
	text   string
	after  time.Duration // what Retry-After asks for
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

// busy says whether asking again may help: 502 and 504 come from proxies that reached no server.
func (r *refusal) busy() bool {
	return r.status == 429 || r.status == 502 || r.status == 503 || r.status == 504
}

var client = &http.Client{
	Timeout:       tryTime,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// fetchKey returns a key as text, or the error that there was last when ctx ends or the tries do.
func fetchKey(ctx context.Context, url, apiKey string) (string, error) {
	for tried := 0; ; tried++ {
		key, err := ask(ctx, url, apiKey)
		if err == nil {
			return key, nil
		}
		var wait time.Duration
		var refused *refusal
		if errors.As(err, &refused) {
			if !refused.busy() {
				return "", err
			}
			wait = refused.after
		}
		// Anything from nothing to the back-off, so that those who were refused together do not come back together.
		wait += time.Duration(rand.Int63n(int64(firstBackoff << tried)))
		deadline, limited := ctx.Deadline()
		if tried+1 == tries || limited && time.Now().Add(wait).After(deadline) {
			return "", err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return "", err
		}
	}
}

// ask asks once. POST, as a proxy may repeat a GET by itself, and each takes a key of its own.
func ask(ctx context.Context, url, apiKey string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return "", err
	}
	if apiKey != "" {
		request.Header.Set("Authorization", "Bearer "+apiKey)
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", &refusal{answer.StatusCode, strings.TrimSpace(string(body)), retryAfter(answer.Header)}
	}
	return string(body), nil
}

// retryAfter is what Retry-After asks for: it is a number of seconds or a date. One out of range becomes the largest.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, time.Until(at)), longest)
	}
	return 0
}

func main() {
	url := "http://localhost:1123/key/16"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	seconds, err := strconv.ParseFloat(cmp.Or(os.Getenv("KEY_SERVER_DEADLINE"), "30"), 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "key.go: KEY_SERVER_DEADLINE must be a number of seconds")
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	key, err := fetchKey(ctx, url, os.Getenv("KEY_SERVER_API_KEY"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "key.go: no key from %s: %v\n", url, err)
		os.Exit(1)
	}
	fmt.Println(key)
}
