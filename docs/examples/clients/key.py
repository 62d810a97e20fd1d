"""Prints a key of a key-server. usage: python3 key.py [URL]    (Python 3.11 or later)

KEY_SERVER_API_KEY is an API key to send, KEY_SERVER_DEADLINE the seconds after which to give up (30).
"""

import http.client
import os
import random
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from threading import Thread

TRIES = 5
TRY_SECONDS = 5
FIRST_BACKOFF = 0.2
BUSY = (429, 502, 503, 504)  # 502 and 504 come from proxies that reached no server


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: urllib would make a GET of it, and send the API key along."""

    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect)


class Refusal(Exception):
    """An answer without a key."""

    def __init__(self, answer):
        super().__init__(f"{answer.status} {answer.read().decode().strip()}")
        self.busy = answer.status in BUSY
        self.after = retry_after(answer.headers.get("Retry-After", ""))


def fetch_key(url, deadline, api_key=None):
    """A key as text, or the error that there was last, after `deadline` seconds at the most."""
    end = time.monotonic() + deadline
    for tried in range(TRIES):
        try:
            return within(min(TRY_SECONDS, end - time.monotonic()), lambda: ask(url, api_key))
        except (Refusal, OSError, http.client.HTTPException) as error:
            if isinstance(error, Refusal) and not error.busy:
                raise
            # Anything from nothing to the back-off, so that those who were refused together do not come back together.
            wait = getattr(error, "after", 0) + random.uniform(0, FIRST_BACKOFF * 2**tried)
            if tried + 1 == TRIES or time.monotonic() + wait >= end:
                raise
            time.sleep(wait)


def ask(url, api_key):
    """Asks once. POST, as a proxy may repeat a GET by itself, and each takes a key of its own."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    request = urllib.request.Request(url, method="POST", headers=headers)
    try:
        with opener.open(request, timeout=TRY_SECONDS) as answer:
            if answer.status != 200:
                raise Refusal(answer)
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Refusal(error) from None


def within(seconds, work):
    """What `work` returns or raises, if it takes no longer: urllib's own timeout is one for each read."""
    outcome = Future()

    def run():
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def retry_after(value):
    """The seconds that Retry-After asks for: it is a number of them or a date."""
    if value.isdecimal():
        return float(value)
    try:
        return max(0, (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return 0


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:1123/key/16"
    try:
        deadline = float(os.environ.get("KEY_SERVER_DEADLINE", "30"))
        print(fetch_key(url, deadline, os.environ.get("KEY_SERVER_API_KEY")))
    except (Refusal, OSError, ValueError, http.client.HTTPException) as error:
        sys.exit(f"key.py: no key from {url}: {str(error) or type(error).__name__}")
